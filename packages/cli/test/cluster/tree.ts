import { fileURLToPath } from 'node:url'
import { until } from '@fanfold/nemesis'
import type { Test } from 'tap'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'

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

/** A node that the machine has no time for is not gone: a new link would be parsed for. */
const patient = { 'limits.linkSilenceMaxMs': '20s' }

/**
 * Starts a tree; it ends with the test. Viewers at its edge lag only when they are far behind.
 *
 * @param definitions modules, or directories that hold some; those of the examples when left out
 */
export async function startTree(t: Test, definitions?: readonly string[]): Promise<Tree> {
  const cluster = await Cluster.open(t)
  const authority = await cluster.start({
    name: 'authority',
    roles: ['authority'],
    definitions,
    options: patient,
  })
  const proxyOptions = {
    roles: ['proxy'] as const,
    nodeArguments: ['--import', poison],
    // So much may wait that nothing is ever put together, and so parsed.
    options: {
      'limits.replicaPendingBytesMax': '256MiB',
      'limits.largeStateBytes': '64MiB',
      ...patient,
    },
  }
  const first = await cluster.start({ name: 'proxy-1', parents: [authority], ...proxyOptions })
  const second = await cluster.start({ name: 'proxy-2', parents: [first], ...proxyOptions })
  const edge = await startTreeEdge(cluster, 'edge', second)
  for (const node of [first, second, edge]) await untilReady(node)
  return {
    cluster,
    authority,
    proxies: [first, second],
    edge,
    data: `${cluster.directory}/authority`,
  }
}

/** Starts an edge like that of a tree. */
export const startTreeEdge = (
  cluster: Cluster,
  name: string,
  parent: ClusterNode,
): Promise<ClusterNode> =>
  cluster.start({
    name,
    roles: ['edge'],
    parents: [parent],
    options: { 'limits.viewerBudgetBytes': '64MiB', ...patient },
  })

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
