import t from 'tap'
import { judge, parseAssertion } from '../../src/bench/assertion.ts'
import { type BenchMetrics, metricNames } from '../../src/bench/bench-metrics.ts'
import { benchSummary, benchText, notesOf } from '../../src/bench/bench-report.ts'
import type { BenchFindings } from '../../src/bench/bench-run.ts'

const zeros = Object.fromEntries(metricNames.map(name => [name, 0])) as BenchMetrics
const found: Partial<BenchMetrics> = {
  viewers: 2,
  connected: 2,
  deliveries: 10,
  writes: 5,
  p99: 12.345,
}

const findings = (
  metrics: Partial<BenchMetrics> = {},
  over: Partial<BenchFindings> = {},
): BenchFindings => ({
  metrics: { ...zeros, ...found, ...metrics },
  latencyFrom: 'write',
  isInterrupted: false,
  isCompared: true,
  unseen: 0,
  failures: {},
  violationTexts: [],
  ...over,
})

await t.test('every metric is in the result for programs, by its name', async t => {
  const summary = benchSummary(findings(), { doc: 'a/b/c', judged: [] })
  for (const name of metricNames) t.ok(name in summary, name)
  t.match(summary, { doc: 'a/b/c', p99: 12.345, latencyFrom: 'write', notes: [], assertions: [] })
})

await t.test('the table leaves out what did not happen, and says what failed', async t => {
  const text = benchText(findings(), [])
  t.match(text, /^connected +2$/m)
  t.match(text, /^latency +p50 +p90 +p99 +p999 +max$/m)
  t.match(text, /^write to viewer +0 ms +0 ms +12\.3 ms +0 ms +0 ms$/m)
  t.match(text, /^violations +0$/m)
  t.notMatch(text, /^(reconnects|tooSlow|failed) /m)
  const bad = findings(
    { reconnects: 3, violations: 1 },
    { failures: { FANFOLD_FORBIDDEN: 2 }, violationTexts: ['gap: x'] },
  )
  t.match(benchText(bad, []), /^reconnects +3$/m)
  t.match(benchText(bad, []), /^failed: 2 by FANFOLD_FORBIDDEN\nVIOLATION gap: x$/m)
})

await t.test('latencies that count from the commit have no other row', async t => {
  const text = benchText(findings({}, { latencyFrom: 'commit' }), [])
  t.match(text, /^commit to viewer +0 ms +0 ms +0 ms$/m)
  t.notMatch(text, /write to viewer/)
})

await t.test('a result without a latency has no table of them', async t => {
  const none = Object.fromEntries(metricNames.map(name => [name, undefined])) as BenchMetrics
  t.notMatch(benchText(findings(none), []), /latency +p50/)
})

await t.test('assertions are told with what was expected and seen', async t => {
  const lines = ['p99<150ms', 'p99<1ms'].map(text => {
    const assertion = parseAssertion(text)
    return { assertion, result: judge(assertion, findings().metrics) }
  })
  t.match(
    benchText(findings(), lines),
    /\nok p99<150ms \(12\.3 ms\)\nFAILED expected p99<1ms, saw 12\.3 ms$/,
  )
})

await t.test('a swarm that is busy is told to be measuring itself', async t => {
  t.same(notesOf(findings({ swarmBusy: 80 })), [])
  t.match(
    notesOf(findings({ swarmBusy: 81 }))[0],
    /busy 81 % .* of the swarm rather than of the server/,
  )
})

await t.test('latencies that are waits in the swarm are told to be that', async t => {
  t.same(notesOf(findings({ p99: 10, swarmWaitP99: 5 })), [])
  t.match(
    notesOf(findings({ p99: 10, swarmWaitP99: 5.1 }))[0],
    /waited for the process of their viewers/,
  )
})

await t.test('what a result lacks is told', async t => {
  t.match(notesOf(findings({ connected: 1 }))[0], /1 viewers were never shown/)
  t.match(notesOf(findings({ deliveries: 0, writes: 0 }))[0], /nothing was delivered/)
  const none = { deliveries: 0, writes: 0, writesFailed: 3 }
  t.same(notesOf(findings(none)), ['no write was committed'])
  t.match(notesOf(findings({ writesJoined: 2 }))[0], /^2 of 5 writes reached viewers in one delta/)
  t.match(notesOf(findings({}, { latencyFrom: 'commit' }))[0], /count from the commit/)
  t.match(notesOf(findings({}, { unseen: 3 }))[0], /no viewer was shown the last 3 records/)
  t.match(notesOf(findings({}, { isCompared: false }))[0], /not every replica/)
  t.match(notesOf(findings({}, { isInterrupted: true }))[0], /ended by a signal/)
})
