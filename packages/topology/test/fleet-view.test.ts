import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { FleetView } from '../src/fleet-view.ts'
import { allTenants, type Member } from '../src/member.ts'
import { Placement } from '../src/placement.ts'

const docs = Array.from({ length: 20 }, (_, index) => parseDocumentKey(`acme/match/${index}`))

const member = (node: string, changes: Partial<Member> = {}): Member => ({
  node,
  incarnation: '0'.repeat(32),
  upMs: 0,
  region: 'eu',
  roles: ['authority'],
  address: `ws://${node}:9600`,
  publicAddress: undefined,
  weight: 1,
  load: { documents: 0, viewers: 0, children: 0, bytesPerSecond: 0 },
  ceiling: 0,
  version: '1',
  protocol: 1,
  fingerprint: '0'.repeat(64),
  isHotStandby: false,
  isDraining: false,
  tenants: allTenants,
  cutOffFrom: [],
  ...changes,
})

/** What the authority `a` sees of itself and of `b`. */
function seen(...members: Member[]): { view: FleetView; own: string; others: string } {
  const placement = new Placement({ members })
  const view = new FleetView({ node: 'a', region: 'eu', roles: ['authority', 'proxy'] })
  view.placed(placement)
  const ofNode = (node: string): string =>
    docs.find(doc => placement.ownerNameOf(doc) === node) ?? ''
  return { view, own: ofNode('a'), others: ofNode('b') }
}

t.test('until anything is known nothing is served or written here', async t => {
  const view = new FleetView({ node: 'a', region: 'eu', roles: ['authority'] })
  const unknown = { code: 'FANFOLD_COORDINATOR_UNREACHABLE' }
  for (const doc of docs) t.match(view.owners.elsewhere(doc), unknown)
  t.match(view.owners.stall, unknown)
  t.equal(view.whereIs('b'), undefined)
  t.same(view.members, [])
})

t.test('its own documents are served, those of another are said to be there', async t => {
  const { view, own, others } = seen(member('a'), member('b'))
  t.equal(view.owners.elsewhere(parseDocumentKey(own)), undefined)
  const moved = { code: 'FANFOLD_MOVED', message: `${others} is served by node b` }
  t.same(view.owners.elsewhere(parseDocumentKey(others)), moved)
  t.equal(view.ownerAddressOf(parseDocumentKey(own)), undefined)
  t.equal(view.ownerAddressOf(parseDocumentKey(others)), 'ws://b:9600')
})

t.test('clients are led to the address for clients, nodes to the one for nodes', async t => {
  const { view, others } = seen(member('a'), member('b', { publicAddress: 'wss://b.example.com' }))
  t.equal(view.ownerAddressOf(parseDocumentKey(others)), 'wss://b.example.com')
  t.match(view.whereIs('b'), { address: 'ws://b:9600' })
})

t.test('who is set otherwise than the fleet is known, and is where it is', async t => {
  const view = new FleetView({ node: 'a', region: 'eu', roles: ['authority'] })
  t.same(view.differing, [])
  const members = [member('a'), member('b', { fingerprint: 'f'.repeat(64) })]
  view.placed(new Placement({ members, fingerprint: '0'.repeat(64) }))
  t.same(view.differing, ['b'])
  t.match(view.whereIs('b'), { address: 'ws://b:9600' })
  view.placed(new Placement({ members, fingerprint: 'f'.repeat(64) }))
  t.same(view.differing, ['a'])
})

t.test('where no authority is alive nobody is named, and what to do', async t => {
  const { view } = seen(member('p', { roles: ['proxy'] }))
  const problem = view.owners.elsewhere(docs[0] ?? parseDocumentKey('a/b/c'))
  t.match(problem, { code: 'FANFOLD_NO_AUTHORITY', message: /0 alive.*start one/ })
})

