import type { Snapshot } from '@fanfold/document'
import type { JoinTake, LinkId, Position } from '@fanfold/protocol'
import type { LinkAllowance } from './transfer-allowance.ts'

/** A child may not be owed more bytes of records than this, of a stream or of a replay, whatever it grants. */
export const creditBytesMax = 67_108_864

/** A join that waits for an answer or is answered. */
export type JoinRequest = {
  readonly link: LinkId
  /** Highest tag the child may be sent; from its token. */
  readonly ceiling: number
  readonly have: Position | undefined
  /** Bytes of records the child takes. */
  readonly credit: number
  /** Whether the child takes a snapshot. */
  readonly take: JoinTake
  /** Whether the child goes elsewhere when it is told to. */
  readonly isMovable: boolean
  /** Codecs of pieces that the child can unpack. */
  readonly codecs: number
  /** Whether the link holds more unsent bytes than it should, at the moment of asking. */
  readonly isCongested: boolean
  /** What the link may be handed of snapshots. */
  readonly allowance: LinkAllowance
}

/** A snapshot as the children under one ceiling get it. */
export type SharedSnapshot = {
  readonly snapshot: Snapshot
  /** The `snapshot-begin` that goes before its pieces. */
  readonly begin: Uint8Array
}

/** A snapshot on its way to a child, or kept for the pieces that the child may ask for again. */
export type SnapshotTransfer = {
  readonly shared: SharedSnapshot
  /** The next piece; as many as there are once all were sent. */
  next: number
  /** Pieces that the child asks for again. */
  readonly again: Set<number>
  /** The last look found it sent whole. */
  isOld: boolean
}

/** One child of one document at its parent. */
export type ChildStream = {
  readonly link: LinkId
  /** Highest tag the child may be sent; from its token. */
  readonly ceilingMax: number
  /** Highest tag the child is sent, as it was welcomed. */
  ceiling: number
  readonly take: JoinTake
  readonly isMovable: boolean
  readonly codecs: number
  readonly allowance: LinkAllowance
  /** The allowance's `takenCount` when it joined. */
  readonly takenCount: number
  /** Bytes of records the child granted when it joined. */
  readonly granted: number
  /** What the child said it has; an older snapshot would be of no use to it. */
  readonly have: Position | undefined
  /** Seq up to which the child was sent records, or the snapshot's. */
  cursor: number
  credit: number
  isCongested: boolean
  transfer: SnapshotTransfer | undefined
  /** Bytes of the snapshot that it was sent, until it was sent all that follows; 0 then. */
  catchUpBytes: number
  /** The child waits for a snapshot that does not exist yet, or for its turn. */
  needsSnapshot: boolean
  /** The child may not know how old what it gets is. */
  isStatusDue: boolean
  /** The child was told, and what it was told may be lost on a link that was full. */
  isStatusTold: boolean
  /** The child has asked what the state is. */
  isHashDue: boolean
}

/** True while pieces are to be sent: records follow them. */
export const isTransferring = ({ transfer }: ChildStream): boolean =>
  transfer !== undefined &&
  (transfer.again.size > 0 || transfer.next < transfer.shared.snapshot.pieces.length)
