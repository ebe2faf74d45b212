import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { until } from './until.ts'

/** An authority, two proxies in a row and an edge, each a process of its own. */
export type Tree = {
  readonly cluster: Cluster
  readonly authority: ClusterNode
  readonly proxies: readonly ClusterNode[]
  readonly edge: ClusterNode
  /** The authority's data directory. */
  readonly data: string
}

const poison = fileURLToPath(new URL('./poison-json-parse.js', import.meta.url))

/** Starts a tree; it ends with the test. Viewers at its edge lag only when they are far behind. */
export async function startTree(t: Test): Promise<Tree> {
  const cluster = await Cluster.open(t)
  const authority = await cluster.start({ name: 'authority', roles: ['authority'] })
  const proxyOptions = {
    roles: ['proxy'] as const,
    nodeArguments: ['--import', poison],
    // So much may wait that nothing is ever put together, and so parsed.
    options: { 'limits.replicaPendingBytesMax': '256MiB' },
  }
  const first = await cluster.start({ name: 'proxy-1', parents: [authority], ...proxyOptions })
  const second = await cluster.start({ name: 'proxy-2', parents: [first], ...proxyOptions })
  const edge = await cluster.start({
    name: 'edge',
    roles: ['edge'],
    parents: [second],
    options: { 'limits.viewerBudgetBytes': '64MiB' },
  })
  for (const node of [first, second, edge]) await untilReady(node)
  return {
    cluster,
    authority,
    proxies: [first, second],
    edge,
    data: `${cluster.directory}/authority`,
  }
}

/** From here on, a proxy that parses any JSON ends. */
export async function poisonProxies({ proxies }: Tree): Promise<void> {
  for (const proxy of proxies) {
    proxy.signal('SIGUSR2')
    await proxy.untilLogged('json-parse-poisoned')
  }
}

/** Waits until a node says that it is ready. */
export async function untilReady(node: ClusterNode): Promise<void> {
  await until(`${node.name} is ready`, async () => {
    const { status } = await fetch(`${node.adminUrl}/readyz`)
    return status === 200
  })
}
