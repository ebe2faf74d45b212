/* Nodes that are set otherwise than their fleet: refused on both sides with the difference, while the fleet goes on. */
import { RedisServer, until } from '@fanfold/nemesis'
import t from 'tap'
import { Cluster, type NodeSettings } from './cluster.ts'
import type { ClusterNode, LogLine } from './cluster-node.ts'
import { RawViewer } from './raw-viewer.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)

const doc = 'a/timing/shared'
const merge = (delta: number) => ({ message: 'merge', value: { topic: 'n', delta } })

type Topology = {
  readonly fleet: {
    readonly fleetFingerprint: string
    readonly members: readonly {
      readonly node: string
      readonly fingerprint: string
      readonly isDiffering: boolean
    }[]
  }
}

const topologyOf = async ({ adminUrl }: ClusterNode): Promise<Topology> =>
  (await (await fetch(`${adminUrl}/admin/topology`)).json()) as Topology

/** The nodes know so many, and that these are set otherwise. */
const untilKnown = (nodes: readonly ClusterNode[], count: number, odd: readonly string[]) =>
  until(`${count} nodes are known, of them ${odd} as differing`, async () => {
    const known = await Promise.all(nodes.map(topologyOf))
    return known.every(({ fleet: { members } }) => {
      const differing = members.filter(({ isDiffering }) => isDiffering).map(({ node }) => node)
      return members.length === count && differing.toSorted().join() === odd.toSorted().join()
    })
  })

/** The value of a metric, of the series with these labels; NaN while there is none. */
async function metricOf(
  { adminUrl }: ClusterNode,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  const line = text
    .split('\n')
    .find(one => one.startsWith(`${name}{`) && wanted.every(part => one.includes(part)))
  return Number(line?.split(' ').at(-1) ?? Number.NaN)
}

/** Resolves with what the node logged of a link with the other. */
async function untilRefused(node: ClusterNode, peer: ClusterNode): Promise<LogLine> {
  const found = (): LogLine | undefined =>
    node.log.find(line => line.event === 'link.view-differs' && line['peer'] === peer.name)
  await until(`${node.name} refuses ${peer.name}`, () => found() !== undefined)
  return found() ?? {}
}

const redis = await RedisServer.start(t, { isDurable: true })
const cluster = await Cluster.open(t)
const { token } = cluster

const start = (
  name: string,
  role: 'authority' | 'proxy' | 'edge',
  options: NodeSettings['options'] = {},
): Promise<ClusterNode> => {
  const log = role === 'authority' ? { log: redis.address } : {}
  const all = { 'redis.url': redis.address, ...log, ...options }
  return cluster.start({ name, roles: [role], options: all })
}

const nodes = await Promise.all([
  start('authority', 'authority'),
  start('proxy', 'proxy'),
  start('edge', 'edge'),
])
const [authority, proxy, edge] = nodes
await untilKnown(nodes, 3, [])
const writer = await Writer.open({ url: authority.url, token })
await until('the document is there', async () => {
  return (await writer.send(doc, merge(1), 'one')).type === 'committed'
})
const viewer = await RawViewer.open({ url: edge.url, token, doc })
await viewer.untilSeq(3)

const otherwise = { 'limits.memberDeadAfterMs': 8_000 }
const odd = {
  authority: await start('authority-odd', 'authority', otherwise),
  edge: await start('edge-odd', 'edge', otherwise),
}
const all = [...nodes, odd.authority, odd.edge]
const differences = [{ name: 'limits.memberDeadAfterMs', ours: 5_000, theirs: 8_000 }]

await t.test('all nodes say who is set otherwise, before any link', async t => {
  await untilKnown(all, 5, ['authority-odd', 'edge-odd'])
  for (const node of [odd.authority, odd.edge]) await node.untilLogged('fleet.self-differs')
  for (const node of nodes) {
    await node.untilLogged('fleet.member-differs', 2)
    t.equal(await metricOf(node, 'fanfold_members_differing'), 2)
  }
  const { fleet } = await topologyOf(edge)
  const print = new Map(fleet.members.map(({ node, fingerprint }) => [node, fingerprint]))
  t.equal(print.get('edge'), fleet.fleetFingerprint)
  t.not(print.get('edge-odd'), fleet.fleetFingerprint)
  const ready = await fetch(`${odd.edge.adminUrl}/readyz`)
  t.equal(ready.status, 503)
  t.match(await ready.json(), { reasons: [/set otherwise than the fleet/] })
})

