/* What a load test measures: one table, of which the result, the assertions and the documentation are made. */

/** All metrics, in the order of the result. */
export const benchMetrics = {
  viewers: { unit: '', meaning: 'viewers that were to come' },
  connected: { unit: '', meaning: 'viewers that were shown the document' },
  failed: {
    unit: '',
    meaning:
      'viewers that were never shown it, or were refused for good; who came in later is not one',
  },
  stale: {
    unit: '',
    meaning: 'viewers that were told by their edge in the end that what they see may be old',
  },
  away: { unit: '', meaning: 'viewers that were shown it and had no connection at the end' },
  replicas: { unit: '', meaning: 'viewers that kept the whole view, with the code of the client' },
  reconnects: { unit: '', meaning: 'connections that were lost and made again' },
  turnedAway: {
    unit: '',
    meaning: 'times that a server said to come again later (503, or close code 4129)',
  },
  tooSlow: {
    unit: '',
    meaning: 'connections closed as the viewer made no progress (close code 4108)',
  },
  lags: {
    unit: '',
    meaning:
      'snapshots in the place of deltas, on connections that had the view: the viewer lagged',
  },
  seconds: { unit: 's', meaning: 'how long was measured' },
  writes: { unit: '', meaning: 'writes of the load test that were committed' },
  writesFailed: { unit: '', meaning: 'writes that were refused, or of which nobody knows' },
  writesJoined: {
    unit: '',
    meaning:
      'committed writes that were the last of no delta: they came with a later one, or viewers may not see them',
  },
  deliveries: { unit: '', meaning: 'deltas that viewers received, all together' },
  deliveriesPerSecond: { unit: '1/s', meaning: 'of those, in each second that was measured' },
  bytesPerDelivery: { unit: 'bytes', meaning: 'mean size of a delta, as a frame of WebSocket' },
  missing: { unit: '', meaning: 'records that viewers still lacked in the end, all together' },
  violations: {
    unit: '',
    meaning: 'gaps, repetitions and disorder in what viewers were sent, and views that differ',
  },
  p50: { unit: 'ms', meaning: 'from a write to a viewer: half of all' },
  p90: { unit: 'ms', meaning: 'likewise, 90 %' },
  p99: { unit: 'ms', meaning: 'likewise, 99 %' },
  p999: { unit: 'ms', meaning: 'likewise, 99.9 %' },
  max: { unit: 'ms', meaning: 'likewise, all' },
  commitP50: { unit: 'ms', meaning: 'from the commit, by the clock of the authority: half of all' },
  commitP99: { unit: 'ms', meaning: 'likewise, 99 %' },
  commitMax: { unit: 'ms', meaning: 'likewise, all' },
  ackP50: { unit: 'ms', meaning: 'from a write to its acknowledgement: half of all' },
  ackP99: { unit: 'ms', meaning: 'likewise, 99 %' },
  ackMax: { unit: 'ms', meaning: 'likewise, all' },
  swarmWaitP99: {
    unit: 'ms',
    meaning:
      'a delta waited in its process of viewers while that read those of others, 99 %: at most so much of p99 is the own doing of the load test',
  },
  swarmBusy: {
    unit: '%',
    meaning:
      'of its time, the busiest process of the viewers was at work or waited for a processor',
  },
} as const

/** The name of a metric. */
export type MetricName = keyof typeof benchMetrics

/** What was measured; undefined where there was nothing to measure. */
export type BenchMetrics = { readonly [name in MetricName]: number | undefined }

/** The names, in the order of the table. */
export const metricNames: readonly MetricName[] = Object.keys(benchMetrics) as MetricName[]

/** Whether a text is the name of a metric. */
export const isMetricName = (text: string): text is MetricName => Object.hasOwn(benchMetrics, text)

/** A value of a metric, for people. */
export function metricText(name: MetricName, value: number | undefined): string {
  if (value === undefined) return 'none'
  const { unit } = benchMetrics[name]
  const digits = Number.isInteger(value) ? 0 : value < 10 ? 2 : 1
  const text = value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  return unit === '' ? text : unit === '1/s' ? `${text}/s` : `${text} ${unit}`
}
