/* A node that comes to a fleet that is well: nobody elects anything, and it takes part at once. */
import t from 'tap'
import { areAgreed, docs, Fleet, type FleetNode } from './fleet.ts'

const ownersBy = (node: FleetNode): (string | undefined)[] =>
  docs.map(doc => node.cluster.placement?.ownerNameOf(doc))

/** Five nodes that have known each other for a while. */
function healthy(): { fleet: Fleet; nodes: FleetNode[] } {
  const fleet = new Fleet()
  const nodes = fleet.startAll('a', 'b', 'c', 'd', 'e')
  fleet.time.pass(20_000)
  return { fleet, nodes }
}

await t.test('who comes disturbs nobody: one view more, and only its own share moves', async t => {
  const { fleet, nodes } = healthy()
  const before = nodes.map(ownersBy)
  const counts = nodes.map(({ effects, viewCount }) => ({ effects: effects.length, viewCount }))
  const late = fleet.start('f')
  fleet.time.pass(20_000)
  for (const [index, node] of nodes.entries()) {
    const count = counts[index]
    t.equal(node.viewCount, (count?.viewCount ?? 0) + 1)
    const since = node.effects.slice(count?.effects)
    const kinds = new Set(since.map(({ kind }) => kind))
    t.same([...kinds].toSorted(), ['coordinator-announce', 'view-changed'])
    const moved = ownersBy(node).filter((owner, at) => owner !== before[index]?.[at])
    t.ok(moved.length > 0)
    t.same([...new Set(moved)], ['f'])
  }
  t.ok(areAgreed([...nodes, late]))
  t.same(late.events, [])
  t.equal(late.viewCount, 1, 'and it has found all of them at once')
})

await t.test('it takes part within a quarter of a second', async t => {
  const { fleet, nodes } = healthy()
  const late = fleet.start('f')
  fleet.time.pass(250)
  t.same(late.alive, ['a', 'b', 'c', 'd', 'e', 'f'])
  t.ok(late.cluster.isSure(fleet.time.now()))
  t.ok(areAgreed([...nodes, late]))
})

await t.test('of who comes and goes again nothing is left', async t => {
  const { fleet, nodes } = healthy()
  const before = nodes.map(ownersBy)
  for (let round = 0; round < 20; round++) {
    const late = fleet.start(`f-${round}`)
    fleet.time.pass(300)
    late.give({ kind: 'leave' })
    fleet.time.pass(300)
  }
  for (const [index, node] of nodes.entries()) {
    t.same(node.alive, ['a', 'b', 'c', 'd', 'e'])
    t.same(ownersBy(node), before[index])
  }
})
