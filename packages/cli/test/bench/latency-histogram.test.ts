import fc from 'fast-check'
import t from 'tap'
import { LatencyHistogram } from '../../src/bench/latency-histogram.ts'

const histogramOf = (values: readonly number[]): LatencyHistogram => {
  const histogram = new LatencyHistogram()
  for (const ms of values) histogram.add(ms)
  return histogram
}

/** What a sorted list says. */
const exactQuantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1] ?? 0

const durations = fc.array(fc.double({ min: 0, max: 1e8, noNaN: true }), { minLength: 1 })
const shares = fc.constantFrom(0.5, 0.9, 0.99, 0.999, 1)

await t.test('a quantile is off by half a percent at most, or by half a microsecond', async t => {
  fc.assert(
    fc.property(durations, shares, (values, share) => {
      const exact = exactQuantile(values, share)
      const found = histogramOf(values).quantileMs(share) ?? Number.NaN
      return Math.abs(found - exact) <= Math.max(0.000_51, exact * 0.005)
    }),
    { numRuns: 500 },
  )
  t.pass()
})

await t.test('histograms that are merged are the histogram of all', async t => {
  fc.assert(
    fc.property(durations, durations, (some, others) => {
      const { parts } = LatencyHistogram.merge([histogramOf(some).parts, histogramOf(others).parts])
      t.same(parts, histogramOf([...some, ...others]).parts)
    }),
    { numRuns: 50 },
  )
})

await t.test('an empty histogram has no quantile', async t => {
  t.equal(new LatencyHistogram().quantileMs(0.5), undefined)
  t.equal(LatencyHistogram.merge([]).count, 0)
})

await t.test('a duration below 0 is 0, and one beyond all bounds keeps its maximum', async t => {
  t.equal(histogramOf([-3]).quantileMs(1), 0)
  const days = 86_400_000 * 10
  const histogram = histogramOf([days])
  t.equal(histogram.maxMs, days)
  t.ok((histogram.quantileMs(1) ?? 0) > 86_400_000)
})
