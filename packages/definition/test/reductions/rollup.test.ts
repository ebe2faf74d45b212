import fc from 'fast-check'
import t from 'tap'
import { countBy, type Rollup, rollup } from '../../src/reductions/library.ts'
import { folded } from './voices.ts'

type Said = { readonly counts: readonly (readonly [string, number])[]; readonly timeMs: number }

/** The rollup of what was said. */
function rolledUp(all: readonly Said[]): Rollup {
  const held = rollup.empty()
  for (const { counts, timeMs } of all) rollup.add(held, counts, timeMs)
  return held
}

const hourMs = 3_600_000

/** What a crowd says in some hours, at times that are often near each other, in any order. */
const crowd = fc.array(
  fc.record({
    counts: fc.array(
      fc.tuple(fc.constantFrom('pass', 'fail', 'toString'), fc.integer({ min: -3, max: 9 })),
      { maxLength: 4 },
    ),
    timeMs: fc.oneof(
      fc.integer({ min: 0, max: 3 * hourMs }),
      fc.integer({ min: hourMs, max: hourMs + 120_000 }),
    ),
  }),
  { maxLength: 40 },
)

t.test('rollups of two crowds, merged, are the rollup of both', async t => {
  const property = fc.property(crowd, crowd, (one, other) => {
    const [a, b] = [rolledUp(one), rolledUp(other)]
    const before = JSON.stringify([a, b])
    const both = rolledUp([...one, ...other])
    t.same(rollup.merge(a, b), both)
    t.same(rollup.merge(b, a), both)
    t.equal(JSON.stringify([a, b]), before, 'neither is changed')
  })
  fc.assert(property, { seed: 20_260, numRuns: 300 })
})

t.test('a rollup does not depend on the order of what was said', async t => {
  const property = fc.property(
    crowd.chain(all =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    ),
    ([one, other]) => t.same(rolledUp(one), rolledUp(other)),
  )
  fc.assert(property, { seed: 20_260, numRuns: 300 })
})

t.test('a window holds what was said in it, to a twelfth', async t => {
  const property = fc.property(crowd, all => {
    const held = rolledUp(all)
    const spoken = all.filter(({ counts }) => counts.some(([, count]) => count !== 0))
    const newest = Math.max(0, ...spoken.map(({ timeMs }) => timeMs))
    for (const [window, ms] of [
      ['minute', 60_000],
      ['hour', hourMs],
    ] as const) {
      const bucketMs = ms / 12
      const from = (Math.floor(newest / bucketMs) - 11) * bucketMs
      t.ok(newest - from >= (ms * 11) / 12 && newest - from < ms)
      const within = spoken.filter(({ timeMs }) => timeMs >= from)
      const total = within.flatMap(({ counts }) => counts).reduce((sum, [, n]) => sum + n, 0)
      t.equal(rollup.read(held, window).total, total)
    }
    const total = all.flatMap(({ counts }) => counts).reduce((sum, [, n]) => sum + n, 0)
    t.equal(rollup.read(held, 'all').total, total)
  })
  fc.assert(property, { seed: 20_260, numRuns: 100 })
})

t.test('what a window holds ends with its time, and is dropped when more comes', async t => {
  const held = rollup.empty()
  rollup.add(held, [['pass', 3]], 1_000)
  t.equal(rollup.read(held, 'minute', 59_999).of('pass'), 3)
  t.equal(rollup.read(held, 'minute', 60_000).of('pass'), 0)
  t.equal(
    rollup.read(held, 'minute').of('pass'),
    3,
    'without a clock it ends with what was said last',
  )
  rollup.add(held, [['pass', 2]], 60_000)
  t.same(held, { minute: { 12: { pass: 2 } }, hour: { 0: { pass: 5 } }, all: { pass: 5 } })
  rollup.add(held, [['fail', 1]], 2_000)
  t.same(Object.keys(held.minute), ['12'], 'what comes too late for a window is not in it')
  t.equal(rollup.read(held, 'hour').of('fail'), 1)
  t.equal(rollup.read(held, 'minute', 0).of('pass'), 2, 'by a clock that is slow it is there')
})

t.test('at most twelve buckets are kept, however long it goes on', async t => {
  const held = rollup.empty()
  for (let at = 0; at < 1_000; at++) rollup.add(held, [['look', 1]], at * 60_001)
  t.equal(Object.keys(held.minute).length, 1)
  t.equal(Object.keys(held.hour).length, 12)
  t.same(held.all, { look: 1_000 })
  for (let at = 0; at < 100; at++) rollup.add(held, [['look', 1]], 1_000 * 60_001 + at * 5_000)
  t.equal(Object.keys(held.minute).length, 12)
})

t.test('what a reducer counts goes in as it comes, and comes out alike', async t => {
  const reduction = countBy({ top: 8 })
  const sum = folded(reduction, ['b', 'a', 'b', 'toString', 'b', 'a'])
  const held = rollup.empty()
  rollup.add(held, reduction.read(sum), 5)
  t.same(
    [...rollup.read(held, 'hour')],
    [
      ['b', 3],
      ['a', 2],
      ['toString', 1],
    ],
  )
  t.equal(rollup.read(held, 'all').total, 6)
})

t.test('what is nothing leaves nothing behind, and what is no number is refused', async t => {
  const held = rollup.empty()
  rollup.add(held, [], 5)
  rollup.add(held, [['a', 0]], 5)
  t.same(held, rollup.empty())
  t.throws(() => rollup.add(held, [['a', Number.NaN]], 5), RangeError)
  t.throws(() => rollup.add(held, [['a', 1]], Number.NaN), RangeError)
  t.same(held, rollup.empty())
})
