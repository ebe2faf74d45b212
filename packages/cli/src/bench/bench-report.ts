/* The result of a load test, for people and for programs. */
import { alignColumns } from '../output.ts'
import { type Assertion, failureText, type JudgedAssertion } from './assertion.ts'
import { type MetricName, metricNames, metricText } from './bench-metrics.ts'
import type { BenchFindings } from './bench-run.ts'

/** From here on figures are more of the swarm than of the server, %. */
const busyMax = 80

/** From here on so are latencies that are for this part a wait in the process of the viewer. */
const waitPartMax = 0.5

/** Metrics that are told only when there is something to tell. */
const quietNames: ReadonlySet<MetricName> = new Set([
  'failed',
  'stale',
  'away',
  'reconnects',
  'turnedAway',
  'tooSlow',
  'lags',
  'writesFailed',
  'writesJoined',
])

/** What is said of a run beside its figures. */
export function notesOf({
  metrics,
  latencyFrom,
  isCompared,
  unseen,
  isInterrupted,
}: BenchFindings): string[] {
  const { swarmBusy = 0, writes = 0, connected = 0, viewers = 0, deliveries = 0 } = metrics
  const notes: string[] = []
  if (isInterrupted) notes.push('ended by a signal: the figures are of the time until then')
  if (swarmBusy > busyMax) {
    notes.push(
      `a process of the load test was busy ${swarmBusy} % of the time: the latencies are of the swarm rather than of the server; use more --processes, or another machine`,
    )
  }
  const { swarmWaitP99 = 0, p99 = 0, writesJoined = 0, writesFailed = 0 } = metrics
  if (swarmWaitP99 > waitPartMax * p99) {
    notes.push(
      'deltas waited for the process of their viewers rather than for the server: use more --processes, or another machine',
    )
  }
  if (connected < viewers)
    notes.push(`${viewers - connected} viewers were never shown the document`)
  if (writes > 0 && latencyFrom === 'commit' && deliveries > 0) {
    notes.push(
      'latencies count from the commit: the view has numbers of its own, which do not tell whose a delta is',
    )
  }
  if (writesJoined > 0 && deliveries > 0) {
    notes.push(
      `${writesJoined} of ${writes} writes reached viewers in one delta with a later one, or not at all as they may not see them: their latency counts until that delta`,
    )
  }
  if (writes === 0 && writesFailed > 0) notes.push('no write was committed')
  else if (deliveries === 0) {
    notes.push(
      'nothing was delivered: give a --message that changes what viewers see, or have others write',
    )
  }
  if (unseen > 0) {
    notes.push(
      `no viewer was shown the last ${unseen} records, which count as missing: viewers may not see them, or their edges are behind`,
    )
  }
  if (!isCompared) notes.push('not every replica could be held against another one')
  return notes
}

/** The result, for programs: the metrics by their names, and what else there is to say. */
export function benchSummary(
  findings: BenchFindings,
  context: { readonly doc: string; readonly judged: readonly JudgedAssertion[] },
): Readonly<Record<string, unknown>> {
  const { metrics, latencyFrom, failures, violationTexts, isInterrupted, isCompared } = findings
  return {
    doc: context.doc,
    ...metrics,
    latencyFrom,
    failures,
    violationTexts,
    isCompared,
    isInterrupted,
    notes: notesOf(findings),
    assertions: context.judged,
  }
}

/** The latencies of the table: a row for each way that they count, a column for each share. */
const latencyRows: Readonly<Record<string, readonly (MetricName | undefined)[]>> = {
  'write to viewer': ['p50', 'p90', 'p99', 'p999', 'max'],
  'commit to viewer': ['commitP50', undefined, 'commitP99', undefined, 'commitMax'],
  'write to acknowledgement': ['ackP50', undefined, 'ackP99', undefined, 'ackMax'],
}

const latencyNames: ReadonlySet<MetricName | undefined> = new Set(Object.values(latencyRows).flat())

/** The result, for people: what was counted, latencies, then what went wrong. */
export function benchText(
  findings: BenchFindings,
  judged: readonly { readonly assertion: Assertion; readonly result: JudgedAssertion }[],
): string {
  const { metrics, failures, violationTexts } = findings
  const counts = metricNames
    .filter(name => metrics[name] !== undefined && !latencyNames.has(name))
    .filter(name => metrics[name] !== 0 || !quietNames.has(name))
    .map(name => [name, metricText(name, metrics[name])])
  return [
    alignColumns(counts),
    latencyTable(findings),
    ...Object.entries(failures).map(([code, count]) => `failed: ${count} by ${code}`),
    ...violationTexts.map(text => `VIOLATION ${text}`),
    ...notesOf(findings).map(note => `note: ${note}`),
    ...judged.map(({ assertion, result }) =>
      result.ok
        ? `ok ${assertion.text} (${metricText(assertion.metric, result.seen)})`
        : `FAILED ${failureText(assertion, result)}`,
    ),
  ]
    .filter(line => line !== '')
    .join('\n')
}

/** A row for each way in which something was measured; empty when nothing was. */
function latencyTable({ metrics, latencyFrom }: BenchFindings): string {
  const rows = Object.entries(latencyRows)
    // What counts from the commit has its own row.
    .filter(([, [first]]) => first !== 'p50' || latencyFrom === 'write')
    .filter(([, names]) => names.some(name => name !== undefined && metrics[name] !== undefined))
    .map(([label, names]) => [
      label,
      ...names.map(name => (name === undefined ? '' : metricText(name, metrics[name]))),
    ])
  if (rows.length === 0) return ''
  return `\n${alignColumns([['latency', 'p50', 'p90', 'p99', 'p999', 'max'], ...rows])}\n`
}
