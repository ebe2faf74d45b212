/* Nodes of a fleet that are set differently: one side has no part, and all say which. */
import t from 'tap'
import { beginningMs } from '../src/fleet-fingerprint.ts'
import { Placement } from '../src/placement.ts'
import { entryOf, memberOf } from './arbitraries.ts'
import { areAgreed, docs, Fleet, type FleetNode } from './fleet.ts'

const usual = '0'.repeat(64)
const other = 'f'.repeat(64)

const ownersBy = (node: FleetNode): (string | undefined)[] =>
  docs.map(doc => node.cluster.placement?.ownerNameOf(doc))

const differingBy = ({ cluster: { placement } }: FleetNode): string[] =>
  [...(placement?.members ?? [])].filter(one => placement?.differs(one)).map(one => one.node)

/** Three nodes that are up for longer than a fleet takes to begin. */
function settled(): { fleet: Fleet; nodes: [FleetNode, FleetNode, FleetNode] } {
  const fleet = new Fleet()
  const nodes = fleet.startAll('a', 'b', 'c') as [FleetNode, FleetNode, FleetNode]
  fleet.time.pass(beginningMs + 1_000)
  return { fleet, nodes }
}

await t.test('who comes and is set otherwise is given nothing, and all say so', async t => {
  const { fleet, nodes } = settled()
  const before = ownersBy(nodes[0])
  const late = fleet.start('d', { fingerprint: other })
  fleet.time.pass(10_000)
  const prints = { fingerprint: other, fleetFingerprint: usual }
  for (const node of nodes) {
    t.same(node.alive, ['a', 'b', 'c', 'd'], 'it is there')
    t.same(differingBy(node), ['d'])
    t.same(ownersBy(node), before, 'and nothing moved')
    t.same(
      node.of('cluster-note').map(({ fact }) => fact),
      [{ event: 'member-differs', node: 'd', ...prints }],
      'told once',
    )
  }
  t.ok(areAgreed([...nodes, late]), 'it says itself that it has no part')
  t.same(
    late.of('cluster-note').map(({ fact }) => fact),
    [{ event: 'self-differs', ...prints }],
  )
})

await t.test('set right and started again it takes its share', async t => {
  const { fleet, nodes } = settled()
  const wrong = fleet.start('d', { fingerprint: other })
  fleet.time.pass(5_000)
  wrong.give({ kind: 'leave' })
  const right = fleet.start('d')
  fleet.time.pass(5_000)
  t.same(differingBy(nodes[0]), [])
  t.ok(ownersBy(nodes[0]).includes('d'))
  t.ok(areAgreed([...nodes, right]))
  t.same(right.events, [])
})

await t.test('many that come set otherwise take nothing from who was there', async t => {
  const { fleet, nodes } = settled()
  const before = ownersBy(nodes[0])
  const names = Array.from({ length: 9 }, (_, index) => `new-${index}`)
  const others = names.map(name => fleet.start(name, { fingerprint: other }))
  fleet.time.pass(10_000)
  t.same(ownersBy(nodes[0]), before)
  t.ok(areAgreed([...nodes, ...others]))
})

await t.test('when the last of the elders goes, those that remain are the fleet', async t => {
  const { fleet, nodes } = settled()
  const others = ['d', 'e'].map(name => fleet.start(name, { fingerprint: other })) as [
    FleetNode,
    FleetNode,
  ]
  fleet.time.pass(beginningMs + 1_000)
  for (const node of nodes) node.give({ kind: 'leave' })
  fleet.time.pass(1_000)
  for (const node of others) {
    const ofItself = node.events.filter(event => event.startsWith('self-'))
    t.same(ofItself, ['self-differs', 'self-agrees'])
    t.same(new Set(ownersBy(node)), new Set(['d', 'e']))
  }
})

await t.test('of those that start together it is what most are set to', async t => {
  const fleet = new Fleet()
  const names = ['a', 'b', 'c']
  const nodes = names.map(name => fleet.start(name, { fingerprint: name === 'a' ? other : usual }))
  fleet.time.pass(2_000)
  t.ok(areAgreed(nodes))
  for (const node of nodes) t.same(differingBy(node), ['a'])
})

await t.test('neither a pin nor being the last one gives it anything', async t => {
  const [doc] = docs
  if (doc === undefined) throw new Error('there are documents')
  const members = [memberOf({ node: 'a' }), memberOf({ node: 'b', fingerprint: other })]
  const pinned = new Placement({ members, entries: [entryOf({ node: 'b' })], fingerprint: usual })
  t.match(pinned.ownerOf(doc), {
    owner: { node: 'a' },
    standby: undefined,
    why: 'placed-node-differs',
  })
  t.match(
    pinned.problemOf(doc)?.message,
    /placed on b, which is set otherwise than the fleet; a serves it meanwhile; set it as the others are/,
  )
  const alone = new Placement({ members, fingerprint: 'e'.repeat(64) })
  t.equal(alone.ownerNameOf(doc), undefined)
  t.match(alone.problemOf(doc), {
    code: 'FANFOLD_NO_AUTHORITY',
    message: /0 alive.*; 2 nodes are set otherwise than the fleet$/,
  })
})

await t.test('a proxy that is set otherwise is nobody’s way to a document', async t => {
  const [doc] = docs
  if (doc === undefined) throw new Error('there are documents')
  const proxy = (node: string, fingerprint = usual) =>
    memberOf({ node, fingerprint, roles: ['proxy'] })
  const members = [memberOf(), proxy('p'), proxy('q', other)]
  const placement = new Placement({ members, fingerprint: usual })
  t.same(
    placement.regionalProxiesOf(doc, 'eu', 3).map(one => one.node),
    ['p'],
  )
  t.same(
    placement.recruitsFor({ node: 'p', region: 'eu' }, doc, 3).map(one => one.node),
    ['p'],
  )
})
