import { Prng } from '@fanfold/kernel'
import t from 'tap'
import { distinct, quantiles } from '../../src/reductions/library.ts'
import { folded, voice } from './voices.ts'

t.test('every quantile is within the accuracy', async t => {
  const prng = new Prng('quantiles')
  for (const accuracy of [0.001, 0.01, 0.1]) {
    const reduction = quantiles({ accuracy, bins: 4_096 })
    for (const draw of [
      () => 1 + prng.fraction() * 1_000,
      () => Math.exp(prng.fraction() * 7),
      () => (prng.chance(0.5) ? 1 : -1) * (0.01 + prng.fraction() * 20),
    ]) {
      const numbers = Array.from({ length: 2_000 }, draw)
      const read = reduction.read(folded(reduction, numbers))
      const sorted = numbers.toSorted((a, b) => a - b)
      t.equal(read.count, 2_000)
      for (const q of [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1]) {
        const truth = sorted[Math.floor(q * 1_999)] as number
        const seen = read.at(q) ?? Number.NaN
        // A hair more: the edge of a bin is computed, too.
        const off = Math.abs(seen - truth) / Math.abs(truth)
        t.ok(off <= accuracy + 1e-9, `${q}: ${truth}, seen ${seen}`)
      }
    }
  }
})

t.test('with too few bins the smallest are one, and those above are as they were', async t => {
  const few = quantiles({ bins: 64 })
  const numbers = Array.from({ length: 1_000 }, (_, at) => 1.01 ** at)
  const read = few.read(folded(few, numbers))
  t.equal(read.count, 1_000)
  const median = numbers[500] as number
  t.ok((read.at(0.5) ?? 0) > median * 1.02, 'too small for it')
  const high = numbers[989] as number
  t.ok(Math.abs((read.at(0.99) ?? 0) / high - 1) <= 0.01 + 1e-9)
  t.ok(few.encode(folded(few, numbers)).length <= few.bytesMax)
})

t.test('of nothing there is no quantile; zeros are zeros', async t => {
  const reduction = quantiles()
  t.equal(reduction.read(reduction.empty()).at(0.5), undefined)
  const read = reduction.read(folded(reduction, [0, -0, 0, -5, 5]))
  t.equal(read.at(0.5), 0)
  t.throws(() => read.at(1.1), /a share of 0 to 1, got 1.1/)
  t.throws(() => reduction.fold(reduction.empty(), Number.NaN, voice()), RangeError)
  t.throws(() => quantiles({ accuracy: 0.2 }), /accuracy: 0.001 to 0.1/)
  t.throws(() => quantiles({ bins: 63 }), /bins: an integer of 64 to 4096/)
  const full = { below: new Map(), above: new Map(), zero: 0, total: Number.MAX_SAFE_INTEGER }
  t.equal(reduction.fold(full, 1, voice()), undefined)
})

t.test('the smallest and the largest numbers have their bins', async t => {
  const reduction = quantiles({ accuracy: 0.001 })
  for (const number of [Number.MAX_VALUE, Number.MIN_VALUE, -Number.MAX_VALUE, -Number.MIN_VALUE]) {
    const sum = reduction.decode(reduction.encode(folded(reduction, [number])))
    const seen = reduction.read(sum).at(0) ?? 0
    const isThere = Number.isFinite(seen)
      ? Math.abs(seen - number) <= Math.abs(number) * 0.01
      : false
    t.ok(isThere || Math.abs(number) < 1e-300 || Math.abs(number) > 1e300, `${number}: ${seen}`)
  }
})

t.test('as many different ones as there are, within three times the standard error', async t => {
  for (const precision of [4, 8, 12, 14]) {
    const reduction = distinct({ precision })
    const error = 1.04 / Math.sqrt(2 ** precision)
    for (const count of [1, 10, 1_000, 20_000, 100_000]) {
      const names = Array.from({ length: count }, (_, at) => `viewer-${precision}-${at}`)
      const sum = folded(reduction, names)
      const seen = reduction.read(sum)
      const off = Math.abs(seen / count - 1)
      t.ok(off <= 3 * error || Math.abs(seen - count) <= 1, `${count}: ${seen}`)
      t.same(folded(reduction, [...names, ...names]), sum, 'said twice it counts once')
    }
  }
})

t.test('none are none, and half of two crowds may be the same', async t => {
  const reduction = distinct()
  t.equal(reduction.read(reduction.empty()), 0)
  const names = Array.from({ length: 3_000 }, (_, at) => `n${at}`)
  const one = folded(reduction, names.slice(0, 2_000))
  const other = folded(reduction, names.slice(1_000))
  const both = reduction.merge(one, other) ?? one
  t.ok(Math.abs(reduction.read(both) / 3_000 - 1) < 0.05)
  t.throws(() => reduction.fold(reduction.empty(), '', voice()), RangeError)
  t.throws(() => distinct({ precision: 3 }), /precision: an integer of 4 to 16/)
})

t.test('few registers are written as few', async t => {
  const reduction = distinct()
  t.equal(reduction.encode(folded(reduction, ['a'])).length, 4)
  const many = folded(
    reduction,
    Array.from({ length: 9_000 }, (_, at) => `${at}`),
  )
  t.equal(reduction.encode(many).length, reduction.bytesMax)
})
