import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import type { Member } from '../src/member.ts'
import { Placement } from '../src/placement.ts'
import type { PlacementEntry } from '../src/placement-entry.ts'
import { entryOf, memberOf } from './arbitraries.ts'

const doc = parseDocumentKey('acme/match/final')
const docs = Array.from({ length: 2_000 }, (_, index) => parseDocumentKey(`acme/match/${index}`))
const nodes = ['authority-a', 'authority-b', 'authority-c']
const three = (overrides: Partial<Member> = {}): Member[] =>
  nodes.map(node => memberOf({ node, ...overrides }))

const placed = (members: Member[], ...entries: PlacementEntry[]): Placement =>
  new Placement({ members, entries })

const ownership = (placement: Placement, key: DocumentKey = doc) => {
  const { owner, standby, why } = placement.ownerOf(key)
  return { owner: owner?.node, standby: standby?.node, why }
}

/** The three, first the owner of `doc` by rendezvous, then who takes over. */
const ranked = (): [string, string, string] => {
  const { owner = '', standby = '' } = ownership(placed(three()))
  return [owner, standby, nodes.find(node => node !== owner && node !== standby) ?? '']
}

const without = (node: string): Member[] => three().filter(member => member.node !== node)
const changed = (node: string, overrides: Partial<Member>): Member[] =>
  three().map(member => (member.node === node ? { ...member, ...overrides } : member))

await t.test('each authority owns its share, and the rest are no authorities', async t => {
  const members = [...three(), memberOf({ node: 'proxy-a', roles: ['proxy', 'edge'] })]
  const placement = placed(members)
  const owners = docs.map(doc => placement.ownerNameOf(doc))
  for (const node of nodes) {
    const share = owners.filter(owner => owner === node).length
    t.ok(share > 560 && share < 770, `${node}: ${share}`)
  }
  t.notOk(owners.includes('proxy-a'))
})

await t.test('who stands by takes over, and nobody else’s documents move', async t => {
  const before = placed(three())
  const after = placed(without('authority-b'))
  for (const doc of docs) {
    const { owner, standby } = ownership(before, doc)
    t.equal(ownership(after, doc).owner, owner === 'authority-b' ? standby : owner)
  }
})

await t.test('another address moves nothing', async t => {
  const before = placed(three())
  const after = placed(
    three({ address: 'wss://elsewhere.example.com', publicAddress: 'wss://b.c' }),
  )
  t.ok(docs.every(doc => before.ownerNameOf(doc) === after.ownerNameOf(doc)))
})

await t.test('documents of a group have one owner', async t => {
  const placement = placed(three())
  for (let group = 0; group < 1_000; group++) {
    const [one, other] = [`acme/match/g${group}~~a`, `acme/chat/g${group}~~b`] as DocumentKey[]
    t.equal(placement.ownerNameOf(one as DocumentKey), placement.ownerNameOf(other as DocumentKey))
  }
})

await t.test('a pinned document is its node’s, before its tenant’s pin', async t => {
  const [first, second, third] = ranked()
  const ofTenant = entryOf({ node: third })
  const ofDocument = entryOf({ subject: doc, node: second })
  t.same(ownership(placed(three(), ofTenant)), { owner: third, standby: first, why: 'placement' })
  t.match(ownership(placed(three(), ofTenant, ofDocument)), { owner: second, standby: first })
  const released = entryOf({ subject: doc, node: undefined })
  t.match(ownership(placed(three(), ofTenant, released)), { owner: third })
  const own = entryOf({ node: first })
  t.match(ownership(placed(three(), own)), { owner: first, standby: second }, 'not itself')
  t.equal(ownership(placed(three(), entryOf({ subject: 'other', node: third }))).owner, first)
})

await t.test(
  'a pinned node that is down is stood in for, and that is told with a remedy',
  async t => {
    const [first, , third] = ranked()
    const placement = placed(without(third), entryOf({ node: third }))
    t.match(ownership(placement), { owner: first, why: 'placed-node-down' })
    t.same(placement.problemOf(doc), {
      code: 'FANFOLD_PLACED_NODE',
      message: `acme/match/final is placed on ${third}, which is not alive; ${first} serves it meanwhile; start it, or place it elsewhere`,
    })
    t.equal(placed(three(), entryOf({ node: third })).problemOf(doc), undefined)
  },
)

