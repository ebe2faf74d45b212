/* A fleet in which a proxy may have two children of a document: tiers form, carry all, and heal. */
import { RedisServer, until } from '@fanfold/nemesis'
import t from 'tap'
import { Cluster } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { RawViewer } from './raw-viewer.ts'
import { Writer } from './writer.ts'

t.setTimeout(400_000)

const doc = 'a/timing/hot'
const childrenMax = 2
const merge = (delta: number) => ({ message: 'merge', value: { topic: 'n', delta } })

type Standing = { readonly parent?: string; readonly children?: number }
type Topology = {
  readonly fleet: { readonly members: readonly unknown[] }
  readonly document?: { readonly here: { readonly proxy?: Standing } }
}

const topologyOf = async ({ adminUrl }: ClusterNode): Promise<Topology> =>
  (await (await fetch(`${adminUrl}/admin/topology?doc=${doc}`)).json()) as Topology

const redis = await RedisServer.start(t, { isDurable: true })
const cluster = await Cluster.open(t)
const { token } = cluster

const start = (name: string, role: 'authority' | 'proxy' | 'edge'): Promise<ClusterNode> => {
  const log = role === 'authority' ? { log: redis.address } : {}
  const tree = role === 'proxy' ? { 'limits.treeChildrenMax': String(childrenMax) } : {}
  return cluster.start({
    name,
    roles: [role],
    options: { 'redis.url': redis.address, ...log, ...tree },
  })
}

const authority = await start('authority', 'authority')
const proxies = await Promise.all(
  [1, 2, 3, 4, 5, 6].map(number => start(`proxy-${number}`, 'proxy')),
)
const edges = await Promise.all([1, 2, 3, 4, 5].map(number => start(`edge-${number}`, 'edge')))
await until('all nodes know each other', async () => {
  const known = await Promise.all([authority, ...proxies, ...edges].map(topologyOf))
  return known.every(({ fleet }) => fleet.members.length === 12)
})

const created = await fetch(`${authority.httpUrl}/v1/documents/${doc}`, {
  method: 'POST',
  headers: { authorization: `Bearer ${token}` },
})
if (created.status !== 201) throw new Error(`it was not created: ${created.status}`)
const viewers = await Promise.all(edges.map(({ url }) => RawViewer.open({ url, token, doc })))
const writer = await Writer.open({ url: authority.url, token })

/** Writes so many changes, and waits until all viewers have them. */
async function play(count: number): Promise<number> {
  const messages = Array.from({ length: count }, (_, index) => merge(index))
  const seq = await writer.sendAll(doc, messages)
  for (const viewer of viewers) await viewer.untilSeq(seq, 60_000)
  return seq
}

/** The proxies that run, with what each has of the document. */
async function standings(): Promise<{ readonly node: ClusterNode; readonly standing: Standing }[]> {
  const running = proxies.filter(({ isRunning }) => isRunning)
  const seen = await Promise.all(running.map(topologyOf))
  return running.map((node, at) => ({ node, standing: seen[at]?.document?.here.proxy ?? {} }))
}

const untilNobodyHasTooMany = (): Promise<void> =>
  until('nobody has more children than it may', async () => {
    const found = await standings()
    return found.every(({ standing }) => (standing.children ?? 0) <= childrenMax)
  })

await t.test('edges for which a proxy has no room are served by a tier below it', async t => {
  await play(20)
  await untilNobodyHasTooMany()
  const found = await standings()
  const below = found.filter(({ standing }) => standing.parent?.startsWith('proxy'))
  t.ok(below.length >= 1, `${below.length} proxies are below another one`)
  const top = found.filter(({ standing }) => standing.parent === 'authority')
  t.equal(top.length, 1, 'and one is below the authority')
})

await t.test('a tier that is killed is missed by nobody for long, and nothing is lost', async t => {
  const found = await standings()
  const tier = found.find(
    ({ standing }) => standing.parent?.startsWith('proxy') && (standing.children ?? 0) > 0,
  )
  t.ok(tier, 'there is one with children')
  tier?.node.signal('SIGKILL')
  await play(200)
  await untilNobodyHasTooMany()
  for (const viewer of viewers) {
    t.same(viewer.problems, [], 'ranges adjoin and every delta applies')
  }
  // Who comes below a node that has only just come has what that began with.
  const ledOn = viewers.filter(({ snapshots }) => snapshots.length === 1)
  t.ok(ledOn.length > 0, 'what others missed came from rings')
})

await t.test('so is the one at the top', async t => {
  const found = await standings()
  const top = found.find(({ standing }) => standing.parent === 'authority')
  top?.node.signal('SIGKILL')
  const seq = await play(200)
  t.ok(viewers.every(viewer => viewer.seq === seq))
  for (const viewer of viewers) t.same(viewer.problems, [])
})

writer.close()
for (const viewer of viewers) viewer.close()