await t.test('a link is refused on both sides, with the difference', async t => {
  const late = await RawViewer.open({ url: odd.edge.url, token, doc })
  t.match(await untilRefused(proxy, odd.edge), { differences })
  const [difference] = differences
  t.match(await untilRefused(odd.edge, proxy), {
    differences: [{ ...difference, ours: 8_000, theirs: 5_000 }],
  })
  t.match(await untilRefused(authority, odd.authority), { differences })
  await untilRefused(odd.authority, authority)
  t.ok((await metricOf(proxy, 'fanfold_links_differing_total')) > 0)
  t.equal(late.seq, 0, 'and nothing is had by it')
  late.close()
  await until('it is tried again', async () => {
    return (await metricOf(authority, 'fanfold_links_differing_total')) > 2
  })
  const peers = authority.log.flatMap(({ event, peer }) =>
    event === 'link.view-differs' ? [peer] : [],
  )
  t.equal(peers.length, new Set(peers).size, 'but not said again')
})

await t.test('the rest of the fleet goes on, and nothing of it is elsewhere', async t => {
  t.match(await writer.send(doc, merge(2), 'two'), { type: 'committed' })
  await viewer.untilSeq(4)
  for (let index = 0; index < 20; index++) {
    const answer = await writer.send(`a/timing/${index}`, merge(1), `of-${index}`)
    t.match(answer, { type: 'committed' }, 'each of many documents')
  }
  const elsewhere = await Writer.open({ url: odd.authority.url, token })
  t.match(await elsewhere.send(doc, merge(3), 'three'), { type: 'moved', to: authority.url })
  t.same(viewer.problems, [])
  t.same(
    viewer.small.filter(({ status }) => status === 'stale'),
    [],
  )
})

await t.test('each node tells of those that it dials', async t => {
  const of = (node: ClusterNode, name: string, labels: Readonly<Record<string, string>>) =>
    metricOf(node, `fanfold_${name}`, labels)
  t.equal(await of(edge, 'node_up', { node: 'proxy' }), 1)
  t.equal(await of(edge, 'link_breaker_state', { node: 'proxy' }), 0)
  t.ok((await of(edge, 'link_requests_total', { node: 'proxy', outcome: 'ok' })) >= 1)
  t.equal(await of(authority, 'node_up', { node: 'authority-odd' }), 0)
  await until('who is refused again and again is tried seldom', async () => {
    return (await of(authority, 'link_breaker_state', { node: 'authority-odd' })) === 2
  })
  const refused = { node: 'proxy', outcome: 'unreachable' }
  t.ok((await of(odd.edge, 'link_requests_total', refused)) >= 1)
  const health = await (await fetch(`${edge.adminUrl}/healthz`)).json()
  const { fleet } = await topologyOf(edge)
  const fingerprint = fleet.fleetFingerprint
  t.same(health, { status: 'ok', mode: 'fleet', members: 5, fingerprint })
})

await t.test('a node with a named parent of the fleet compares nothing, and is served', async t => {
  const child = await cluster.start({ name: 'child', roles: ['edge'], parents: [proxy] })
  const below = await RawViewer.open({ url: child.url, token, doc })
  await below.untilSeq(viewer.seq)
  t.same(below.state, viewer.state)
  await child.stop()
})

await t.test('set right and started again it is part of the fleet', async t => {
  await odd.edge.stop()
  const again = await start('edge-odd', 'edge')
  await untilKnown([...nodes, again], 5, ['authority-odd'])
  const late = await RawViewer.open({ url: again.url, token, doc })
  await late.untilSeq(viewer.seq)
  t.equal((await fetch(`${again.adminUrl}/readyz`)).status, 200)
  await odd.authority.stop()
  await untilKnown([...nodes, again], 4, [])
  await until('nothing is told of a node that is gone', async () => {
    return Number.isNaN(await metricOf(authority, 'fanfold_node_up', { node: 'authority-odd' }))
  })
})