await t.test('a node that does not take the tenant is not given it by a pin', async t => {
  const [first, , third] = ranked()
  for (const overrides of [
    { tenants: { allow: ['*'], deny: ['ac*'] } },
    { roles: ['proxy'] as const },
  ]) {
    const placement = placed(changed(third, overrides), entryOf({ node: third }))
    t.match(ownership(placement), { owner: first, why: 'placed-node-refuses' })
    t.match(placement.problemOf(doc)?.message, /change its roles or tenants, or place it elsewhere/)
  }
})

await t.test('of each entry it is told whether it holds', async t => {
  const [, , third] = ranked()
  const placement = placed(changed('authority-b', { tenants: { allow: ['*'], deny: ['acme'] } }))
  const standing = (overrides: Partial<PlacementEntry>) => placement.standingOf(entryOf(overrides))
  t.equal(standing({ node: 'authority-b' }), 'placed-node-refuses')
  t.equal(standing({ subject: doc, node: 'authority-b' }), 'placed-node-refuses')
  t.equal(standing({ subject: 'other', node: 'authority-b' }), 'placement')
  t.equal(standing({ node: 'authority-z' }), 'placed-node-down')
  t.equal(standing({ node: undefined }), 'rendezvous')
  t.equal(placement.problemOfEntry(entryOf({ node: third })), undefined)
  t.equal(placement.problemOfEntry(entryOf({ node: undefined })), undefined)
  t.match(placement.problemOfEntry(entryOf({ node: 'authority-z' })), {
    code: 'FANFOLD_PLACED_NODE',
    message: /^acme is placed on authority-z, which is not alive; .*; start it, or place it else/,
  })
  const going = placed(changed(third, { isDraining: true }))
  t.equal(going.standingOf(entryOf({ node: third })), 'placed-node-draining')
  t.same(
    placement.takersOf(doc).map(({ node }) => node),
    ['authority-a', 'authority-c'],
  )
  t.equal(placed(three(), entryOf({ version: 7 })).entry('acme')?.version, 7)
})

await t.test('where a subject may not be placed is told, with where it may', async t => {
  const members = [
    memberOf({ node: 'authority-c', isDraining: true }),
    memberOf({ node: 'authority-b', tenants: { allow: ['*'], deny: ['acme'] } }),
    memberOf({ node: 'authority-a' }),
    memberOf({ node: 'edge-a', roles: ['proxy', 'edge'] }),
  ]
  const placement = placed(members)
  const take = 'these take it: authority-a'
  const troubles: Readonly<Record<string, string>> = {
    'authority-z': `no node of the fleet that is alive is authority-z; ${take}`,
    'authority-b': `authority-b does not take tenant acme, as its tenants.allow and tenants.deny say; ${take}`,
    'authority-c': `authority-c is draining; ${take}`,
    'edge-a': `edge-a is no authority but proxy, edge; ${take}`,
  }
  for (const [node, trouble] of Object.entries(troubles)) {
    t.same(placement.problemOfPlacing(doc, node), {
      code: 'FANFOLD_PLACED_NODE',
      message: `${doc} cannot be placed there: ${trouble}`,
    })
  }
  t.equal(placement.problemOfPlacing(doc, 'authority-a'), undefined)
  t.equal(placement.problemOfPlacing('other', 'authority-b'), undefined)
  const nobody = placed([memberOf({ roles: ['edge'] })])
  t.match(nobody.problemOfPlacing('acme', 'x')?.message, /no other one takes it$/)
  const twelve = Array.from({ length: 12 }, (_, index) => memberOf({ node: `a${10 + index}` }))
  t.match(placed(twelve).problemOfPlacing('acme', 'x')?.message, /a18, a19 and 2 more$/)
})

