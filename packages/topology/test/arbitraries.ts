import fc from 'fast-check'
import { allTenants, type Member, nodeRoles } from '../src/member.ts'
import type { PlacementEntry } from '../src/placement-entry.ts'

/** The incarnation of a number. */
export const incarnationOf = (number: number): string => number.toString(16).padStart(32, '0')

/** A member as tests want it. */
export const memberOf = (overrides: Partial<Member> = {}): Member => {
  const node = overrides.node ?? 'authority-a'
  return {
    node,
    incarnation: incarnationOf(1),
    upMs: 1_000,
    region: 'eu',
    roles: ['authority'],
    address: `ws://${node}:9600`,
    publicAddress: undefined,
    weight: 1,
    load: { documents: 0, viewers: 0, children: 0, bytesPerSecond: 0 },
    ceiling: 255,
    version: '0.1.0',
    protocol: 1,
    fingerprint: '0'.repeat(64),
    isHotStandby: false,
    isDraining: false,
    tenants: allTenants,
    cutOffFrom: [],
    placementsHeard: undefined,
    ...overrides,
  }
}

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.~-]{0,79}$/)
const globs = fc.array(fc.stringMatching(/^[A-Za-z0-9_.~*-]{1,80}$/), { maxLength: 128 })
const count = fc.maxSafeNat()

/** Any member that may be announced. */
export const anyMember: fc.Arbitrary<Member> = fc.record({
  node: name,
  incarnation: fc.stringMatching(/^[0-9a-f]{32}$/),
  upMs: count,
  region: name,
  roles: fc.subarray([...nodeRoles]),
  address: fc.constantFrom(
    'ws://10.0.0.1:9600',
    'wss://a.example.com',
    'wss://a.example.com/edge/2',
  ),
  publicAddress: fc.option(fc.constant('wss://edge.example.com'), { nil: undefined }),
  weight: fc.oneof(fc.nat(1_000_000), fc.constantFrom(0.5, 0)),
  load: fc.record({ documents: count, viewers: count, children: count, bytesPerSecond: count }),
  ceiling: fc.nat(255),
  version: fc.stringMatching(/^[\x21-\x7e]{1,40}$/),
  protocol: fc.integer({ min: 1, max: 65_535 }),
  fingerprint: fc.stringMatching(/^[0-9a-f]{64}$/),
  isHotStandby: fc.boolean(),
  isDraining: fc.boolean(),
  tenants: fc.record({ allow: globs, deny: globs }),
  cutOffFrom: fc.array(name, { maxLength: 64 }),
  placementsHeard: fc.option(count, { nil: undefined }),
})

/** A placement as tests want it. */
export const entryOf = (overrides: Partial<PlacementEntry> = {}): PlacementEntry => ({
  subject: 'acme',
  version: 1,
  epoch: 1,
  node: 'authority-a',
  state: 'active',
  to: undefined,
  quota: undefined,
  who: 'operator',
  why: 'test',
  atMs: 0,
  ...overrides,
})
