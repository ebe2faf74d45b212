/*
 * Every metric of a node, declared once; docs/operations.md has the table. Base units, and labels with
 * few values: never a document, a viewer or a text that somebody else chose.
 */

/** One metric. */
export type MetricRow = {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly label?: string
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[]
  readonly meaning: string
}

/** Every metric, without the prefix `fanfold_`. */
export const metricTable = {
  build_info: {
    type: 'gauge',
    label: 'version',
    meaning: 'Always 1; the version is in the label.',
  },
  viewers: { type: 'gauge', meaning: 'Connections of viewers.' },
  viewers_lagging: { type: 'gauge', meaning: 'Viewers whose socket holds more than its budget.' },
  writers: { type: 'gauge', meaning: 'Connections of writers.' },
  links: {
    type: 'gauge',
    label: 'direction',
    meaning: 'Links to parents (up) and to children (down).',
  },
  children: { type: 'gauge', meaning: 'Streams of documents to children.' },
  documents: { type: 'gauge', label: 'role', meaning: 'Documents held.' },
  documents_stale: { type: 'gauge', meaning: 'Documents that are cut off from their authority.' },
  cohorts: { type: 'gauge', meaning: 'Groups of viewers that receive the same bytes.' },
  epoch_max: { type: 'gauge', meaning: 'Highest epoch of a document held by the authority.' },
  records_in_total: { type: 'counter', label: 'role', meaning: 'Records received or committed.' },
  records_out_total: {
    type: 'counter',
    label: 'role',
    meaning: 'Changes sent to groups of viewers.',
  },
  sent_bytes_total: {
    type: 'counter',
    label: 'to',
    meaning: 'Bytes sent to other nodes and to viewers.',
  },
  received_bytes_total: {
    type: 'counter',
    label: 'from',
    meaning: 'Bytes of records received from parents.',
  },
  replication_lag_seconds: {
    type: 'histogram',
    label: 'role',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    meaning: "From commit at the authority to being received here, by the two machines' clocks.",
  },
  delivery_lag_seconds: {
    type: 'histogram',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    meaning:
      "From commit at the authority to being written to viewers, by the two machines' clocks.",
  },
  resyncs_total: { type: 'counter', label: 'reason', meaning: 'Streams that had to start anew.' },
  snapshots_total: {
    type: 'counter',
    label: 'role',
    meaning: 'Snapshots kept beside a log.',
  },
  snapshot_bytes: {
    type: 'histogram',
    buckets: [1_024, 16_384, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
    meaning: 'Size of a snapshot that is kept.',
  },
  snapshot_seconds: {
    type: 'histogram',
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    meaning: 'Time to keep a snapshot, until it is durable.',
  },
  conflations_total: {
    type: 'counter',
    meaning: 'Lagging viewers that were brought up to date in one change.',
  },
  viewer_closes_total: {
    type: 'counter',
    label: 'reason',
    meaning: 'Connections of viewers and writers that ended.',
  },
  commits_total: { type: 'counter', meaning: 'Records that became durable here.' },
  commit_batch_records: {
    type: 'histogram',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    meaning: 'Records that one append made durable.',
  },
  append_seconds: {
    type: 'histogram',
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1],
    meaning: 'Time of one append, with its sync.',
  },
  rejected_writes_total: {
    type: 'counter',
    label: 'code',
    meaning: 'Writes refused, by error code.',
  },
  log_full_total: { type: 'counter', meaning: 'Appends refused because the disk is full.' },
  quarantines_total: { type: 'counter', meaning: 'Documents put aside after a failed assertion.' },
  link_closes_total: {
    type: 'counter',
    label: 'reason',
    meaning: 'Links that ended, by close reason.',
  },
  variants_total: {
    type: 'counter',
    label: 'outcome',
    meaning: 'Edge variants of definitions that were loaded, refused or could not be had.',
  },
  rule_failures_total: {
    type: 'counter',
    label: 'code',
    meaning: 'Rules and views of definitions that failed; their viewers keep what they see.',
  },
  rejected_tokens_total: { type: 'counter', label: 'reason', meaning: 'Tokens that were refused.' },
} as const

/** The name of a metric, without prefix. */
export type MetricName = keyof typeof metricTable

/** Every name, in the order of the table. */
export const metricNames: readonly MetricName[] = Object.keys(metricTable) as MetricName[]

/** The row of a name. */
export const metricRow = (name: MetricName): MetricRow => metricTable[name]

/** The table of metrics in docs/operations.md. */
export function metricsMarkdown(): string {
  const rows = metricNames.map(name => {
    const { type, label, meaning } = metricRow(name)
    return `| \`fanfold_${name}\` | ${type} | ${label === undefined ? '' : `\`${label}\``} | ${meaning} |`
  })
  return ['| metric | type | label | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
