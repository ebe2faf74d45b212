/*
 * The parent's side of one document: its children, each a cursor into the ring.
 *
 * There is no queue per child. A child that cannot take more (no credit, a congested link) is left
 * where it is; when it can, it gets everything between its cursor and the head in as few frames as
 * the size of a frame allows; when its cursor has fallen off the ring, a snapshot. So a slow child
 * costs the others nothing, and holds no memory but its cursor.
 *
 * Children at the same cursor get the same frame, byte for byte: the channel is the parent's.
 */

import { type Chain, projectSnapshot, type Snapshot } from '@fanfold/document'
import { assert, type EffectSink, equalBytes } from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  encodeLinkFrame,
  encodeRecordsFrame,
  type JoinMode,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  limits,
  type Position,
} from '@fanfold/protocol'
import { isAhead } from './is-ahead.ts'
import type { RecordRing } from './record-ring.ts'
import { snapshotBytes } from './snapshot-assembly.ts'

/** Where snapshots come from; `undefined` while there is none to give (an append is in flight). */
export type SnapshotSource = {
  /** One at the current head. */
  snapshot(): Snapshot | undefined
  /** The newest one that was made before, however old. */
  readonly lastSnapshot: Snapshot | undefined
}

/** A join that waits for an answer or is answered. */
export type JoinRequest = {
  readonly link: LinkId
  /** Highest tag the child may be sent; from its token. */
  readonly ceiling: number
  readonly have: Position | undefined
  /** Bytes of records the child takes. */
  readonly credit: number
  /** Whether the link holds more unsent bytes than it should, at the moment of asking. */
  readonly isCongested: boolean
}

/** Pieces of snapshots handed to links in one turn, so that records of other documents get between. */
const piecesPerTurnMax = 8
/** A child may not be owed more than this, whatever it grants. */
const creditBytesMax = 67_108_864

type Child = {
  readonly link: LinkId
  /** Highest tag the child may be sent; from its token. */
  readonly ceilingMax: number
  /** Highest tag the child is sent, as it was welcomed. */
  ceiling: number
  /** Bytes of records the child granted when it joined. */
  readonly granted: number
  /** What the child said it has; an older snapshot would be of no use to it. */
  readonly have: Position | undefined
  /** Seq up to which the child was sent records, or the snapshot's. */
  cursor: number
  credit: number
  isCongested: boolean
  /** The snapshot under way and the next piece of it; undefined when none is. */
  transfer: { readonly snapshot: Snapshot; next: number } | undefined
  /** The child waits for a snapshot that does not exist yet. */
  needsSnapshot: boolean
}

/** One document's children. */
export class Downstream {
  readonly #doc: DocumentKey
  readonly #channel: number
  readonly #ring: RecordRing
  readonly #chain: Chain
  readonly #source: SnapshotSource
  readonly #ceiling: () => number
  readonly #children = new Map<LinkId, Child>()

  constructor(options: {
    readonly doc: DocumentKey
    /** Unique among the node's documents, the same for all children. */
    readonly channel: number
    readonly ring: RecordRing
    readonly chain: Chain
    readonly source: SnapshotSource
    /** Highest tag of a part that this node itself may hold of the document. */
    readonly ceiling: () => number
  }) {
    this.#doc = options.doc
    this.#channel = options.channel
    this.#ring = options.ring
    this.#chain = options.chain
    this.#source = options.source
    this.#ceiling = options.ceiling
  }

  /** Children that observe the document. */
  get count(): number {
    return this.#children.size
  }

  /**
   * Answers a join: tail when the ring holds what the child lacks, a snapshot otherwise, refused when
   * the child is ahead of this node. What is due follows with `flush`.
   */
  join(request: JoinRequest, head: Position, effects: EffectSink<LinkEffect>): void {
    const { link, have } = request
    this.#children.delete(link)
    if (have !== undefined && isAhead(have, head)) {
      this.#send(
        link,
        refusal(this.#doc, 'FANFOLD_NO_PARENT', 'this node is behind the child', 50),
        effects,
      )
      return
    }
    const known = have === undefined ? undefined : this.#ring.hashAt(have.seq)
    const isTail = have !== undefined && known !== undefined && equalBytes(known, have.hash)
    const granted = Math.min(request.credit, creditBytesMax)
    const child: Child = {
      link,
      ceilingMax: request.ceiling,
      ceiling: 0,
      have,
      cursor: isTail ? have.seq : 0,
      granted,
      credit: granted,
      isCongested: request.isCongested,
      transfer: undefined,
      needsSnapshot: !isTail,
    }
    this.#children.set(link, child)
    this.#welcome(child, isTail ? 'tail' : 'snapshot', head, effects)
  }

