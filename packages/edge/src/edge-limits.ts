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
  /** What one viewer may say to reducers in a second; more is rejected with `FANFOLD_OVERLOADED`. Default: 10. */
  readonly crowdMessagesPerViewerPerSecond?: number | undefined
  /** What it may say at once, after it has been quiet. Default: 20. */
  readonly crowdMessagesPerViewerBurst?: number | undefined
  /** Ids of one viewer of which it has not been told what became of them; one more is rejected. Default: 256. */
  readonly crowdIdsPerViewerMax?: number | undefined
  /** The same of all viewers. Default: 1,000,000. */
  readonly crowdIdsMax?: number | undefined
  /** How long a document without viewers is followed until all is counted that they said, ms. Default: 60,000. */
  readonly crowdKeptMaxMs?: number | undefined
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
  | 'crowdMessagesPerViewerPerSecond'
  | 'crowdMessagesPerViewerBurst'
  | 'crowdIdsPerViewerMax'
  | 'crowdIdsMax'
  | 'crowdKeptMaxMs'

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
  crowdMessagesPerViewerPerSecond: limits.crowdMessagesPerViewerPerSecond ?? 10,
  crowdMessagesPerViewerBurst: limits.crowdMessagesPerViewerBurst ?? 20,
  crowdIdsPerViewerMax: limits.crowdIdsPerViewerMax ?? 256,
  crowdIdsMax: limits.crowdIdsMax ?? 1_000_000,
  crowdKeptMaxMs: limits.crowdKeptMaxMs ?? 60_000,
  largeStateBytes: limits.follower.largeStateBytes ?? largeStateBytesDefault,
})
