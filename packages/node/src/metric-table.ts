/*
 * Every metric of a node, declared once; docs/operations.md has the table. Base units, and labels with
 * few values: never a document, a viewer or a text that somebody else chose, but for tenants that a quota
 * bounds, of which the first ones are named.
 */

/** One metric. */
export type MetricRow = {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels?: readonly string[]
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[]
  /** Of the values of a node's processes the greatest is the node's; of all others it is the sum. */
  readonly isGreatest?: true
  readonly meaning: string
}

/** Every metric, without the prefix `fanfold_`. */
export const metricTable = {
  build_info: {
    type: 'gauge',
    labels: ['version'],
    isGreatest: true,
    meaning: 'Always 1; the version is in the label.',
  },
  workers: {
    type: 'gauge',
    meaning: 'Processes of an edge that serve viewers; 0 where the process itself does.',
  },
  worker_ends_total: {
    type: 'counter',
    labels: ['reason'],
    meaning:
      'Such processes that ended while the node did not: by a signal, or with a code (70: shared state in doubt).',
  },
  worker_connections_total: {
    type: 'counter',
    labels: ['outcome'],
    meaning:
      'Connections to an edge of several processes: passed to one of them, or dropped as none could take it.',
  },
  viewers: { type: 'gauge', meaning: 'Connections of viewers.' },
  viewers_below: {
    type: 'gauge',
    labels: ['role'],
    meaning:
      'Viewers of all documents, as the nodes below count them; who observes two counts twice.',
  },
  viewers_lagging: { type: 'gauge', meaning: 'Viewers whose socket holds more than its budget.' },
  writers: { type: 'gauge', meaning: 'Connections of writers.' },
  links: {
    type: 'gauge',
    labels: ['direction'],
    meaning: 'Links to parents (up) and to children (down).',
  },
  node_up: {
    type: 'gauge',
    labels: ['node'],
    isGreatest: true,
    meaning:
      'Whether there is a link to a node that is dialled from here: 1 or 0. One that is not dialled any more is not told of.',
  },
  link_breaker_state: {
    type: 'gauge',
    labels: ['node'],
    isGreatest: true,
    meaning:
      'Whether a node is worth being tried: 0 closed (it is), 1 half-open (one attempt is under way), 2 open (not now).',
  },
  link_requests_total: {
    type: 'counter',
    labels: ['node', 'outcome'],
    meaning:
      'Documents asked of other nodes, by what came of it: ok, refused, moved, timeout, lost (the link was), or unreachable (dials that came to nothing).',
  },
  children: { type: 'gauge', meaning: 'Streams of documents to children.' },
  region_streams_extra: {
    type: 'gauge',
    meaning:
      'Streams of a document that leave the authority for one region beyond the first one, where a proxy of it is a child.',
  },
  quota_documents: {
    type: 'gauge',
    labels: ['tenant'],
    meaning: 'Documents in memory at the authority, of a tenant that a quota bounds.',
  },
  quota_viewers: {
    type: 'gauge',
    labels: ['tenant'],
    meaning: 'Viewers at edges of the process, of a tenant that a quota bounds.',
  },
  quota_held: {
    type: 'gauge',
    labels: ['tenant'],
    isGreatest: true,
    meaning:
      'Whether what viewers of a tenant are shown is put off now, as they were sent as many bytes as its quota allows: 1 or 0.',
  },
  quota_sent_bytes_total: {
    type: 'counter',
    labels: ['tenant'],
    meaning: 'Bytes of documents sent to viewers of a tenant whose bytes per second are bounded.',
  },
  quota_refusals_total: {
    type: 'counter',
    labels: ['tenant', 'what'],
    meaning:
      'How often a tenant had as much as its quota allows: documents and viewers, each time that one more was refused; bytes, each time that viewers began to be shown less often.',
  },
  tree_bytes_over: {
    type: 'gauge',
    isGreatest: true,
    meaning:
      'Whether the proxy of this node sends as many bytes as it may (limits.treeBytesPerSecondMax), until it sends a fifth less: 1, else 0.',
  },
  members: { type: 'gauge', meaning: 'Nodes of the fleet that are alive, this one too.' },
  members_differing: {
    type: 'gauge',
    meaning: 'Nodes of the fleet that are set otherwise than it, this one too; they have no part.',
  },
  links_differing_total: {
    type: 'counter',
    meaning: 'Links refused as the two nodes are set differently where all must be alike.',
  },
  coordinator_up: {
    type: 'gauge',
    meaning:
      'Whether the Redis where nodes meet is reached: 1, or 0 while the tree stays as it is.',
  },
  placements: {
    type: 'gauge',
    meaning: 'Tenants and documents that operators have placed on a node, in the whole fleet.',
  },
  placements_stood_in: {
    type: 'gauge',
    meaning:
      'Those of them whose node cannot serve them now, so that they are served as if they were not placed.',
  },
  documents: { type: 'gauge', labels: ['role'], meaning: 'Documents held.' },
  standby_documents: {
    type: 'gauge',
    meaning: 'Documents of other authorities that this one follows, to take them over.',
  },
  standby_lag_records: {
    type: 'gauge',
    meaning:
      'Records that it lacks of what the owners have told, of the document of which it lacks most.',
  },
  standby_takeovers_total: {
    type: 'counter',
    meaning: 'Documents that this authority took over with what it had followed of them.',
  },
  documents_stale: { type: 'gauge', meaning: 'Documents that are cut off from their authority.' },
  cohorts: {
    type: 'gauge',
    meaning:
      'Groups of viewers that receive the same bytes, each encoded once; of several processes each has its own, and the sum is told: what is encoded.',
  },
  epoch_max: { type: 'gauge', meaning: 'Highest epoch of a document held by the authority.' },
  records_in_total: {
    type: 'counter',
    labels: ['role'],
    meaning: 'Records received or committed.',
  },
  records_out_total: {
    type: 'counter',
    labels: ['role'],
    meaning: 'Changes sent to groups of viewers.',
  },
  sent_bytes_total: {
    type: 'counter',
    labels: ['to'],
    meaning: 'Bytes sent to other nodes and to viewers.',
  },
  received_bytes_total: {
    type: 'counter',
    labels: ['from'],
    meaning: 'Bytes of records received from parents.',
  },
  replication_lag_seconds: {
    type: 'histogram',
    labels: ['role'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    meaning: "From commit at the authority to being received here, by the two machines' clocks.",
  },
  child_lag_seconds: {
    type: 'histogram',
    labels: ['role'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    meaning: 'How far behind the commit edges say that they have a document, by their clocks.',
  },
  delivery_lag_seconds: {
    type: 'histogram',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    meaning:
      "From commit at the authority to being written to viewers, by the two machines' clocks.",
  },
  joins_total: {
    type: 'counter',
    labels: ['role', 'answer'],
    meaning: 'Answers to nodes that joined a stream: tail, snapshot or refused.',
  },
  catchups_total: {
    type: 'counter',
    labels: ['role', 'rung'],
    meaning:
      'Streams that became live, by what it took: tail, snapshot, snapshot-elsewhere or replay.',
  },
  catchup_seconds: {
    type: 'histogram',
    labels: ['role', 'rung'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 10, 60],
    meaning: 'Time from when a stream was wanted or broken until it is live.',
  },
  replays_total: {
    type: 'counter',
    labels: ['role', 'outcome'],
    meaning: 'Replays of logs that were served or passed on, by how they ended.',
  },
  snapshot_sent_bytes_total: {
    type: 'counter',
    labels: ['role'],
    meaning: 'Bytes of pieces of snapshots sent to nodes below, as they are packed.',
  },
  snapshot_checksum_failures_total: {
    type: 'counter',
    labels: ['role'],
    meaning: 'Pieces of snapshots that arrived damaged, and were asked for again.',
  },
  worker_replicas: {
    type: 'gauge',
    labels: ['role'],
    meaning: 'Large documents of which a thread beside the event loop holds a replica.',
  },
  worker_encode_seconds: {
    type: 'histogram',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    meaning: 'Time until a thread has made a snapshot or a view of a large document.',
  },
  worker_failures_total: {
    type: 'counter',
    meaning: 'Replicas of large documents that failed, and are made anew when they are needed.',
  },
  warm_kept_total: {
    type: 'counter',
    labels: ['outcome'],
    meaning: 'Documents that a proxy kept over a restart, those that had no room, those dropped.',
  },
  deflated_bytes_total: {
    type: 'counter',
    labels: ['size'],
    meaning:
      'Bytes of frames that were deflated for all who take them so, each frame once: before (plain) and after (deflated).',
  },
  signals_dropped_total: {
    type: 'counter',
    labels: ['to'],
    meaning: 'Signals that gave way to later ones while they waited.',
  },
  handshakes_refused_total: {
    type: 'counter',
    labels: ['reason'],
    meaning: 'Connections that were refused: too many at once (storm), or any other reason.',
  },
  tls_certificate_seconds: {
    type: 'gauge',
    labels: ['port'],
    meaning:
      'Until the certificate ends that a port shows, seconds; negative when it has. Nothing is told of a port without TLS.',
  },
  viewer_transfers: { type: 'gauge', meaning: 'Views that are on their way in pieces.' },
  crowd_messages_total: {
    type: 'counter',
    labels: ['outcome'],
    meaning:
      'What viewers said to reducers: heard at the edge, and what became of it: counted, unknown (nobody can tell), or lost (the edge let the document go before it was counted).',
  },
  crowd_windows_total: {
    type: 'counter',
    labels: ['outcome'],
    meaning: 'Windows of an edge in which that was summed up, by what became of them.',
  },
  crowd_rejected_total: {
    type: 'counter',
    labels: ['code'],
    meaning: 'What viewers said to reducers and was not heard, by the reason.',
  },
  crowd_ids_waiting: {
    type: 'gauge',
    meaning: 'Ids by which viewers of edges wait to hear what became of what they said.',
  },
  large_view_bytes: {
    type: 'gauge',
    meaning: 'Bytes of views of large documents that edges make, keep and send.',
  },
  resyncs_total: {
    type: 'counter',
    labels: ['reason'],
    meaning: 'Streams that had to start anew.',
  },
  snapshots_total: {
    type: 'counter',
    labels: ['role'],
    meaning: 'Snapshots kept beside a log, and views that an edge wrote out for viewers.',
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
    labels: ['reason'],
    meaning: 'Connections of viewers and writers that ended.',
  },
  crowd_aggregates_total: {
    type: 'counter',
    labels: ['outcome'],
    meaning:
      'What crowds said to this authority, by what came of it: counted, or refused and sent again.',
  },
  crowd_windows_committed_total: {
    type: 'counter',
    meaning: 'Windows of edges that count, each one once.',
  },
  crowd_bytes_total: {
    type: 'counter',
    meaning: 'Bytes of sums of crowds that came to this authority.',
  },
  crowd_sessions_total: {
    type: 'counter',
    meaning: 'Sessions of edges that were begun in logs.',
  },
  crowd_sums_failed_total: {
    type: 'counter',
    labels: ['code'],
    meaning: 'Sums of crowds that could not be applied and are lost, by error code.',
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
    labels: ['code'],
    meaning: 'Writes refused, by error code.',
  },
  log_full_total: { type: 'counter', meaning: 'Appends refused because the disk is full.' },
  log_behind_total: {
    type: 'counter',
    meaning: 'Logs that have lost records which nodes below have, as after a restored copy.',
  },
  log_unreachable_total: {
    type: 'counter',
    meaning:
      'Appends that wait, and logs not opened, as the machine that has the log does not answer.',
  },
  log_unreadable_total: {
    type: 'counter',
    meaning: 'Logs that could not be opened: the disk failed a read, or no file could be opened.',
  },
  no_descriptor_seconds_total: {
    type: 'counter',
    meaning: 'Seconds in which the process had no file descriptor left, tried once in each.',
  },
  assertion_failures_total: {
    type: 'counter',
    labels: ['role'],
    meaning: 'Documents put aside after a failed assertion.',
  },
  view_checks_total: {
    type: 'counter',
    labels: ['check', 'outcome'],
    meaning:
      "Documents that an edge compared with the authority's (state), or as shown with what may be seen (view): equal, differs, or none where nothing could be compared.",
  },
  documents_suspect: {
    type: 'gauge',
    meaning: 'Documents that were not what they should be when they were last compared.',
  },
  link_closes_total: {
    type: 'counter',
    labels: ['reason'],
    meaning: 'Links that ended, by close reason.',
  },
  variants_total: {
    type: 'counter',
    labels: ['outcome'],
    meaning: 'Edge variants of definitions that were loaded, refused or could not be had.',
  },
  rule_failures_total: {
    type: 'counter',
    labels: ['code'],
    meaning: 'Rules and views of definitions that failed; their viewers keep what they see.',
  },
  rejected_tokens_total: {
    type: 'counter',
    labels: ['reason'],
    meaning: 'Tokens that were refused.',
  },
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
    const { type, labels = [], meaning } = metricRow(name)
    const shown = labels.map(label => `\`${label}\``).join(', ')
    return `| \`fanfold_${name}\` | ${type} | ${shown} | ${meaning} |`
  })
  return ['| metric | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
}
