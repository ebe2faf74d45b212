/*
 * Nodes that join a document late, by what they can have: a snapshot, the log alone, or what they kept
 * themselves. However they come by it, their viewers have the same.
 */
import t from 'tap'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { RawViewer } from './raw-viewer.ts'
import { untilReady } from './tree.ts'
import { type Message, Writer } from './writer.ts'

t.setTimeout(400_000)
const doc = 'a/timing/late'
const topics = 50
/** So few that who comes late finds nothing of the beginning in memory. */
const shortRing = { 'limits.ringRecordsMax': 16 }

const set = (n: number): Message => ({
  message: 'merge',
  value: { topic: `topic-${n % topics}`, delta: n },
})

const sets = (from: number, count: number): Message[] =>
  Array.from({ length: count }, (_, index) => set(from + index))

/** How often the streams of a node became live, by what it took. */
async function rungs({ adminUrl }: ClusterNode): Promise<Record<string, number>> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  const rows = text.matchAll(/^fanfold_catchups_total\{.*rung="(.*?)".*\} (\d+)$/gm)
  return Object.fromEntries([...rows].map(([, rung = '', count]) => [rung, Number(count)]))
}

await t.test('where no snapshot is taken the log is replayed, through any tier', async t => {
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const authority = await cluster.start({
    name: 'authority',
    roles: ['authority', 'edge'],
    options: shortRing,
  })
  const writer = await Writer.open({ url: authority.url, token })
  const lastSeq = await writer.sendAll(doc, sets(0, 2_000))
  const options = { ...shortRing, disableSnapshot: 1 }
  const proxy = await cluster.start({
    name: 'proxy',
    roles: ['proxy'],
    parents: [authority],
    options,
  })
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [proxy], options })
  const plain = await cluster.start({
    name: 'plain',
    roles: ['edge'],
    parents: [authority],
  })
  for (const node of [proxy, edge, plain]) await untilReady(node)
  const viewers = await Promise.all(
    [edge, plain, authority].map(({ url }) => RawViewer.open({ url, token, doc })),
  )
  for (const viewer of viewers) await viewer.untilSeq(lastSeq)
  t.match(await rungs(proxy), { replay: 1, snapshot: undefined })
  t.match(await rungs(edge), { replay: 1, snapshot: undefined })
  t.match(await rungs(plain), { replay: undefined, snapshot: 1 })
  const { seq = 0 } = await writer.send(doc, set(7))
  const [late, ...others] = viewers
  for (const viewer of viewers) await viewer.untilSeq(seq)
  for (const other of others) t.same(late?.state, other.state)
  t.same(
    viewers.flatMap(({ problems }) => problems),
    [],
  )
})

await t.test('a proxy that is started again asks for the tail of what it kept', async t => {
  const cluster = await Cluster.open(t)
  const { token } = cluster
  const authority = await cluster.start({ name: 'authority', roles: ['authority'] })
  const settings = {
    name: 'proxy',
    roles: ['proxy'],
    parents: [authority],
    options: { warm: `${cluster.directory}/warm` },
  } as const
  const first = await cluster.start(settings)
  const edge = await cluster.start({ name: 'edge', roles: ['edge'], parents: [first] })
  await untilReady(edge)
  const writer = await Writer.open({ url: authority.url, token })
  const seqBefore = await writer.sendAll(doc, sets(0, 500))
  const viewer = await RawViewer.open({ url: edge.url, token, doc })
  await viewer.untilSeq(seqBefore)
  t.match(await rungs(first), { snapshot: 1 })

  const { port } = first
  t.match(await first.stop(), { code: 0 })
  const lastSeq = await writer.sendAll(doc, sets(500, 30))
  const again = await cluster.start({ ...settings, port })
  await viewer.untilSeq(lastSeq)
  t.match(await rungs(again), { tail: 1, snapshot: undefined, replay: undefined })
  const fresh = await RawViewer.open({ url: edge.url, token, doc })
  await fresh.untilSeq(lastSeq)
  t.same(viewer.state, fresh.state)
  t.equal(viewer.snapshots.length, 1, 'the viewer went on where it was')
  t.same([...viewer.problems, ...fresh.problems], [])
})
