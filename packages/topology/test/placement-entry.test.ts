import { ProtocolError } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import {
  decodePlacement,
  encodePlacement,
  isPlacementSubject,
  nextEntry,
  type PlacementEntry,
  placementLimits,
} from '../src/placement-entry.ts'
import { entryOf } from './arbitraries.ts'

const count = fc.option(fc.maxSafeNat(), { nil: undefined })
const quota = fc.option(
  fc.record({ documentsMax: count, viewersMax: count, bytesPerSecondMax: count }),
  { nil: undefined },
)
const anyEntry: fc.Arbitrary<PlacementEntry> = fc
  .record({
    subject: fc.constantFrom('acme', 'acme/match/final'),
    version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    epoch: fc.maxSafeNat(),
    node: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
    state: fc.constantFrom('active', 'draining', 'migrating'),
    quota,
    who: fc.stringMatching(/^[ -~]{1,128}$/),
    why: fc.stringMatching(/^[ -~é]{0,512}$/),
    atMs: fc.maxSafeNat(),
  })
  .map(entry => {
    const state = entry.node === undefined ? 'active' : entry.state
    const to = state === 'migrating' ? 'c' : undefined
    const quota = entry.subject === 'acme' ? entry.quota : undefined
    return { ...entry, state, to, quota } as PlacementEntry
  })

const problemOf = (overrides: Record<string, unknown>): string => {
  const said = JSON.parse(Buffer.from(encodePlacement(entryOf())).toString())
  try {
    decodePlacement(Buffer.from(JSON.stringify({ ...said, ...overrides })))
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'FANFOLD_BAD_FRAME') return error.message
    throw error
  }
  return 'none'
}

await t.test('an entry comes back as it was kept, and fits', async t => {
  fc.assert(
    fc.property(anyEntry, entry => {
      const bytes = encodePlacement(entry)
      t.ok(bytes.length <= placementLimits.placementBytesMax.value)
      t.same(decodePlacement(bytes), entry)
    }),
  )
})

await t.test('each field that is not what it must be is named', async t => {
  const bad: Record<string, readonly unknown[]> = {
    subject: ['', 'acme/match', 'a b', 7],
    version: [0, 1.5, '1'],
    epoch: [-1],
    node: ['', null, 'a/b'],
    state: ['asleep', 'migrating'],
    to: ['authority-b', 'authority-a'],
    quota: [{ documentsMax: -1 }, 7],
    who: ['', 'a\nb', 'x'.repeat(129)],
    why: [7, 'x'.repeat(513), '\ud800'],
    atMs: [-1],
  }
  for (const [field, values] of Object.entries(bad)) {
    for (const value of values) {
      const problem = problemOf({ [field]: value })
      t.match(problem, /^a placement: (subject|version|epoch|node|state|to|quota|who|why|atMs)\b/)
    }
  }
  t.equal(problemOf({ state: 'migrating', to: 'authority-b' }), 'none')
  t.match(problemOf({ state: 'migrating', to: 'authority-a' }), /to is another node/)
  t.match(problemOf({ node: undefined, state: 'draining' }), /active without a node/)
  t.match(problemOf({ subject: 'acme/match/final', quota: {} }), /a quota is a tenant’s/)
})

await t.test(
  'each change has a version of its own, and an epoch when the node is another',
  async t => {
    const { version: _version, epoch: _epoch, ...wish } = entryOf()
    const first = nextEntry(undefined, wish)
    t.match(first, { version: 1, epoch: 1, node: 'authority-a' })
    const draining = nextEntry(first, { ...wish, state: 'draining' })
    t.match(draining, { version: 2, epoch: 1 })
    const released = nextEntry(draining, { ...wish, node: undefined })
    t.match(released, { version: 3, epoch: 2, node: undefined })
    t.match(nextEntry(released, wish), { version: 4, epoch: 3 })
    t.throws(
      () => nextEntry(first, { ...wish, subject: 'other' }),
      /its own subject, got other for acme/,
    )
  },
)

await t.test('subjects are tenants and document keys', async t => {
  for (const subject of ['acme', 'acme/match/final']) t.ok(isPlacementSubject(subject))
  for (const subject of ['', '*', 'acme/', 'acme/match']) t.notOk(isPlacementSubject(subject))
})
