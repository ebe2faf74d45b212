import { parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { DocumentRoutes } from '../src/document-routes.ts'
import type { Member, NodeRole } from '../src/member.ts'
import { Placement } from '../src/placement.ts'
import { memberOf } from './arbitraries.ts'

const doc = parseDocumentKey('acme/match/final')

/** Two authorities far away, and a region of four proxies. */
const proxies = ['p1', 'p2', 'p3', 'p4'].map(node =>
  memberOf({ node, region: 'eu', roles: ['proxy'] }),
)
const members: readonly Member[] = [
  memberOf({ node: 'a1', region: 'us' }),
  memberOf({ node: 'a2', region: 'us' }),
  ...proxies,
  memberOf({ node: 'elsewhere', region: 'us', roles: ['proxy'] }),
]
const placement = new Placement({ members })
const owner = placement.ownerNameOf(doc) ?? ''
const ranks = placement.regionalProxiesOf(doc, 'eu', 4).map(({ node }) => node)

const routeOf = (self: Partial<Member>, role: 'proxy' | 'edge', at = placement) => {
  const routes = new DocumentRoutes(memberOf(self), role)
  routes.placed(at)
  return routes.routeOf(doc)
}
const edge = { node: 'e1', region: 'eu', roles: ['edge'] } as const

t.test(
  'an edge asks the proxies of its region by rank, and the owner when none is there',
  async t => {
    t.same(routeOf(edge, 'edge'), [...ranks.slice(0, 3), owner])
    t.same(routeOf({ ...edge, region: 'asia' }, 'edge'), [owner])
  },
)

t.test('the first proxy asks the owner, the others those before them', async t => {
  const routes = ranks.map(node => routeOf({ node, region: 'eu', roles: ['proxy'] }, 'proxy'))
  t.same(routes, [
    [owner],
    [ranks[0], owner],
    [ranks[0], ranks[1], owner],
    [ranks[0], ranks[1], ranks[2], owner],
  ])
})

t.test('what a node has itself it asks of nobody else', async t => {
  t.same(routeOf({ ...edge, roles: ['proxy', 'edge'] }, 'edge'), ['e1'], 'its proxy')
  const roles: NodeRole[] = ['authority', 'proxy']
  t.same(routeOf({ node: owner, region: 'us', roles }, 'proxy'), [owner], 'its authority')
})

t.test(
  'without a placement there is no route, without an authority there is nobody above',
  async t => {
    const routes = new DocumentRoutes(memberOf(edge), 'edge')
    t.same(routes.routeOf(doc), [])
    routes.placed(new Placement({ members: proxies }))
    t.same(routes.routeOf(doc), ranks.slice(0, 3))
    routes.placed(placement)
    t.same(routes.routeOf(doc), [...ranks.slice(0, 3), owner], 'what was known is computed anew')
  },
)

t.test('an owner that is a proxy of the region too is asked once', async t => {
  const all = new Placement({
    members: proxies.map(member => ({ ...member, roles: ['authority', 'proxy'] as const })),
  })
  const route = routeOf(edge, 'edge', all)
  t.equal(new Set(route).size, route.length)
  t.ok(route.includes(all.ownerNameOf(doc) ?? ''))
})

t.test('whichever of its nodes each one asks, every way ends at the owner', async t => {
  const node = fc.record({
    region: fc.constantFrom('eu', 'us'),
    roles: fc.constantFrom<readonly NodeRole[]>(
      ['authority'],
      ['proxy'],
      ['edge'],
      ['authority', 'proxy'],
      ['proxy', 'edge'],
      ['authority', 'proxy', 'edge'],
      ['authority', 'edge'],
    ),
    weight: fc.constantFrom(0, 1, 5),
    isDraining: fc.boolean(),
  })
  const property = fc.property(
    fc.array(node, { minLength: 1, maxLength: 12 }),
    fc.infiniteStream(fc.nat()),
    (drawn, choices) => {
      const members = drawn.map((one, index) => memberOf({ ...one, node: `n${index}` }))
      const placement = new Placement({ members })
      const owner = placement.ownerNameOf(doc)
      const routeAt = (member: Member, role: 'proxy' | 'edge'): readonly string[] => {
        const routes = new DocumentRoutes(member, role)
        routes.placed(placement)
        return routes.routeOf(doc)
      }
      return members.every(start => {
        let at = start
        let role: 'proxy' | 'edge' | undefined = start.roles.includes('edge') ? 'edge' : 'proxy'
        if (!start.roles.includes(role)) return true
        for (let step = 0; step <= 2 * members.length; step++) {
          const route = routeAt(at, role)
          const next = route[(choices.next().value ?? 0) % Math.max(1, route.length)]
          if (next === undefined) return owner === undefined
          const isOwn = next === at.node
          at = members.find(member => member.node === next) ?? start
          // Links go to a node's proxy where it has one; what is its own is asked one role higher.
          if (!at.roles.includes('proxy') || (isOwn && role === 'proxy')) return next === owner
          role = 'proxy'
        }
        return false
      })
    },
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
})
