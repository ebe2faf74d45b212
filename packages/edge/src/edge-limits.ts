import type { AssemblyLimits, FollowerLimits } from '@fanfold/replication'

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
}

export const cohortsPerDocumentMaxDefault = 2_000
export const cachedBytesPerDocumentMaxDefault = 16_777_216
export const variantWaitMaxMsDefault = 5_000
export const joinsWaitingMaxDefault = 20_000
export const joinSliceBytesDefault = 1_048_576
export const largeViewsBytesMaxDefault = 536_870_912