  /** The child is gone, or does not want the document any more. */
  leave(link: LinkId): void {
    this.#children.delete(link)
  }

  /** The child has taken so many bytes. */
  credit(link: LinkId, bytes: number): void {
    const child = this.#children.get(link)
    if (child !== undefined) child.credit = Math.min(child.credit + bytes, creditBytesMax)
  }

  /** The link has, or no longer has, more unsent bytes than it should. */
  setCongested(link: LinkId, isCongested: boolean): void {
    const child = this.#children.get(link)
    if (child !== undefined) child.isCongested = isCongested
  }

  /** Sends pieces again that arrived damaged. */
  resend(link: LinkId, indexes: readonly number[], effects: EffectSink<LinkEffect>): void {
    const child = this.#children.get(link)
    const last = child?.transfer?.snapshot
    if (child === undefined || last === undefined) return
    for (const index of indexes.slice(0, piecesPerTurnMax))
      this.#sendPiece(child, last, index, effects)
  }

  /**
   * Sends each child what it can take now. True when more could go at once (a long snapshot): the
   * owner calls again in its next turn.
   */
  flush(effects: EffectSink<LinkEffect>): boolean {
    const shared: SharedFrame = { from: -1, to: -1, ceiling: -1, frame: undefined }
    let isMore = false
    for (const child of this.#children.values()) {
      if (child.isCongested) continue
      if (child.needsSnapshot && !this.#beginTransfer(child, effects)) continue
      if (child.transfer !== undefined && !this.#continueTransfer(child, effects)) {
        isMore = true
        continue
      }
      this.#sendRecords(child, shared, effects)
      if (child.needsSnapshot) isMore = true
    }
    return isMore
  }

  /**
   * What was held was replaced, or given up: whatever a child has, it needs the next snapshot. Children
   * that may be sent more or less than before are welcomed anew, at `head`.
   */
  restart(head: Position, effects: EffectSink<LinkEffect>): void {
    for (const child of this.#children.values()) {
      child.needsSnapshot = true
      child.transfer = undefined
      if (child.ceiling !== this.#ceilingOf(child)) this.#welcome(child, 'snapshot', head, effects)
    }
  }

  /** Tells all children that the document is no longer served here, and forgets them. */
  end(code: ErrorCode, message: string, effects: EffectSink<LinkEffect>): void {
    for (const child of this.#children.values()) {
      this.#send(child.link, { kind: 'ended', channel: this.#channel, code, message }, effects)
    }
    this.#children.clear()
  }

  /** Tells all children whether this node has lost its own parent. */
  status(stale: boolean, ageMs: number, effects: EffectSink<LinkEffect>): void {
    for (const link of this.#children.keys()) this.statusTo(link, stale, ageMs, effects)
  }

  /** Tells one child, which has just joined. */
  statusTo(link: LinkId, stale: boolean, ageMs: number, effects: EffectSink<LinkEffect>): void {
    if (!this.#children.has(link)) return
    this.#send(link, { kind: 'status', channel: this.#channel, stale, ageMs }, effects)
  }

  #ceilingOf(child: Child): number {
    return Math.min(this.#ceiling(), child.ceilingMax)
  }

  #welcome(child: Child, mode: JoinMode, head: Position, effects: EffectSink<LinkEffect>): void {
    child.ceiling = this.#ceilingOf(child)
    // The child counts anew from each welcome.
    child.credit = child.granted
    this.#send(
      child.link,
      {
        kind: 'welcome',
        doc: this.#doc,
        channel: this.#channel,
        mode,
        head,
        ceiling: child.ceiling,
      },
      effects,
    )
  }

  #beginTransfer(child: Child, effects: EffectSink<LinkEffect>): boolean {
    const snapshot = this.#freshEnoughSnapshot(child.have)
    if (snapshot === undefined) return false
    const projected = projectSnapshot(snapshot, child.ceiling)
    child.needsSnapshot = false
    child.transfer = { snapshot: projected, next: 0 }
    child.cursor = snapshot.manifest.at.seq
    const { manifest } = projected
    this.#send(child.link, { kind: 'snapshot-begin', channel: this.#channel, manifest }, effects)
    return true
  }

  /** The last snapshot while the ring holds what follows it and that is the smaller part. */
  #freshEnoughSnapshot(have: Position | undefined): Snapshot | undefined {
    const last = this.#source.lastSnapshot
    if (last !== undefined && (have === undefined || !isAhead(have, last.manifest.at))) {
      const { at } = last.manifest
      const known = this.#ring.hashAt(at.seq)
      if (known !== undefined && equalBytes(known, at.hash)) {
        if (this.#ring.bytesAfter(at.seq) <= snapshotBytes(last.manifest)) return last
      }
    }
    return this.#source.snapshot()
  }

  /** True when the whole snapshot has been handed to the link. */
  #continueTransfer(child: Child, effects: EffectSink<LinkEffect>): boolean {
    const transfer = child.transfer
    assert(transfer !== undefined, 'a transfer that goes on has begun')
    const { snapshot } = transfer
    const end = Math.min(transfer.next + piecesPerTurnMax, snapshot.pieces.length)
    for (; transfer.next < end; transfer.next++) {
      this.#sendPiece(child, snapshot, transfer.next, effects)
    }
    return transfer.next === snapshot.pieces.length
  }

