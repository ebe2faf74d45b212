/* A crowd says something at the edges of two regions, and what the document counts is what it said: once, whoever dies. */
import { isJsonObject, type JsonValue } from '@fanfold/document'
import { RedisServer, until } from '@fanfold/nemesis'
import t, { type Test } from 'tap'
import { Cluster, type NodeSettings } from './cluster.ts'
import type { ClusterNode } from './cluster-node.ts'
import { CrowdViewer, countOf, untilTold } from './crowd-viewers.ts'
import { definitionPath } from './definition-path.ts'

t.setTimeout(400_000)

const doc = 'a/cheers/final'
const viewersPerEdge = 20
/** Cheers of each viewer in a stretch. */
const stretch = 5

const redis = await RedisServer.start(t, { isDurable: true })
const cluster = await Cluster.open(t)
const { token } = cluster

/** Nodes that run, by name; who is started again has its place and its port. */
const nodes = new Map<string, ClusterNode>()
const settings = (name: string, options: NodeSettings['options'] = {}): NodeSettings => {
  const [role = '', region] = name.split('-')
  return {
    name,
    roles: [role as 'authority' | 'proxy' | 'edge'],
    region,
    definitions: [definitionPath('cheers')],
    port: nodes.get(name)?.port,
    options: { 'redis.url': redis.address, ...options },
  }
}

async function start(name: string): Promise<ClusterNode> {
  // All that is said in a test is said at once.
  const options = name.startsWith('authority')
    ? { log: redis.address }
    : name.startsWith('edge')
      ? { 'limits.crowdMessagesPerViewerBurst': 10_000 }
      : {}
  const node = await cluster.start(settings(name, options))
  nodes.set(name, node)
  return node
}

const authority = await start('authority-eu')
await Promise.all(['proxy-eu', 'proxy-us'].map(start))
const [near, far] = await Promise.all([start('edge-eu'), start('edge-us')])
await until('all nodes know each other', async () => {
  const known = await Promise.all(
    [...nodes.values()].map(async ({ adminUrl }) => {
      const answer = await fetch(`${adminUrl}/admin/topology`)
      return (await answer.json()) as { readonly fleet: { readonly members: readonly unknown[] } }
    }),
  )
  return known.every(({ fleet }) => fleet.members.length === nodes.size)
})
const created = await fetch(`${authority.httpUrl}/v1/documents/${doc}`, {
  method: 'POST',
  headers: { authorization: `Bearer ${token}` },
})
if (created.status !== 201) throw new Error(`it was not created: ${created.status}`)

const openAt = (node: ClusterNode): Promise<CrowdViewer[]> =>
  Promise.all(
    Array.from({ length: viewersPerEdge }, (_, index) =>
      CrowdViewer.open(`${node.name}/${index}`, node, { token, doc }),
    ),
  )
const atNear = await openAt(near)
const atFar = await openAt(far)
const crowd = [...atNear, ...atFar]
await until('all are shown the document', () => crowd.every(({ viewer }) => viewer.seq > 0))

/** All cheer, so often each; they are not told of it yet. */
const cheer = (times: number): void => {
  for (const one of crowd) one.cheer(times)
}

/** All are told that all counts, once each, and the document has neither more nor less. */
async function checkCounts(t: Test): Promise<void> {
  await untilTold(crowd)
  for (const one of crowd) {
    t.equal(one.count('counted'), one.said, `all of ${one.kind} is counted`)
    t.equal(new Set(one.toldIds).size, one.said, 'and each id is told once')
  }
  const total = sumOf(crowd.map(({ said }) => said))
  await until('all see that', () =>
    crowd.every(one => one.shown() >= one.said && sumOf(cheersSeenBy(one)) >= total),
  )
  for (const one of crowd) {
    t.equal(one.shown(), one.said, `${one.kind} is in the document as often`)
    t.same(one.viewer.problems, [])
  }
  t.equal(sumOf(cheersSeenBy(crowd[0])), total, 'and nothing else')
}

