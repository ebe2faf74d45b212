import type { DocumentKey } from '@fanfold/protocol'
import type { RingLimits } from './record-ring.ts'
import type { UpstreamNode } from './stream-core.ts'
import type { UpstreamLimits } from './upstream-limits.ts'
import type { WorkerNames } from './worker-names.ts'

/** A snapshot of more bytes is of a large document: to read or write it takes a turn some 10 ms. */
export const largeStateBytesDefault = 1_048_576

/** Bounds of a document that is followed. */
export type FollowerLimits = {
  readonly ring: RingLimits
  readonly upstream: UpstreamLimits
  /** Bytes of records that wait to be applied; beyond it, or 4,096 records where states are needed, each turn applies some. */
  readonly pendingBytesMax: number
  /** Bytes of a snapshot above which no turn reads or writes all of it; 1 MiB when not said. */
  readonly largeStateBytes?: number | undefined
}

/** What all documents that a node follows share. */
export type FollowerNode = {
  readonly upstream: UpstreamNode
  readonly limits: FollowerLimits
  /** Whether the node reads the state; otherwise that of large documents is never made here. */
  readonly isStateNeeded: boolean
  readonly workerNames: WorkerNames
  /** The document has something to do in a turn of its own. */
  readonly due: (doc: DocumentKey) => void
}
