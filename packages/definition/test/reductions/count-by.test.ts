import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { countBy } from '../../src/reductions/library.ts'
import { folded, voice } from './voices.ts'

t.test('kinds that are declared are counted exactly; others are refused', async t => {
  const reduction = countBy({ among: ['red', 'blue', 'green'] })
  const counts = reduction.read(folded(reduction, ['red', 'blue', 'red']))
  t.same(
    [...counts],
    [
      ['red', 2],
      ['blue', 1],
    ],
  )
  t.match(counts, { size: 2, total: 3, error: 0 })
  t.equal(counts.of('green'), 0)
  t.throws(
    () => reduction.fold(reduction.empty(), 'pink', voice()),
    /a kind of those that there are/,
  )
  const full = [Number.MAX_SAFE_INTEGER, 0, 0]
  t.equal(reduction.fold(full, 'red', voice()), undefined)
  t.equal(reduction.merge(full, [1, 0, 0]), undefined)
})

t.test('with room for all kinds counts are exact, and say so', async t => {
  const reduction = countBy({ top: 2 })
  const counts = reduction.read(folded(reduction, ['a', 'b', 'a']))
  t.same(
    [...counts],
    [
      ['a', 2],
      ['b', 1],
    ],
  )
  t.equal(counts.error, 0)
})

t.test('of kinds with equal counts the order is that of their names', async t => {
  const reduction = countBy()
  t.same(
    [...reduction.read(folded(reduction, ['c', 'a', 'b']))].map(([kind]) => kind),
    ['a', 'b', 'c'],
  )
})

t.test(
  'with more kinds than room no count is further off than the error, which is bounded',
  async t => {
    const prng = new Prng('frequent')
    for (const top of [1, 4, 32]) {
      const reduction = countBy({ top })
      const truth = new Map<string, number>()
      const crowds = Array.from({ length: 9 }, () =>
        Array.from({ length: 500 }, () => {
          // A few kinds are frequent, many are rare.
          const kind = `kind-${Math.floor(1 / (prng.fraction() + 0.002))}`
          truth.set(kind, (truth.get(kind) ?? 0) + 1)
          return kind
        }),
      )
      let sum = reduction.empty()
      for (const crowd of crowds) sum = reduction.merge(sum, folded(reduction, crowd)) ?? sum
      const counts = reduction.read(sum)
      t.equal(counts.total, 4_500)
      t.ok(counts.size <= top)
      t.ok(counts.error > 0 && counts.error <= 4_500 / (top + 1), `${counts.error} with ${top}`)
      for (const [kind, count] of truth) {
        const seen = counts.of(kind)
        t.ok(seen <= count && count <= seen + counts.error, `${kind}: ${count}, seen ${seen}`)
      }
    }
  },
)

t.test('what is no kind is refused, and the sum is as it was', async t => {
  const reduction = countBy({ top: 2 })
  const sum = folded(reduction, ['a'])
  const odd = [
    '',
    'x'.repeat(65),
    '€'.repeat(22),
    '\ud800',
    '__proto__',
    'constructor',
    7,
    undefined,
  ]
  for (const kind of odd) t.throws(() => reduction.fold(sum, kind as string, voice()), RangeError)
  t.same([...reduction.read(sum)], [['a', 1]])
  t.equal(sum.total, 1)
  for (const kind of ['x'.repeat(64), '€'.repeat(21)]) t.ok(reduction.fold(sum, kind, voice()))
})

t.test('what countBy is asked for is checked', async t => {
  t.throws(() => countBy({ top: 0 }), /top: an integer of 1 to 1024, got 0/)
  t.throws(() => countBy({ top: 1_025 }), /top/)
  t.throws(() => countBy({ among: [] }), /among: 1 to 1024 kinds, each once/)
  t.throws(() => countBy({ among: ['a', 'a'] }), /each once/)
  t.throws(() => countBy({ among: ['a'], top: 3 } as { top: number }), /among or top, not both/)
})