  #sendPiece(
    child: Child,
    snapshot: Snapshot,
    index: number,
    effects: EffectSink<LinkEffect>,
  ): void {
    const piece = snapshot.pieces[index]
    if (piece === undefined) return
    this.#send(
      child.link,
      { kind: 'snapshot-piece', channel: this.#channel, index, codec: 0, piece },
      effects,
    )
  }

  #sendRecords(child: Child, shared: SharedFrame, effects: EffectSink<LinkEffect>): void {
    const ring = this.#ring
    while (child.credit > 0 && child.cursor < ring.lastSeq) {
      if (child.cursor < ring.base.seq) {
        child.needsSnapshot = true
        child.transfer = undefined
        return
      }
      // Once records follow it, the snapshot has arrived as far as this side can know.
      child.transfer = undefined
      const from = child.cursor
      const to = this.#lastFitting(from, child)
      if (shared.from !== from || shared.to !== to || shared.ceiling !== child.ceiling) {
        shared.from = from
        shared.to = to
        shared.ceiling = child.ceiling
        shared.frame = this.#encode(from, to, child.ceiling)
      }
      const frame = shared.frame as Uint8Array
      child.cursor = to
      // Credit counts the records' own bytes, as the child does.
      child.credit -= frame.length - recordsFrameOverhead(to - from)
      effects.push({ kind: 'link-send', link: child.link, frame })
    }
  }

  /**
   * Seq of the last record after `from` that still fits in one frame and the credit; at least one.
   * Records count as they are sent: what frames begin and end with tells nothing of what is left out.
   */
  #lastFitting(from: number, { credit, ceiling }: Child): number {
    let bytes = 0
    let to = from
    while (to < this.#ring.lastSeq) {
      const record = this.#ring.get(to + 1)
      assert(record !== undefined, `the ring holds the record ${to + 1}`)
      bytes += record.bytesUpTo(ceiling) + 4
      if (to > from && (bytes > limits.recordsFrameBytesTarget.value || bytes > credit)) break
      to++
    }
    return to
  }

  #encode(from: number, to: number, ceiling: number): Uint8Array {
    const records: Uint8Array[] = []
    for (let seq = from + 1; seq <= to; seq++) {
      const record = this.#ring.get(seq)
      assert(record !== undefined, `the ring holds the record ${seq}`)
      records.push(this.#chain.project(record, ceiling).bytes)
    }
    return encodeRecordsFrame(this.#channel, records)
  }

  #send(link: LinkId, frame: LinkFrame, effects: EffectSink<LinkEffect>): void {
    effects.push({ kind: 'link-send', link, frame: encodeLinkFrame(frame) })
  }
}

/** The frame made last, which the next child probably wants too. */
type SharedFrame = {
  from: number
  to: number
  ceiling: number
  frame: Uint8Array | undefined
}

/** Bytes of a `records` frame that are not records': type and channel, and a length before each. */
const recordsFrameOverhead = (count: number): number => 5 + 4 * count

/** A `refused` frame. */
export const refusal = (
  doc: DocumentKey,
  code: ErrorCode,
  message: string,
  retryAfterMs: number,
): LinkFrame => ({ kind: 'refused', doc, code, message, retryAfterMs })
