import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import type { PlacementRequestId } from '../src/placement-book.ts'
import { entryOf } from './arbitraries.ts'
import { areAgreed, Fleet, type FleetNode } from './fleet.ts'

const doc = parseDocumentKey('acme/match/final')

const wishOf = (overrides: Parameters<typeof entryOf>[0] = {}) => {
  const { version: _version, epoch: _epoch, ...wish } = entryOf(overrides)
  return wish
}

const request = (number: number): PlacementRequestId => number as PlacementRequestId

await t.test('a placement that one node is asked for all follow', async t => {
  const fleet = new Fleet()
  const [a, b, c] = fleet.startAll('a', 'b', 'c') as [FleetNode, FleetNode, FleetNode]
  const owner = a.cluster.placement?.ownerNameOf(doc)
  const other = ['a', 'b', 'c'].find(node => node !== owner)
  const wish = wishOf({ subject: doc, node: other, who: 'ada', why: 'closer to the writers' })
  a.give({ kind: 'place-asked', request: request(1), wish, expected: undefined })
  fleet.time.pass(10)
  t.match(a.of('placement-answered'), [
    { request: 1, entry: { version: 1, epoch: 1, node: other, who: 'ada' }, refusal: undefined },
  ])
  for (const node of [a, b, c]) {
    t.equal(node.cluster.placement?.ownerNameOf(doc), other)
    t.same(node.of('view-changed').at(-1)?.placed, [doc])
  }
  t.ok(areAgreed([a, b, c]))
})

await t.test('of two changes at once one holds, and the other is told what does', async t => {
  const fleet = new Fleet()
  const [a, b] = fleet.startAll('a', 'b') as [FleetNode, FleetNode]
  for (const node of [a, b]) {
    const wish = wishOf({ node: node === a ? 'a' : 'b' })
    node.give({ kind: 'place-asked', request: request(1), wish, expected: 0 })
  }
  fleet.time.pass(10)
  const [first] = a.of('placement-answered')
  const [second] = b.of('placement-answered')
  t.equal(first?.refusal, undefined)
  t.match(second, { entry: { node: 'a', version: 1 } })
  t.match(second?.refusal, {
    code: 'FANFOLD_PLACEMENT_CONFLICT',
    message: 'acme is at version 1, not 0',
  })
  b.give({ kind: 'place-asked', request: request(2), wish: wishOf({ node: 'b' }), expected: 0 })
  t.match(b.of('placement-answered').at(-1)?.refusal?.code, 'FANFOLD_PLACEMENT_CONFLICT')
  b.give({ kind: 'place-asked', request: request(3), wish: wishOf({ node: 'b' }), expected: 1 })
  fleet.time.pass(10)
  t.match(b.of('placement-answered').at(-1), { entry: { version: 2 }, refusal: undefined })
})

await t.test(
  'a node that is not there, and one that has just come, are told what to do',
  async t => {
    const fleet = new Fleet()
    const [a] = fleet.startAll('a', 'b') as [FleetNode]
    a.give({ kind: 'place-asked', request: request(1), wish: wishOf({ node: 'z' }), expected: 7 })
    t.match(a.of('placement-answered'), [
      { request: 1, entry: undefined, refusal: { code: 'FANFOLD_PLACEMENT_CONFLICT' } },
    ])
    a.give({ kind: 'place-asked', request: request(2), wish: wishOf({ node: 'z' }), expected: 0 })
    t.match(a.of('placement-answered').at(-1), {
      request: 2,
      refusal: { code: 'FANFOLD_PLACED_NODE', message: /z; these take it: a, b$/ },
    })
    const c = fleet.start('c')
    c.give({ kind: 'place-asked', request: request(3), wish: wishOf({ node: 'a' }), expected: 0 })
    t.match(c.of('placement-answered'), [
      { request: 3, refusal: { code: 'FANFOLD_COORDINATOR_UNREACHABLE' } },
    ])
    fleet.time.pass(1_000)
    t.same([...(a.cluster.placement?.entries ?? [])], [], 'nothing is left behind')
  },
)

await t.test('it is known who has heard of a placement', async t => {
  const fleet = new Fleet()
  const nodes = fleet.startAll('a', 'b', 'c') as [FleetNode, FleetNode, FleetNode]
  const [a, b, c] = nodes
  const behind = (node: FleetNode): string[] => node.cluster.behind.map(member => member.node)
  fleet.time.pass(2_000)
  for (const node of nodes) t.same(behind(node), [])
  c.stop()
  a.give({ kind: 'place-asked', request: request(1), wish: wishOf({ node: 'b' }), expected: 0 })
  t.same(behind(a), [], 'it is not placed yet')
  fleet.time.pass(2_000)
  for (const node of [a, b]) t.same(behind(node), ['c'])
  c.continue()
  fleet.time.pass(2_000)
  for (const node of nodes) t.same(behind(node), [])
})

await t.test('without a coordinator what is placed holds, and nothing more is placed', async t => {
  const fleet = new Fleet()
  const [a] = fleet.startAll('a', 'b') as [FleetNode]
  a.give({ kind: 'place-asked', request: request(1), wish: wishOf({ node: 'b' }), expected: 0 })
  fleet.time.pass(10)
  fleet.space.setUnreachable('pulled out')
  fleet.time.pass(10_000)
  a.give({ kind: 'place-asked', request: request(2), wish: wishOf({ node: 'a' }), expected: 1 })
  t.match(a.of('placement-answered').at(-1)?.refusal?.code, 'FANFOLD_COORDINATOR_UNREACHABLE')
  t.equal(a.cluster.placement?.ownerNameOf(doc), 'b')
})

await t.test(
  'a coordinator that was emptied is given back what was placed, by one of them',
  async t => {
    const fleet = new Fleet()
    const nodes = fleet.startAll('a', 'b', 'c') as [FleetNode, FleetNode, FleetNode]
    const [a] = nodes
    for (let index = 0; index < 40; index++) {
      const wish = wishOf({ subject: `tenant-${index}`, node: 'b' })
      a.give({ kind: 'place-asked', request: request(index), wish, expected: 0 })
      a.give({ kind: 'place-asked', request: request(index), wish, expected: undefined })
      fleet.time.pass(10)
    }
    const counts = nodes.map(node => node.viewCount)
    fleet.space.setUnreachable('pulled out')
    fleet.space.clear()
    fleet.time.pass(3_000)
    fleet.space.setUnreachable(undefined)
    fleet.time.pass(2_000)
    const late = fleet.start('d')
    fleet.time.pass(100)
    t.equal([...(late.cluster.placement?.entries ?? [])].length, 40)
    for (const node of nodes) t.ok(node.events.includes('placements-lost'))
    t.same(
      nodes.map(node => node.viewCount - (counts[nodes.indexOf(node)] ?? 0)),
      [1, 1, 1],
      'but for who came, nothing changed',
    )
    t.ok(areAgreed([...nodes, late]))
  },
)
