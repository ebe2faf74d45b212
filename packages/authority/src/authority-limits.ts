import { milliseconds } from '@fanfold/kernel'
import {
  defaultTransferLimits,
  largeStateBytesDefault,
  type RingLimits,
  replaysMaxDefault,
  type TransferLimits,
} from '@fanfold/replication'
import { defaultIdempotencyLimits, type IdempotencyLimits } from './idempotency-window.ts'

/** Bounds of an authority, per document where it does not say otherwise. */
export type AuthorityLimits = {
  /** Documents in memory, all together. At the limit those that rest or do not exist make room; one
   * more that none makes room for is refused with `FANFOLD_OVERLOADED`. */
  readonly documentsMax: number
  /** Documents of them that this authority stands by for; one more is not followed until there is room. */
  readonly standbyDocumentsMax: number
  readonly ring: RingLimits
  readonly idempotency: IdempotencyLimits
  /** Writes that wait for their turn; beyond it they are refused with `FANFOLD_BUSY`. */
  readonly writesWaitingMax: number
  /** Bytes of writes that wait at all documents together, of which one may take a quarter; likewise. */
  readonly writesWaitingBytesMax: number
  /** Writes that one append makes durable: bounds the time of one turn. */
  readonly writesPerBatchMax: number
  /** Bytes of records that one append makes durable. */
  readonly batchBytesMax: number
  /** The state as JSON. */
  readonly stateBytesMax: number
  /** A state with more JSON is large: it is never written out, nor read in, in one turn. */
  readonly largeStateBytes: number
  /** Snapshots on their way to children. */
  readonly transfer: TransferLimits
  /** Replays of logs that are served at a time, of all documents; one more is told when to ask again. */
  readonly replaysMax: number
  /** JSON of a state whose hash children are told; of a larger one they are told that there is none. */
  readonly stateHashBytesMax: number
  /** Of all documents one state is hashed in so long; whoever asks meanwhile is told that there is none. */
  readonly stateHashEveryMs: number
  /** A snapshot is kept after so many records or bytes, but not more often than the state's size. */
  readonly snapshotEveryRecords: number
  readonly snapshotEveryBytes: number
  /** After so long without anything, a document's recent records and snapshot are let go. */
  readonly restAfterMs: number
  /** After so long without anything and without children, a document leaves memory. */
  readonly unloadAfterMs: number
  /**
   * A session of a crowd of which nothing was counted for so long is counted no further. Longer than nodes below wait for their turn,
   * or sessions end before anything counts in them.
   */
  readonly sessionIdleMs: number
}

/** Limits that suit a node with some gigabytes of memory. */
export const defaultAuthorityLimits: AuthorityLimits = {
  documentsMax: 100_000,
  standbyDocumentsMax: 10_000,
  ring: { recordsMax: 8_192, bytesMax: 16_777_216, ageMax: milliseconds(60_000) },
  idempotency: defaultIdempotencyLimits,
  writesWaitingMax: 65_536,
  writesWaitingBytesMax: 268_435_456,
  writesPerBatchMax: 256,
  batchBytesMax: 4_194_304,
  stateBytesMax: 67_108_864,
  largeStateBytes: largeStateBytesDefault,
  transfer: defaultTransferLimits,
  replaysMax: replaysMaxDefault,
  stateHashBytesMax: 65_536,
  stateHashEveryMs: 100,
  snapshotEveryRecords: 200_000,
  snapshotEveryBytes: 67_108_864,
  restAfterMs: 60_000,
  unloadAfterMs: 600_000,
  sessionIdleMs: 3_600_000,
}
