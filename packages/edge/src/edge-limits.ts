import {
  type AssemblyLimits,
  type FollowerLimits,
  largeStateBytesDefault,
} from '@fanfold/replication'

/** Bounds of an edge. */
export type EdgeLimits = {
  readonly follower: FollowerLimits
  /** How long a document is followed after its last viewer has left. */
  readonly lingerMs: number
  /** Snapshots on their way in; the default ones when not said. */
  readonly assembly?: AssemblyLimits | undefined
  /** Documents that one viewer may observe at a time. */
  readonly documentsPerViewerMax: number
  /** Documents followed at a time; one more is refused with `FANFOLD_OVERLOADED`. */
  readonly documentsMax: number
  /**
   * Different views of one document at a time; one more is refused with `FANFOLD_OVERLOADED`. Each
   * record is looked at for each of them in one turn: some 25 µs. Default: 2,000.
   */
  readonly cohortsPerDocumentMax?: number | undefined
  /** Bytes of snapshots, and of deltas after them, kept for newcomers of one document. Default: 16 MiB. */
  readonly cachedBytesPerDocumentMax?: number | undefined
  /** How long a variant may be on its way before viewers are told. Default: 5,000. */
  readonly variantWaitMaxMs?: number | undefined
  /**
   * Viewers that wait to be let in, of all documents; one more is refused with `FANFOLD_OVERLOADED` and
   * told when to come again. Default: 20,000.
   */
  readonly joinsWaitingMax?: number | undefined
  /** Bytes written out for viewers that join, before everybody else has a turn. Default: 1 MiB. */
  readonly joinSliceBytes?: number | undefined
  /**
   * Bytes of large views, of all documents, that are made, being made or on their way to viewers; who
   * needs one more is refused with `FANFOLD_OVERLOADED` and told when to come again. One that is more by
   * itself is made while there is no other. Default: 512 MiB.
   */
  readonly largeViewsBytesMax?: number | undefined
  /** Time between checks of what is held and shown, one document each, ms; none at all when not said, or 0. */
  readonly checkEveryMs?: number | undefined
  /** Bytes of a state above which a document is not checked. Default: 64 KiB. */
  readonly checkBytesMax?: number | undefined
}

/** The same, each of them said. */
export type FullEdgeLimits = Omit<EdgeLimits, Optional> & {
  readonly [Name in Optional]: number
} & { readonly largeStateBytes: number }

type Optional =
  | 'cohortsPerDocumentMax'
  | 'cachedBytesPerDocumentMax'
  | 'variantWaitMaxMs'
  | 'joinsWaitingMax'
  | 'joinSliceBytes'
  | 'largeViewsBytesMax'
  | 'checkEveryMs'
  | 'checkBytesMax'

/** The bounds, with a default for each that is not said. */
export const withDefaults = (limits: EdgeLimits): FullEdgeLimits => ({
  ...limits,
  cohortsPerDocumentMax: limits.cohortsPerDocumentMax ?? 2_000,
  cachedBytesPerDocumentMax: limits.cachedBytesPerDocumentMax ?? 16_777_216,
  variantWaitMaxMs: limits.variantWaitMaxMs ?? 5_000,
  joinsWaitingMax: limits.joinsWaitingMax ?? 20_000,
  joinSliceBytes: limits.joinSliceBytes ?? 1_048_576,
  largeViewsBytesMax: limits.largeViewsBytesMax ?? 536_870_912,
  checkEveryMs: limits.checkEveryMs ?? 0,
  checkBytesMax: limits.checkBytesMax ?? 65_536,
  largeStateBytes: limits.follower.largeStateBytes ?? largeStateBytesDefault,
})