const cheersSeenBy = (one: CrowdViewer | undefined): readonly number[] => {
  const cheers = one?.viewer.state?.['cheers']
  return isJsonObject(cheers) ? Object.values(cheers).map(Number) : []
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0)

await t.test('what viewers of two regions say is in the document, and they are told', async t => {
  cheer(stretch)
  await checkCounts(t)
})

for (const name of ['proxy-eu', 'proxy-us', 'authority-eu']) {
  await t.test(`it counts once when ${name} is killed amid it and started again`, async t => {
    cheer(stretch)
    const isDead = nodes.get(name)?.kill()
    cheer(stretch)
    await isDead
    const isBack = start(name)
    cheer(stretch)
    await isBack
    cheer(stretch)
    await checkCounts(t)
  })
}

await t.test(
  'what is no message is rejected with the reason, and nothing of it counts',
  async t => {
    const [one] = atNear
    if (one === undefined) throw new Error('there are viewers')
    const { viewer } = one
    const bad: [reducer: string, value: JsonValue, code: string][] = [
      ['boo', { kind: 'x' }, 'FANFOLD_NO_REDUCER'],
      ['__proto__', { kind: 'x' }, 'FANFOLD_NO_REDUCER'],
      ['cheer', { kind: 5 }, 'FANFOLD_INVALID_VALUE'],
      ['cheer', { kind: '' }, 'FANFOLD_INVALID_VALUE'],
      ['cheer', { kind: '__proto__' }, 'FANFOLD_INVALID_VALUE'],
      ['clap', { loud: true }, 'FANFOLD_INVALID_VALUE'],
    ]
    for (const [index, [reducer, value, code]] of bad.entries()) {
      const id = 1_000_000 + index
      viewer.add({ reducer, value, id })
      t.match(await viewer.untilTold({ type: 'rejected', doc, id }), { reducer, code })
    }
    for (const [index, { viewer }] of crowd.entries()) {
      viewer.add({ reducer: 'clap', value: {}, id: 2_000_000 + index })
    }
    for (const [index, { viewer }] of crowd.entries()) {
      await viewer.untilTold({ type: 'counted', doc, id: 2_000_000 + index })
    }
    await until('claps are shown', () => viewer.state?.['claps'] === crowd.length)
    t.equal(sumOf(cheersSeenBy(one)), sumOf(crowd.map(({ said }) => said)))
  },
)

await t.test(
  'of an edge that is killed what was told counts once, the rest at most once',
  async t => {
    cheer(stretch)
    await until('some are told', () => atNear.some(one => one.count('counted') === one.said))
    cheer(stretch)
    await near.kill()
    await until('its viewers notice', () =>
      atNear.every(({ viewer }) => viewer.closeCode !== undefined),
    )
    await untilTold(atFar)
    const [witness] = atFar
    const counted = (one: CrowdViewer): number =>
      countOf(witness?.viewer.state?.['cheers'], one.kind)
    await until('what was told is shown', () =>
      crowd.every(one => counted(one) >= one.count('counted')),
    )
    // Who has the node's place has none of its windows: it goes on in a session of its own.
    const edge = await start(near.name)
    const again = await CrowdViewer.open('again', edge, { token, doc })
    await again.viewer.untilSeq(1)
    again.cheer(stretch)
    await untilTold([again])
    t.equal(again.count('counted'), stretch)
    await until('that is shown', () => witness !== undefined && counted(again) >= stretch)
    t.equal(counted(again), stretch)
    for (const one of atNear) {
      const times = counted(one)
      t.ok(
        times >= one.count('counted'),
        `${one.kind}: ${times} of ${one.count('counted')} at least`,
      )
      t.ok(times <= one.said, `${one.kind}: ${times} of ${one.said} at most`)
    }
    for (const one of atFar) t.equal(counted(one), one.said, `${one.kind} is whole`)
  },
)
