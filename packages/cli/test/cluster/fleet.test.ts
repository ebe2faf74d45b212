/* Nodes that meet in a Redis: the tree forms itself, and heals when nodes are killed. */
import { RedisServer, until } from '@fanfold/nemesis'
import t, { type Test } from 'tap'
import { Cluster, type NodeSettings } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { runFanfold } from './fanfold-command.ts'
import { RawViewer } from './raw-viewer.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)

const doc = 'a/timing/shared'
const merge = (delta: number) => ({ message: 'merge', value: { topic: 'n', delta } })

type Topology = {
  readonly authority?: { readonly children: number }
  readonly proxy?: { readonly children: number }
  readonly fleet: { readonly members: readonly { readonly node: string }[] }
}

const topologyOf = async ({ adminUrl }: ClusterNode): Promise<Topology> =>
  (await (await fetch(`${adminUrl}/admin/topology`)).json()) as Topology

/** The nodes all know of each other. */
async function untilMet(nodes: readonly ClusterNode[]): Promise<void> {
  await until('all nodes know each other', async () => {
    const known = await Promise.all(nodes.map(topologyOf))
    return known.every(({ fleet }) => fleet.members.length === nodes.length)
  })
}

/** Sends to one node after the other until the one that serves the document takes it. */
async function sendAny(
  nodes: readonly ClusterNode[],
  token: string,
  message: ReturnType<typeof merge>,
  id: string,
): Promise<ClusterNode> {
  let owner: ClusterNode | undefined
  await until(`${id} is taken`, async () => {
    for (const node of nodes.filter(({ isRunning }) => isRunning)) {
      // One that is about to go takes nobody any more.
      const answer = await Writer.open({ url: node.url, token })
        .then(writer => writer.send(doc, message, id))
        .catch(() => undefined)
      if (answer?.type === 'committed') owner = node
    }
    return owner !== undefined
  })
  if (owner === undefined) throw new Error('nobody took it')
  return owner
}

/** A fleet of nodes that are given nothing but the Redis. */
async function startFleet(
  cluster: Cluster,
  redis: RedisServer,
  roles: Readonly<Record<string, NodeSettings['roles']>>,
): Promise<Readonly<Record<string, ClusterNode>>> {
  const { address } = redis
  const started = await Promise.all(
    Object.entries(roles).map(async ([name, roles]) => {
      const log = roles.includes('authority') ? { log: address } : {}
      return [name, await cluster.start({ name, roles, options: { 'redis.url': address, ...log } })]
    }),
  )
  return Object.fromEntries(started)
}

/** Two authorities, proxies and edges that have met, and a viewer at each edge of a document that one of them has. */
async function growTree(t: Test) {
  const redis = await RedisServer.start(t, { isDurable: true })
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const nodes = await startFleet(cluster, redis, {
    'authority-1': ['authority'],
    'authority-2': ['authority'],
    'proxy-1': ['proxy'],
    'proxy-2': ['proxy'],
    'edge-1': ['edge'],
    'edge-2': ['edge'],
  })
  const all = Object.values(nodes)
  await untilMet(all)
  const withRole = (role: string): ClusterNode[] => all.filter(({ name }) => name.startsWith(role))
  const [authorities, proxies] = [withRole('authority'), withRole('proxy')]
  const owner = await sendAny(authorities, token, merge(1), 'one')
  const viewers = await Promise.all(
    withRole('edge').map(({ url }) => RawViewer.open({ url, token, doc })),
  )
  for (const viewer of viewers) await viewer.untilSeq(3)
  return { token, authorities, proxies, owner, viewers }
}

/** The proxy from which both edges have the document, once they do: at first one may have had it elsewhere. */
async function servingProxy(proxies: readonly ClusterNode[]): Promise<ClusterNode> {
  let serving: ClusterNode | undefined
  await until('one proxy serves both edges', async () => {
    const seen = await Promise.all(proxies.map(topologyOf))
    serving = proxies.find((_, index) => seen[index]?.proxy?.children === 2)
    return serving !== undefined
  })
  if (serving === undefined) throw new Error('none does')
  return serving
}

/** So many streams of the document leave the authority. */
const untilStreams = (authority: ClusterNode, count: number): Promise<void> =>
  until(`${count} of the streams leave ${authority.name}`, async () => {
    return (await topologyOf(authority)).authority?.children === count
  })