t.test('who is next stands by where it says so, for documents of another alone', async t => {
  const cold = seen(member('a'), member('b'), member('p', { roles: ['proxy'] }))
  const [own, others] = [cold.own, cold.others].map(key => parseDocumentKey(key)) as [
    DocumentKey,
    DocumentKey,
  ]
  t.equal(cold.view.owners.hasStandbys, false)
  t.equal(cold.view.owners.standbyOf(own), undefined)
  t.notOk(cold.view.owners.isStandby(others))
  const { view } = seen(member('a'), member('b', { isHotStandby: true }))
  t.equal(view.owners.hasStandbys, true)
  t.equal(view.owners.standbyOf(own), 'b')
  t.equal(view.owners.standbyOf(others), undefined, 'it is not this one’s')
  t.notOk(view.owners.isStandby(others), 'this one is cold')
  const { view: hot } = seen(member('a', { isHotStandby: true }), member('b'))
  t.equal(hot.owners.hasStandbys, false, 'no other one does')
  t.ok(hot.owners.isStandby(others))
  t.notOk(hot.owners.isStandby(own), 'it has that itself')
  const draining = seen(member('a', { isDraining: true }), member('b', { isHotStandby: true }))
  t.equal(draining.view.owners.ownerOf(own), 'b', 'who stands by is whom it goes to')
})

t.test('a node that is not sure that others see it writes nothing', async t => {
  const { view } = seen(member('a'))
  t.match(view.owners.stall, { code: 'FANFOLD_COORDINATOR_UNREACHABLE' })
  view.certain(true)
  t.equal(view.owners.stall, undefined)
  view.certain(false)
  t.match(view.owners.stall, { code: 'FANFOLD_COORDINATOR_UNREACHABLE' })
})

t.test('who answers is the node, with the region and the roles that it announces', async t => {
  const { view } = seen(member('a'), member('b', { roles: ['authority', 'proxy'] }))
  const peer = {
    node: 'b',
    incarnation: '1',
    region: 'eu',
    roles: ['authority', 'proxy'],
    ceiling: 0,
  }
  t.ok(view.isIt('b', peer))
  t.ok(view.isIt('b', { ...peer, roles: ['authority', 'proxy', 'edge'] }))
  t.notOk(view.isIt('b', { ...peer, roles: ['proxy'] }), 'the token says less')
  t.notOk(view.isIt('b', { ...peer, region: 'us' }))
  t.notOk(view.isIt('b', { ...peer, node: 'c' }))
  t.notOk(view.isIt('c', { ...peer, node: 'c' }), 'nobody has heard of it')
})

t.test('that it may write again says nothing of who serves what', async t => {
  const { view } = seen(member('a'))
  let placed = 0
  view.onPlaced(() => placed++)
  view.certain(true)
  t.equal(placed, 0)
  view.placed(new Placement({ members: [member('a'), member('b')] }))
  t.equal(placed, 1)
})

t.test('peers are those of the role that come next by name', async t => {
  const { view } = seen(member('a'), member('d'), member('b'), member('p', { roles: ['proxy'] }))
  t.same(view.peersOf('authority', 5), ['b', 'd'])
  t.same(view.peersOf('authority', 1), ['b'])
  const last = new FleetView({ node: 'c', region: 'eu', roles: ['authority'] })
  t.same(last.peersOf('authority', 5), [], 'nobody is known yet')
  last.placed(new Placement({ members: ['a', 'b', 'c', 'd'].map(name => member(name)) }))
  t.same(last.peersOf('authority', 5), ['d', 'a', 'b'])
})

t.test('who wants to hear no more hears nothing more', t => {
  const { view } = seen(member('a'))
  let told = 0
  const stop = view.onChange(() => told++)
  view.certain(true)
  stop()
  view.certain(false)
  t.equal(told, 1)
  t.end()
})

t.test('what changes is told, after all that is asked is new', async t => {
  const { view, others } = seen(member('a'), member('b'))
  const doc = parseDocumentKey(others)
  const routes = view.routesOf('proxy')
  t.same(routes.routeOf(doc), ['b'])
  const told: unknown[] = []
  view.onChange(() => told.push([view.owners.elsewhere(doc)?.code, routes.routeOf(doc)]))
  view.placed(new Placement({ members: [member('a')] }))
  t.same(told, [[undefined, ['a']]])
  t.equal(view.routesOf('proxy'), routes)
})
