/*
 * The snapshots of one document on their way to its children.
 *
 * All children under one ceiling share a snapshot, its manifest's frame and, where they are at the same
 * piece, the piece's frame. Children get some pieces each in turn, until the turn's allowance or their
 * links' is spent; the owner goes on in its next turn, after other documents had theirs. On a link whose
 * child has yet to take what it was sent they wait, the ones that have yet to begin too: a snapshot that is
 * not made before it can be sent is the newest.
 *
 * What was sent whole is kept, by reference, until the child shows that it has it: pieces that it asks
 * for again are those of the snapshot that it was sent.
 */
import { projectSnapshot, type Snapshot } from '@fanfold/document'
import { assert, type EffectSink, equalBytes } from '@fanfold/kernel'
import { encodeLinkFrame, type LinkEffect, type Position } from '@fanfold/protocol'
import {
  type ChildStream,
  isTransferring,
  type SharedSnapshot,
  type SnapshotTransfer,
} from './child-stream.ts'
import { isAhead } from './is-ahead.ts'
import type { PiecePacker } from './piece-packer.ts'
import type { RecordRing } from './record-ring.ts'
import { snapshotBytes } from './snapshot-assembly.ts'

/** Where snapshots come from. */
export type SnapshotSource = {
  /** One at the current head; undefined while there is none to give: the owner flushes when there is. */
  snapshot(): Snapshot | undefined
  /** The newest one that was made before, however old. */
  readonly lastSnapshot: Snapshot | undefined
}

/** Pieces that one child gets before the next one has its turn. */
const piecesInTurn = 4

/** Frames of pieces made in this turn, which the next child probably wants too. */
type PieceFrames = Map<SharedSnapshot, Map<number, Uint8Array>>

/** Sends snapshots to the children of one document. */
export class SnapshotTransfers {
  readonly #channel: number
  readonly #ring: RecordRing
  readonly #source: SnapshotSource
  readonly #packer: PiecePacker
  /** Children that wait for a transfer to begin. */
  readonly #waiting = new Set<ChildStream>()
  /** Children with pieces to be sent, in turn. */
  readonly #active = new Set<ChildStream>()
  /** By the snapshot that is projected, and by ceilings. */
  readonly #shared = new WeakMap<Snapshot, Map<number, SharedSnapshot>>()
  #bytesSent = 0

  constructor(options: {
    readonly channel: number
    readonly ring: RecordRing
    readonly source: SnapshotSource
    readonly packer: PiecePacker
  }) {
    this.#channel = options.channel
    this.#ring = options.ring
    this.#source = options.source
    this.#packer = options.packer
  }

  /** Bytes of pieces and manifests sent since this was asked last. */
  takeBytesSent(): number {
    const bytes = this.#bytesSent
    this.#bytesSent = 0
    return bytes
  }

  /**
   * The child needs a snapshot: what it has, or was being sent, is of no use. One that waits for it and
   * joins again, in place of what it was `before`, has its turn no later.
   */
  need(child: ChildStream, before: ChildStream = child): void {
    if (before.needsSnapshot) this.#waiting.delete(before)
    else this.drop(before)
    child.needsSnapshot = true
    this.#waiting.add(child)
  }

