/** Bounds of one stream at the child. */
export type UpstreamLimits = {
  /** Bytes of records that may be under way. */
  readonly creditBytes: number
  /** A snapshot larger than this is refused. */
  readonly snapshotBytesMax: number
  /** How long an answer to a join, or the next piece of a snapshot, may take. */
  readonly answerMaxMs: number
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
  /** How long a record that the parent is known to have may take. */
  readonly headMaxMs: number
  /** Snapshots that may turn out bad before the log is replayed. */
  readonly snapshotTriesMax: number
  /** A stream that was live for so long is in no trouble any more. */
  readonly troubleOverMs: number
}

/** Limits that suit a link within a region or between two. */
export const defaultUpstreamLimits: UpstreamLimits = {
  creditBytes: 1_048_576,
  snapshotBytesMax: 134_217_728,
  answerMaxMs: 2_000,
  backoffBaseMs: 50,
  backoffMaxMs: 1_000,
  headMaxMs: 250,
  snapshotTriesMax: 3,
  troubleOverMs: 10_000,
}
