import { ProtocolError } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import {
  decodeMember,
  encodeMember,
  isSameStanding,
  type Member,
  memberLimits,
  readMember,
} from '../src/member.ts'
import { anyMember, incarnationOf, memberOf } from './arbitraries.ts'

const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const said = (overrides: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...JSON.parse(Buffer.from(encodeMember(memberOf())).toString()),
  ...overrides,
})

const problemOf = (bytes: Uint8Array): string => {
  try {
    decodeMember(bytes)
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'FANFOLD_BAD_FRAME') return error.message
    throw error
  }
  return 'none'
}

await t.test('a member comes back as it was announced, and fits', async t => {
  fc.assert(
    fc.property(anyMember, member => {
      const bytes = encodeMember(member)
      t.ok(bytes.length <= memberLimits.memberBytesMax.value)
      t.same(decodeMember(bytes), member)
    }),
  )
})

await t.test('bytes that are told again are the member that they were', async t => {
  const bytes = encodeMember(memberOf())
  t.same(readMember(bytes), memberOf())
  t.equal(readMember(bytes), readMember(bytes))
  const other = encodeMember(memberOf({ weight: 2 }))
  t.equal(readMember(other).weight, 2)
  const none = bytesOf(said({ weight: -1 }))
  for (let count = 0; count < 2; count++) t.throws(() => readMember(none), ProtocolError)
})

await t.test('equal members are equal bytes, in whatever order they say their roles', async t => {
  const one = memberOf({ roles: ['authority', 'edge'] })
  const other = { ...memberOf(), roles: ['edge', 'authority'] as const }
  t.same(encodeMember(one), encodeMember(other))
})

await t.test('what a later version adds is not read', async t => {
  t.same(decodeMember(bytesOf(said({ mood: 'fine' }))), memberOf())
})

await t.test('each field that is not what it must be is named', async t => {
  const bad: Record<string, readonly unknown[]> = {
    node: ['', '-a', 'a b', 'a'.repeat(81), 7, null, 'a/b'],
    incarnation: ['', 'A'.repeat(32), '0'.repeat(31)],
    upMs: [-1, 1.5, 2 ** 53, '1'],
    region: ['', 'e u'],
    roles: ['authority', ['king'], Array(4).fill('edge')],
    address: ['http://a', 'ws://', 'ws://a?b', `ws://${'a'.repeat(520)}`, 'ws://a b'],
    publicAddress: ['', null],
    weight: [-1, 1_000_001, '1', null],
    load: [[], null, { documents: -1 }],
    ceiling: [-1, 256, 1.5],
    version: ['', 'a b'],
    protocol: [0, 65_536],
    fingerprint: ['', 'x'.repeat(64)],
    cutOffFrom: ['a', ['-'], Array(65).fill('a')],
    placementsHeard: [-1, 0.5, 2 ** 53, '1', null],
    isHotStandby: [1],
    isDraining: ['no', undefined],
    tenants: [
      { allow: ['a/b'], deny: [] },
      { allow: [] },
      { allow: Array(129).fill('a'), deny: [] },
    ],
  }
  for (const [field, values] of Object.entries(bad)) {
    for (const value of values) {
      const problem = problemOf(bytesOf(said({ [field]: value })))
      t.match(problem, new RegExp(`^a member: ${field}`), JSON.stringify(value))
      t.ok(problem.length < 300)
    }
  }
})

await t.test('what is no JSON object of at most 32 KiB is refused', async t => {
  t.match(problemOf(Buffer.from([0xff])), /well-formed UTF-8/)
  t.match(problemOf(Buffer.from('{')), /is JSON/)
  t.match(problemOf(Buffer.from('[]')), /a JSON object/)
  t.match(problemOf(Buffer.from('['.repeat(30_000))), /is JSON/)
  const { value: max } = memberLimits.memberBytesMax
  const base = bytesOf(said({ more: '' })).length
  t.equal(problemOf(bytesOf(said({ more: 'x'.repeat(max - base) }))), 'none')
  t.match(problemOf(bytesOf(said({ more: 'x'.repeat(max - base + 1) }))), /32768 bytes, got 32769/)
})

await t.test('a member that inherits a field has none', async t => {
  t.match(problemOf(Buffer.from('{"__proto__":{"node":"a"}}')), /load|node/)
})

type Standing = Omit<Member, 'upMs' | 'load' | 'placementsHeard'>

await t.test(
  'time, load and hearing do not change where a member stands, all else does',
  async t => {
    const member = memberOf()
    const load = { ...member.load, viewers: 9 }
    t.ok(isSameStanding(member, { ...member, upMs: 5, load, placementsHeard: 7 }))
    const others: { readonly [Field in keyof Standing]: Member[Field] } = {
      node: 'b',
      incarnation: incarnationOf(2),
      region: 'us',
      roles: ['authority', 'edge'],
      address: 'ws://b',
      publicAddress: 'wss://b',
      weight: 2,
      ceiling: 0,
      version: '0.2.0',
      protocol: 2,
      fingerprint: '1'.repeat(64),
      isHotStandby: true,
      isDraining: true,
      tenants: { allow: ['*'], deny: ['acme'] },
      cutOffFrom: ['c'],
    }
    for (const [field, value] of Object.entries(others)) {
      t.notOk(isSameStanding(member, { ...member, [field]: value }), field)
    }
    t.notOk(isSameStanding(member, { ...member, tenants: { allow: ['acme'], deny: [] } }))
  },
)