await t.test('who drains owns nothing while another can, pinned or not', async t => {
  const [first, second] = ranked()
  const draining = changed(first, { isDraining: true })
  t.match(ownership(placed(draining)), { owner: second, why: 'rendezvous' })
  const pinned = placed(draining, entryOf({ node: first }))
  t.match(ownership(pinned), { owner: second, why: 'placed-node-draining' })
  t.match(pinned.problemOf(doc)?.message, /is draining; .* serves it meanwhile; place it elsewhere/)
  const all = placed(three({ isDraining: true }))
  t.match(ownership(all), { owner: first, why: 'rendezvous' }, 'when all go, they serve until then')
  t.match(ownership(placed(three({ isDraining: true }), entryOf({ node: second }))), {
    owner: second,
    why: 'placement',
  })
})

await t.test('a migration leaves the document where it is, and says where it goes', async t => {
  const [first, second, third] = ranked()
  const entry = entryOf({ subject: doc, node: second, state: 'migrating', to: third })
  t.same(ownership(placed(three(), entry)), { owner: second, standby: third, why: 'placement' })
  const lost = placed(without(second), entry)
  t.match(ownership(lost), { owner: third, why: 'placement' }, 'the heir has the most of it')
  const astray = placed(without(third), entry)
  t.same(ownership(astray), { owner: second, standby: first, why: 'placement' })
  const none = placed([memberOf({ node: first })], entry)
  t.match(ownership(none), { owner: first, why: 'placed-node-down' })
})

await t.test('an authority takes the tenants that its lists say', async t => {
  const members = [
    memberOf({ node: 'a', tenants: { allow: ['acme-*'], deny: ['acme-secret'] } }),
    memberOf({ node: 'b', tenants: { allow: ['*'], deny: ['acme*'] } }),
  ]
  const placement = placed(members)
  const ownerOf = (key: string) => ownership(placement, parseDocumentKey(key)).owner
  t.equal(ownerOf('acme-1/match/final'), 'a')
  t.equal(ownerOf('other/match/final'), 'b')
  t.equal(ownerOf('acme-secret/match/final'), undefined)
  t.match(placement.problemOf(parseDocumentKey('acme-secret/match/final')), {
    code: 'FANFOLD_NO_AUTHORITY',
    message:
      'no authority takes acme-secret/match/final: 2 alive, none with a weight that takes tenant acme-secret; start one, or change the tenants of one',
  })
})

await t.test('a change of one tenant’s lists moves no other tenant’s documents', async t => {
  const before = placed(three())
  const after = placed(changed('authority-b', { tenants: { allow: ['*'], deny: ['acme'] } }))
  const others = docs.map((_, index) => parseDocumentKey(`other/match/${index}`))
  t.ok(others.every(other => after.ownerNameOf(other) === before.ownerNameOf(other)))
  t.ok(docs.every(doc => after.ownerNameOf(doc) !== 'authority-b'))
})

await t.test('with nobody alive there is no owner, and that is told', async t => {
  const placement = placed([], entryOf())
  t.same(ownership(placement), { owner: undefined, standby: undefined, why: 'nobody' })
  t.equal(placement.ownerNameOf(doc), undefined)
  t.match(placement.problemOf(doc)?.message, /0 alive/)
  const weightless = placed(three({ weight: 0 }))
  t.equal(ownership(weightless).why, 'nobody')
  t.equal(ownership(placed(three({ weight: 0 }), entryOf())).owner, 'authority-a', 'but by a pin')
})

await t.test('the quota of a tenant is carried along', async t => {
  const quota = { documentsMax: 10, viewersMax: undefined, bytesPerSecondMax: 1_000 }
  const placement = placed(three(), entryOf({ node: undefined, quota }))
  t.same(placement.quotaOf('acme'), quota)
  t.equal(placement.quotaOf('other'), undefined)
  t.equal(ownership(placement).why, 'rendezvous')
})

await t.test(
  'a region has one proxy for a document, and a joiner takes only what it wins',
  async t => {
    const proxy = (node: string, region = 'eu') => memberOf({ node, region, roles: ['proxy'] })
    const two = [proxy('p1'), proxy('p2'), proxy('u1', 'us'), memberOf({ node: 'a' })]
    const before = placed(two)
    const after = placed([...two, proxy('p3')])
    let taken = 0
    for (const doc of docs) {
      const [was, is] = [before, after].map(view => view.regionalProxyOf(doc, 'eu')?.node)
      if (is === 'p3') taken++
      else t.equal(is, was)
      t.equal(after.regionalProxyOf(doc, 'us')?.node, 'u1')
    }
    t.ok(Math.abs(taken - docs.length / 3) < 130, `${taken} of ${docs.length}`)
    t.equal(after.regionalProxyOf(doc, 'asia'), undefined)
  },
)

