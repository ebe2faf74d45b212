import t from 'tap'
import { histogramOf, histogramWords } from '../src/histogram.ts'

t.test('shares are of the times themselves, counts of bounds', async t => {
  const histogram = histogramOf(
    'silence, ms',
    Array.from({ length: 100 }, (_, index) => 1_000 - index * 10),
  )
  t.match(histogram, { count: 100, p50: 500, p90: 900, p99: 990, most: 1_000 })
  t.equal(
    histogram.counts.reduce((sum, [, count]) => sum + count, 0),
    100,
  )
  t.same(histogram.counts[0], [50, 5])
  t.match(
    histogramWords(histogram),
    /^silence, ms: 100 times, median 500, .* most 1,000 \(≤ 50: 5,/,
  )
})

t.test('what is above all bounds is counted, and nothing is nothing', async t => {
  t.match(histogramWords(histogramOf('x', [60_000])), /\(more: 1\)$/)
  t.match(histogramOf('x', []), { count: 0, p99: 0, most: 0, counts: [] })
})