await t.test('nodes that are given a Redis alone form a tree, and it heals', async t => {
  const { token, authorities, proxies, owner, viewers } = await growTree(t)
  const other = authorities.find(node => node !== owner)

  await t.test('one stream leaves the authority for both edges', async t => {
    await untilStreams(owner, 1)
    t.ok(await servingProxy(proxies))
  })

  await t.test('who is not the owner says who is', async t => {
    const writer = await Writer.open({ url: other?.url ?? '', token })
    t.match(await writer.send(doc, merge(2), 'two'), { type: 'moved', to: owner.url })
    const path = `/v1/documents/${doc}/messages/merge`
    const answer = await fetch(`${other?.httpUrl}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(merge(2).value),
    })
    t.equal(answer.status, 307)
    t.equal(answer.headers.get('location'), `${owner.httpUrl}${path}`)
  })

  await t.test('the tree is shown as a node knows it', async t => {
    const shown = await runFanfold(['tree', doc], { FANFOLD_ADMIN_URL: owner.adminUrl })
    t.equal(shown.code, 0, shown.errors)
    for (const { name } of [...authorities, ...proxies]) t.match(shown.output, name)
    t.match(shown.output, new RegExp(`${doc}: ${owner.name} \\(rendezvous\\)`))
    t.match(shown.output, new RegExp(`^${owner.name} +local +authority +seq 3 .* 1 streams`, 'm'))
  })

  await t.test('the proxy that serves the region may be killed', async t => {
    await (await servingProxy(proxies)).kill()
    t.equal(await sendAny([owner], token, merge(3), 'three'), owner)
    for (const viewer of viewers) await viewer.untilSeq(4)
  })

  await t.test('the authority may be killed, and the other one takes over', async t => {
    await owner.kill()
    t.equal(await sendAny(authorities, token, merge(4), 'four'), other)
    for (const viewer of viewers) await viewer.untilSeq(6)
    t.same(viewers[0]?.state, viewers[1]?.state)
    t.same(
      viewers.flatMap(({ problems }) => problems),
      [],
    )
  })
})

await t.test('nodes that end in good order are left before they go, under load', async t => {
  const { token, authorities, proxies, owner, viewers } = await growTree(t)
  let sent = 10
  for (const node of [await servingProxy(proxies), owner]) {
    const ended = node.stop()
    let left = Number.POSITIVE_INFINITY
    void ended.then(() => {
      left = 3
    })
    for (; left > 0; left--) await sendAny(authorities, token, merge(++sent), `during-${sent}`)
    t.match(await ended, { code: 0 })
    for (const viewer of viewers) {
      await until('the last write is seen', () => viewer.state?.['n'] === sent)
      t.same(viewer.problems, [])
    }
  }
})

await t.test(
  'while the place to meet is away viewers go on, and writers hear why they cannot',
  async t => {
    const meeting = await RedisServer.start(t, { isDurable: true })
    const logs = await RedisServer.start(t, { isDurable: true })
    const cluster = await Cluster.open(t)
    const { token } = cluster
    const options = { 'redis.url': meeting.address }
    const authority = await cluster.start({
      name: 'authority',
      roles: ['authority', 'proxy'],
      options: { ...options, log: logs.address },
    })
    const edge = await cluster.start({ name: 'edge', roles: ['edge'], options })
    await untilMet([authority, edge])
    await sendAny([authority], token, merge(1), 'one')
    const viewer = await RawViewer.open({ url: edge.url, token, doc })
    await viewer.untilSeq(3)

    const isUp = async (): Promise<string | undefined> => {
      const metrics = await (await fetch(`${edge.adminUrl}/metrics`)).text()
      return /^fanfold_coordinator_up.* ([01])$/m.exec(metrics)?.[1]
    }
    t.equal(await isUp(), '1')
    await meeting.kill()
    const writer = await Writer.open({ url: authority.url, token })
    await until('writes are refused', async () => {
      const { code } = await writer.send(doc, merge(2))
      return code === 'FANFOLD_COORDINATOR_UNREACHABLE'
    })
    await viewer.untilTold({ type: 'status', doc, status: 'stale' })
    const late = await RawViewer.open({ url: edge.url, token, doc })
    await late.untilSeq(3)
    t.equal(await isUp(), '0')

    await meeting.restart()
    await sendAny([authority], token, merge(9), 'again')
    await viewer.untilSeq(late.seq + 1)
    await viewer.untilTold({ type: 'status', doc, status: 'live' })
    for (const each of [viewer, late]) t.same(each.problems, [])
  },
)

await t.test('nodes that do everything serve each other’s documents', async t => {
  const redis = await RedisServer.start(t, { isDurable: true })
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const roles = ['authority', 'proxy', 'edge'] as const
  const nodes = Object.values(
    await startFleet(cluster, redis, { 'node-1': roles, 'node-2': roles, 'node-3': roles }),
  )
  await untilMet(nodes)
  const owner = await sendAny(nodes, token, merge(1), 'one')
  const viewers = await Promise.all(nodes.map(({ url }) => RawViewer.open({ url, token, doc })))
  for (const viewer of viewers) await viewer.untilSeq(3)
  // Its own proxy's, for all.
  await untilStreams(owner, 1)
  await sendAny([owner], token, merge(2), 'two')
  for (const viewer of viewers) {
    await viewer.untilSeq(4)
    t.same(viewer.state, { n: 2 })
  }
})

await t.test('a copy of a node that runs is refused, and says so', async t => {
  const redis = await RedisServer.start(t)
  const cluster = await Cluster.open(t)
  const options = { 'redis.url': redis.address }
  const first = await cluster.start({ name: 'edge', roles: ['edge'], options })
  await untilMet([first])
  const copy = await cluster.start({ name: 'edge', roles: ['edge'], options })
  const { code } = await copy.exited
  t.not(code, 0)
  t.match(copy.output.join('\n'), /FANFOLD_NODE_CLONED/)
  t.ok(first.isRunning)
  const again = await cluster.start({ name: 'other', roles: ['edge'], options })
  await untilMet([first, again])
})

await t.test('a place to meet that is not there, or forgets, is an error at the start', async t => {
  const redis = await RedisServer.start(t)
  const cluster = await Cluster.open(t)
  const edge = { name: 'edge', roles: ['edge'], options: { 'redis.url': redis.address } } as const
  await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
  await t.rejects(cluster.start(edge), {
    message: /maxmemory-policy noeviction.*FANFOLD_COORDINATOR_UNFIT/s,
  })
  await redis.kill()
  await t.rejects(cluster.start(edge), {
    message: /does not answer.*FANFOLD_COORDINATOR_UNREACHABLE/s,
  })
  const elsewhere = { ...edge, options: { ...edge.options, region: 'mars' } }
  await t.rejects(cluster.start(elsewhere), { message: /the link token says local/ })
})
