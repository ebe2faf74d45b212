import type { Instant } from '@fanfold/kernel'
import fc from 'fast-check'
import t from 'tap'
import { beginningMs, fleetFingerprint, type SettledMember } from '../src/fleet-fingerprint.ts'

const startedAtMs = (fingerprint: string, ms: number): SettledMember => ({
  fingerprint,
  startedAt: (ms * 1_000) as Instant,
})

await t.test('a fleet is set as its eldest member is, however many came later', async t => {
  const later = Array.from({ length: 9 }, () => startedAtMs('new', beginningMs + 1))
  t.equal(fleetFingerprint([...later, startedAtMs('old', 0)]), 'old')
  t.equal(fleetFingerprint([startedAtMs('only', 5)]), 'only')
  t.equal(fleetFingerprint([]), undefined)
})

await t.test('of those that began the fleet together most decide, else the order', async t => {
  const [a, b] = [startedAtMs('a', 0), startedAtMs('b', beginningMs)]
  t.equal(fleetFingerprint([a, b, startedAtMs('b', 1)]), 'b')
  t.equal(fleetFingerprint([b, a]), 'a')
  t.equal(fleetFingerprint([a, startedAtMs('b', beginningMs + 1), startedAtMs('b', 99_999)]), 'a')
})

await t.test('those that hear of the same starts a little apart say the same', async t => {
  const start = fc.record({
    fingerprint: fc.constantFrom('a', 'b', 'c'),
    ms: fc.nat(beginningMs / 2),
  })
  const late = fc.record({
    fingerprint: fc.constantFrom('a', 'b', 'c'),
    ms: fc.integer({ min: 2 * beginningMs, max: 10 * beginningMs }),
  })
  const world = fc.record({
    starts: fc.array(start, { minLength: 1, maxLength: 8 }),
    lates: fc.array(late, { maxLength: 8 }),
    heard: fc.array(fc.nat(500), { minLength: 16, maxLength: 16 }),
  })
  fc.assert(
    fc.property(world, ({ starts, lates, heard }) => {
      const all = [...starts, ...lates]
      const seenBy = (late: readonly number[]): string | undefined =>
        fleetFingerprint(
          all.map(({ fingerprint, ms }, at) => startedAtMs(fingerprint, ms + (late[at] ?? 0))),
        )
      const reversed = fleetFingerprint(
        all.map(({ fingerprint, ms }) => startedAtMs(fingerprint, ms)).toReversed(),
      )
      return seenBy(heard) === seenBy([]) && reversed === seenBy([])
    }),
    { numRuns: 2_000 },
  )
  t.pass('2,000 fleets')
})
