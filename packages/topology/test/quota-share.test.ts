import fc from 'fast-check'
import t from 'tap'
import type { Member } from '../src/member.ts'
import { Placement } from '../src/placement.ts'
import type { PlacementEntry, TenantQuota } from '../src/placement-entry.ts'
import { quotaShare } from '../src/quota-share.ts'
import { entryOf, memberOf } from './arbitraries.ts'

const quota = { documentsMax: 100, viewersMax: 1_000, bytesPerSecondMax: 3_000 }
const authority = (node: string, overrides: Partial<Member> = {}): Member =>
  memberOf({ node, ...overrides })
const edge = (node: string, overrides: Partial<Member> = {}): Member =>
  memberOf({ node, roles: ['edge'], ...overrides })

const shareOf = (
  node: string,
  members: Member[],
  entries: PlacementEntry[] = [],
  whole: TenantQuota = quota,
) =>
  quotaShare({
    quota: whole,
    tenant: 'acme',
    node,
    placement: new Placement({ members, entries, fingerprint: '0'.repeat(64) }),
  })

t.test('documents go by weight, and viewers and bytes alike to all edges', t => {
  const members = [authority('a', { weight: 3 }), authority('b'), edge('x'), edge('y'), edge('z')]
  t.same(shareOf('a', members), {
    documentsMax: 75,
    viewersMax: 334,
    bytesPerSecondMax: 1_000,
  })
  t.match(shareOf('b', members), { documentsMax: 25 })
  t.match(shareOf('x', members), { viewersMax: 334 })
  t.end()
})

t.test(
  'who goes, or has no part in the fleet, or does not take the tenant, has no part of it',
  t => {
    const members = [
      authority('a'),
      authority('b', { tenants: { allow: ['*'], deny: ['acme'] } }),
      authority('c', { isDraining: true }),
      edge('x'),
      edge('y', { isDraining: true }),
      edge('z', { fingerprint: '1'.repeat(64) }),
    ]
    t.same(shareOf('a', members), quota)
    t.match(shareOf('x', members), { viewersMax: 1_000 })
    t.end()
  },
)

t.test('where the tenant is placed is all of its documents', t => {
  const members = [authority('a'), authority('b')]
  const placed = entryOf({ subject: 'acme', node: 'b' })
  t.match(shareOf('b', members, [placed]), { documentsMax: 100 })
  t.match(shareOf('b', members), { documentsMax: 50 })
  const away = entryOf({ subject: 'acme', node: 'gone' })
  t.match(shareOf('b', members, [away]), { documentsMax: 50 }, 'others stand in')
  t.end()
})

t.test('nothing stays nothing, and what is not bounded stays so', t => {
  const whole = { documentsMax: 0, viewersMax: undefined, bytesPerSecondMax: undefined }
  t.same(shareOf('a', [authority('a'), edge('x'), edge('y')], [], whole), whole)
  t.end()
})

t.test('all parts together are the quota, but for what is rounded up', t => {
  const weights = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(
      weights,
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 0, max: 1_000_000 }),
      (ofAuthorities, edges, max) => {
        const members = [
          ...ofAuthorities.map((weight, index) => authority(`a${index}`, { weight })),
          ...Array.from({ length: edges }, (_, index) => edge(`x${index}`)),
        ]
        const whole = { documentsMax: max, viewersMax: max, bytesPerSecondMax: max }
        const sum = (nodes: Member[], of: (share: TenantQuota) => number | undefined): number =>
          nodes.reduce((all, { node }) => all + (of(shareOf(node, members, [], whole)) ?? 0), 0)
        const documents = sum(members.slice(0, ofAuthorities.length), share => share.documentsMax)
        const viewers = sum(members.slice(ofAuthorities.length), share => share.viewersMax)
        const isKept = (total: number, nodes: number): boolean =>
          total >= max && total <= max + nodes
        return isKept(documents, ofAuthorities.length) && isKept(viewers, edges)
      },
    ),
  )
  t.end()
})