await t.test(
  'a proxy that cannot reach the owner does not pull from it while another can',
  async t => {
    const proxy = (node: string, cutOffFrom: string[] = []) =>
      memberOf({ node, roles: ['proxy'], cutOffFrom })
    const authorities = [memberOf({ node: 'a' }), memberOf({ node: 'b' })]
    const before = placed([...authorities, proxy('p1'), proxy('p2')])
    const after = placed([...authorities, proxy('p1', ['a']), proxy('p2')])
    const both = placed([...authorities, proxy('p1', ['a']), proxy('p2', ['a'])])
    for (const doc of docs) {
      const was = before.regionalProxyOf(doc, 'eu')?.node
      const isCutOff = after.ownerNameOf(doc) === 'a' && was === 'p1'
      t.equal(after.regionalProxyOf(doc, 'eu')?.node, isCutOff ? 'p2' : was)
      t.equal(both.regionalProxyOf(doc, 'eu')?.node, was, 'when none can, nothing moves')
      t.equal(before.regionalProxiesOf(doc, 'eu', 5).length, 2)
    }
  },
)

await t.test('each parent recruits in an order of its own', async t => {
  const proxies = Array.from({ length: 10 }, (_, index) =>
    memberOf({ node: `p${index}`, roles: ['proxy'] }),
  )
  const placement = placed([...proxies, memberOf({ node: 'u', roles: ['proxy'], region: 'us' })])
  const orders = proxies.map(parent => placement.recruitsFor(parent, doc, 20).map(one => one.node))
  t.equal(new Set(orders.map(order => order.join())).size, 10)
  for (const order of orders)
    t.same(
      order.toSorted(),
      proxies.map(one => one.node),
    )
  t.equal(placement.recruitsFor(proxies[0] as Member, doc, 3).length, 3)
})

await t.test('the name of the owner is the owner’s, whatever is said', async t => {
  const member = fc.record({
    node: fc.constantFrom(...nodes),
    weight: fc.nat(2),
    isDraining: fc.boolean(),
    roles: fc.subarray(['authority', 'proxy'] as const),
    tenants: fc.record({
      allow: fc.subarray(['acme', '*', 'other']),
      deny: fc.subarray(['acme', 'other']),
    }),
  })
  const entry = fc.record({
    subject: fc.constantFrom('acme', doc),
    node: fc.option(fc.constantFrom(...nodes, 'gone'), { nil: undefined }),
    to: fc.option(fc.constantFrom(...nodes, 'gone'), { nil: undefined }),
  })
  // A wish to go where it is, or from nowhere, is no entry.
  const goes = (one: { node: string | undefined; to: string | undefined }): boolean =>
    one.node !== undefined && one.to !== undefined && one.node !== one.to
  const world = fc.record({
    members: fc.uniqueArray(member, { selector: one => one.node }),
    entries: fc.uniqueArray(entry, { selector: one => one.subject }),
  })
  fc.assert(
    fc.property(world, ({ members, entries }) => {
      const placement = placed(
        members.map(one => memberOf(one)),
        ...entries.map(one =>
          entryOf(goes(one) ? { ...one, state: 'migrating' } : { ...one, to: undefined }),
        ),
      )
      const { owner, standby, why } = placement.ownerOf(doc)
      const canServe = (one: Member | undefined): boolean =>
        one === undefined ||
        (one.roles.includes('authority') &&
          one.tenants.allow.some(glob => glob === '*' || glob === 'acme') &&
          !one.tenants.deny.includes('acme'))
      return (
        placement.ownerNameOf(doc) === owner?.node &&
        (owner === undefined) === (why === 'nobody') &&
        (owner === undefined || owner.node !== standby?.node) &&
        canServe(owner) &&
        canServe(standby)
      )
    }),
    { numRuns: 5_000 },
  )
  t.pass('5,000 worlds')
})