  /** The child is gone, or has what it was sent. */
  drop(child: ChildStream): void {
    child.transfer = undefined
    child.needsSnapshot = false
    this.#waiting.delete(child)
    this.#active.delete(child)
    child.allowance.endWait(this.#channel)
  }

  /** The child asks for pieces again; those that it was never sent come in their turn. */
  resend(child: ChildStream, indexes: readonly number[]): void {
    const { transfer } = child
    if (transfer === undefined) {
      // What it was sent is at hand no more: it begins anew, rather than wait for what cannot come.
      child.allowance.forgive()
      this.need(child)
      return
    }
    for (const index of indexes) {
      if (index >= transfer.next || transfer.again.has(index)) continue
      transfer.again.add(index)
      child.allowance.lost(this.#packedLength(transfer, index, child))
    }
    if (isTransferring(child)) this.#active.add(child)
  }

  /** Sends what may be sent now; true when more could go in the next turn. */
  advance(effects: EffectSink<LinkEffect>): boolean {
    let isMore = false
    let isNone = false
    const forRoom: ChildStream[] = []
    for (const child of this.#waiting) {
      if (child.isCongested) continue
      const { allowance } = child
      if (!allowance.mayGo(this.#channel)) forRoom.push(child)
      else if (allowance.turn.isSpent) isMore = true
      else if (!this.#begin(child, effects)) isNone = true
    }
    // Where there is none to give, nobody stands in line for room: each in turn would call the others back to it.
    for (const child of isNone ? [] : forRoom) {
      child.allowance.waitToBegin(this.#channel)
      askTaken(child, effects)
    }
    return this.#sendPieces(effects) || isMore
  }

  /** What was sent whole is let go the second time that it is looked at. */
  letGo(child: ChildStream): void {
    if (child.transfer === undefined || isTransferring(child)) return
    if (child.transfer.isOld) child.transfer = undefined
    else child.transfer.isOld = true
  }

  /** False while there is no snapshot to give. */
  #begin(child: ChildStream, effects: EffectSink<LinkEffect>): boolean {
    const last = this.#source.lastSnapshot
    const snapshot = this.#freshEnough(last, child.have)
    if (snapshot === undefined) return false
    const { turn } = child.allowance
    if (snapshot !== last) turn.spend(snapshotBytes(snapshot.manifest))
    const shared = this.#projected(snapshot, child.ceiling)
    this.#waiting.delete(child)
    child.needsSnapshot = false
    child.transfer = { shared, next: 0, again: new Set(), isOld: false }
    child.cursor = snapshot.manifest.at.seq
    child.catchUpBytes = snapshotBytes(snapshot.manifest)
    this.#send(child, shared.begin, effects)
    turn.spend(shared.begin.length)
    if (isTransferring(child)) this.#active.add(child)
    return true
  }

  /** The last snapshot while the ring holds what follows it and that is the smaller part. */
  #freshEnough(last: Snapshot | undefined, have: Position | undefined): Snapshot | undefined {
    if (last !== undefined && (have === undefined || !isAhead(have, last.manifest.at))) {
      const { at } = last.manifest
      const known = this.#ring.hashAt(at.seq)
      if (known !== undefined && equalBytes(known, at.hash)) {
        if (this.#ring.bytesAfter(at.seq) <= snapshotBytes(last.manifest)) return last
      }
    }
    return this.#source.snapshot()
  }

  #projected(snapshot: Snapshot, ceiling: number): SharedSnapshot {
    let byCeiling = this.#shared.get(snapshot)
    if (byCeiling === undefined) {
      byCeiling = new Map()
      this.#shared.set(snapshot, byCeiling)
    }
    let shared = byCeiling.get(ceiling)
    if (shared === undefined) {
      const projected = projectSnapshot(snapshot, ceiling)
      const { manifest } = projected
      // What the child checks on its side too (snapshot-stage.ts).
      assert(
        manifest.pieces.every(({ tag }) => tag <= ceiling),
        `a snapshot for the ceiling ${ceiling} has no piece above it`,
      )
      const frame = { kind: 'snapshot-begin', channel: this.#channel, manifest } as const
      shared = { snapshot: projected, begin: encodeLinkFrame(frame) }
      byCeiling.set(ceiling, shared)
    }
    return shared
  }

  #sendPieces(effects: EffectSink<LinkEffect>): boolean {
    if (this.#active.size === 0) return false
    const frames: PieceFrames = new Map()
    let isMore = false
    for (let hasSent = true; hasSent; ) {
      hasSent = false
      isMore = false
      for (const child of [...this.#active]) {
        if (child.isCongested) continue
        const { allowance } = child
        if (!allowance.mayGo(this.#channel)) {
          allowance.wait(this.#channel)
          askTaken(child, effects)
          continue
        }
        if (allowance.isSpent || allowance.turn.isSpent) {
          isMore = true
          continue
        }
        hasSent = true
        this.#sendSome(child, frames, effects)
        // To the end of those that wait, if there is more for it; on its link too.
        allowance.endWait(this.#channel)
        this.#active.delete(child)
        if (isTransferring(child)) this.#active.add(child)
      }
    }
    return isMore
  }

  #sendSome(child: ChildStream, frames: PieceFrames, effects: EffectSink<LinkEffect>): void {
    const { transfer, allowance } = child
    assert(transfer !== undefined, 'a transfer that goes on has begun')
    for (let count = 0; count < piecesInTurn && isTransferring(child); count++) {
      if (allowance.isFull || allowance.isSpent || allowance.turn.isSpent) return
      const index = takeNext(transfer)
      this.#sendPiece(child, transfer.shared, index, frames, effects)
    }
  }

  #sendPiece(
    child: ChildStream,
    shared: SharedSnapshot,
    index: number,
    frames: PieceFrames,
    effects: EffectSink<LinkEffect>,
  ): void {
    const piece = shared.snapshot.pieces[index]
    assert(piece !== undefined, `a snapshot has the piece ${index}`)
    const { turn } = child.allowance
    if (!this.#packer.isReadyFor(piece, child.codecs)) turn.spend(piece.length)
    const packed = this.#packer.packedFor(piece, child.codecs)
    let made = frames.get(shared)
    if (made === undefined) {
      made = new Map()
      frames.set(shared, made)
    }
    const name = index * 256 + packed.codec
    let frame = made.get(name)
    if (frame === undefined) {
      const { codec, bytes } = packed
      const channel = this.#channel
      frame = encodeLinkFrame({ kind: 'snapshot-piece', channel, index, codec, piece: bytes })
      made.set(name, frame)
    }
    turn.spend(frame.length)
    this.#send(child, frame, effects)
  }

  /** Bytes that the piece takes on the link. */
  #packedLength({ shared }: SnapshotTransfer, index: number, { codecs }: ChildStream): number {
    const piece = shared.snapshot.pieces[index]
    assert(piece !== undefined, `a snapshot has the piece ${index}`)
    const isReady = this.#packer.isReadyFor(piece, codecs)
    return isReady ? this.#packer.packedFor(piece, codecs).bytes.length : piece.length
  }

  #send(child: ChildStream, frame: Uint8Array, effects: EffectSink<LinkEffect>): void {
    child.allowance.spend(frame.length)
    this.#bytesSent += frame.length
    effects.push({ kind: 'link-send', link: child.link, frame })
  }
}

/** A child whose link is full is asked what it has taken: some of what is under way may be lost. */
function askTaken({ link, allowance }: ChildStream, effects: EffectSink<LinkEffect>): void {
  const number = allowance.ask()
  if (number === undefined) return
  const frame = encodeLinkFrame({ kind: 'request-taken', number })
  effects.push({ kind: 'link-send', link, frame })
}

/** The piece that goes next: one that is missed before one that is not known yet. */
function takeNext(transfer: SnapshotTransfer): number {
  for (const index of transfer.again) {
    transfer.again.delete(index)
    return index
  }
  return transfer.next++
}
