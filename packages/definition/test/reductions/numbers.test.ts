import t from 'tap'
import { count, histogram, max, mean, min, sum } from '../../src/reductions/library.ts'
import { folded, voice } from './voices.ts'

const largest = Number.MAX_SAFE_INTEGER

t.test('count counts to 2^53 - 1, and one more has no room', async t => {
  const reduction = count()
  t.equal(reduction.read(folded(reduction, ['a', 'b', undefined])), 3)
  const full = { count: largest }
  t.equal(reduction.fold(full, 'a', voice()), undefined)
  t.equal(reduction.merge(full, { count: 1 }), undefined)
  t.same(full, { count: largest }, 'as it was')
  t.same(reduction.merge(full, reduction.empty()), { count: largest })
})

t.test('a sum of decimals is exact', async t => {
  const cents = sum({ decimals: 2 })
  t.equal(cents.read(folded(cents, [0.1, 0.2])), 0.3)
  t.equal(cents.read(folded(cents, [10.01, -20.02])), -10.01)
  t.equal(cents.read(folded(cents, new Array(1_000).fill(0.01))), 10)
})

t.test('what cannot be added exactly is refused', async t => {
  const cents = sum({ decimals: 2 })
  for (const odd of [0.001, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined, 2 ** 50]) {
    t.throws(() => cents.fold(cents.empty(), odd as number, voice()), RangeError)
  }
  t.throws(() => sum().fold({ units: 0 }, 1.5, voice()), /at most 0 decimals, got 1.5/)
  t.equal(sum().fold({ units: largest }, 1, voice()), undefined, 'no room')
  t.equal(sum().merge({ units: -largest }, { units: -1 }), undefined)
  for (const decimals of [-1, 10, 0.5]) t.throws(() => sum({ decimals }), /decimals: an integer/)
})

t.test('min and max are those of all, and of nothing there is none', async t => {
  t.equal(min().read(folded(min(), [3, -1, 2])), -1)
  t.equal(max().read(folded(max(), [3, -1, 2])), 3)
  t.equal(max().read(max().empty()), undefined)
  t.equal(min().encode(folded(min(), [0, -0])).length, 8)
  t.same(min().encode(folded(min(), [-0])), min().encode(folded(min(), [0])), 'one zero')
  t.throws(() => min().fold(min().empty(), Number.NaN, voice()), RangeError)
})

t.test('mean and variance are those of the numbers, also far from zero', async t => {
  const near = mean().read(folded(mean(), [2, 4, 4, 4, 5, 5, 7, 9]))
  t.match(near, { count: 8, mean: 5, variance: 4 })
  const far = mean().read(folded(mean(), [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]))
  t.match(far, { mean: 1e9 + 10, variance: 22.5 })
  t.same(mean().read(mean().empty()), { count: 0, mean: undefined, variance: undefined })
  t.throws(() => mean().fold(mean().empty(), 2e15, voice()), /at most 1e15/)
  const full = { count: largest, mean: 1, squares: 0 }
  t.equal(mean().fold(full, 1, voice()), undefined)
  t.notOk(mean().isSame?.(folded(mean(), [1, 2]), folded(mean(), [1, 2.001])), 'not all is close')
})

t.test('a bucket has what is at most its bound', async t => {
  const reduction = histogram({ bounds: [0, 1, 10] })
  const read = reduction.read(folded(reduction, [-5, 0, 0.5, 1, 1.01, 10, 11, 1e9]))
  t.same(read, { bounds: [0, 1, 10], counts: [2, 2, 2, 2] })
  const full = { counts: [0, largest, 0, 0] }
  t.equal(reduction.fold(full, 1, voice()), undefined)
  t.equal(reduction.merge(full, { counts: [1, 1, 0, 0] }), undefined)
  t.same(full.counts, [0, largest, 0, 0])
  for (const bounds of [
    [],
    [1, 1],
    [2, 1],
    [Number.NaN],
    Array.from({ length: 1_001 }, (_, at) => at),
  ]) {
    t.throws(() => histogram({ bounds }), /bounds: 1 to 1000 finite numbers, rising/)
  }
})
