import t from 'tap'
import { failureText, judge, parseAssertion } from '../../src/bench/assertion.ts'
import { type BenchMetrics, metricNames } from '../../src/bench/bench-metrics.ts'

/** Metrics that are all 0, but for these. */
const metrics = (over: Partial<BenchMetrics>): BenchMetrics => ({
  ...(Object.fromEntries(metricNames.map(name => [name, 0])) as BenchMetrics),
  ...over,
})

await t.test('an assertion is a metric, a comparison and a value in a unit', async t => {
  const cases = [
    ['p99<150ms', 'p99', '<', 150],
    ['p99 <= 1.1s', 'p99', '<=', 1_100],
    ['max<250us', 'max', '<', 0.25],
    ['missing=0', 'missing', '=', 0],
    ['deliveriesPerSecond>=10000/s', 'deliveriesPerSecond', '>=', 10_000],
    ['bytesPerDelivery<2KiB', 'bytesPerDelivery', '<', 2_048],
    ['swarmBusy<80%', 'swarmBusy', '<', 80],
    ['seconds>1m', 'seconds', '>', 60],
    ['p50<3', 'p50', '<', 3],
  ] as const
  for (const [text, metric, comparison, bound] of cases) {
    t.same(parseAssertion(text), { text, metric, comparison, bound })
  }
})

await t.test('one that cannot be read is a usage error that lists the metrics', async t => {
  const wrong = [
    'p98<1ms',
    'p99',
    'p99<',
    'p99<fast',
    'p99!=1',
    'missing=0ms',
    'p99<1kB',
    '__proto__=0',
    '',
  ]
  for (const text of wrong) {
    t.throws(
      () => parseAssertion(text),
      { code: 'FANFOLD_USAGE', message: /metrics: .*p50.*swarmBusy/ },
      text,
    )
  }
})

await t.test(
  'each comparison holds on its side of the bound, and at it where it says so',
  async t => {
    const table = [
      ['<', [true, false, false]],
      ['<=', [true, true, false]],
      ['>', [false, false, true]],
      ['>=', [false, true, true]],
      ['=', [false, true, false]],
    ] as const
    for (const [comparison, expected] of table) {
      const assertion = parseAssertion(`p99${comparison}10ms`)
      const seen = [9.9, 10, 10.1].map(p99 => judge(assertion, metrics({ p99 })).ok)
      t.same(seen, expected, comparison)
    }
  },
)

await t.test('what was not measured holds for nothing', async t => {
  const assertion = parseAssertion('p99<10ms')
  const result = judge(assertion, metrics({ p99: undefined }))
  t.same(result, { assertion: 'p99<10ms', seen: undefined, ok: false })
  t.equal(failureText(assertion, result), 'expected p99<10ms, saw none')
})

await t.test('a failure says what was expected and what was seen', async t => {
  const assertion = parseAssertion('p99<150ms')
  const result = judge(assertion, metrics({ p99: 212.4 }))
  t.equal(failureText(assertion, result), 'expected p99<150ms, saw 212.4 ms')
})
