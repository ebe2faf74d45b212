/*
 * The parent's side of one document: its children, each a cursor into the ring.
 *
 * There is no queue per child. A child that cannot take more (no credit, a congested link) is left
 * where it is; when it can, it gets everything between its cursor and the head in as few frames as
 * the size of a frame allows; when its cursor has fallen off the ring, a snapshot. So a slow child
 * costs the others nothing, and holds no memory but its cursor, and what follows its snapshot until it
 * has caught up.
 *
 * Children at the same cursor get the same frame, byte for byte: the channel is the parent's.
 */

import { type Chain, plainCodec } from '@fanfold/document'
import { type EffectSink, equalBytes } from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  encodeLinkFrame,
  type JoinMode,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type Position,
  type TreePlace,
  zeroPosition,
} from '@fanfold/protocol'
import {
  type ChildStream,
  creditBytesMax,
  isTransferring,
  type JoinRequest,
} from './child-stream.ts'
import { isAhead } from './is-ahead.ts'
import { PiecePacker } from './piece-packer.ts'
import { RecordFrames } from './record-frames.ts'
import type { RecordRing } from './record-ring.ts'
import { refusal } from './refusal.ts'
import { type SnapshotSource, SnapshotTransfers } from './snapshot-transfers.ts'
import type { StateHash } from './upstream-event.ts'

/** How old what a node holds of a document may be. */
export type Staleness = {
  readonly stale: boolean
  /** Since when, ms; 0 when it is not. */
  readonly ageMs: number
}

const fresh: Staleness = { stale: false, ageMs: 0 }

/** The answer to a child for which there is none now. */
export const noHash: StateHash = { at: zeroPosition, ceiling: 0, hashes: [] }

/** One document's children. */
export class Downstream {
  readonly #doc: DocumentKey
  readonly #channel: number
  readonly #ring: RecordRing
  readonly #chain: Chain
  readonly #ceiling: () => number
  readonly #staleness: () => Staleness
  readonly #placeFor: (link: LinkId) => TreePlace | undefined
  readonly #transfers: SnapshotTransfers
  readonly #children = new Map<LinkId, ChildStream>()
  #isHashDue = false

  constructor(options: {
    readonly doc: DocumentKey
    /** Unique among the node's documents, the same for all children. */
    readonly channel: number
    readonly ring: RecordRing
    readonly chain: Chain
    readonly source: SnapshotSource
    /** Highest tag of a part that this node itself may hold of the document. */
    readonly ceiling: () => number
    /** Packs pieces; one for a whole node. When not said, they are sent as they are. */
    readonly packer?: PiecePacker | undefined
    /** How old what the node holds may be, now; when not said, it never is. */
    readonly staleness?: (() => Staleness) | undefined
    /** Where the node stands in the document's tree, for a child; when not said, children are not told. */
    readonly placeFor?: ((link: LinkId) => TreePlace | undefined) | undefined
  }) {
    this.#doc = options.doc
    this.#channel = options.channel
    this.#ring = options.ring
    this.#chain = options.chain
    this.#ceiling = options.ceiling
    this.#staleness = options.staleness ?? (() => fresh)
    this.#placeFor = options.placeFor ?? (() => undefined)
    const { channel, ring, source, packer = new PiecePacker(plainCodec) } = options
    this.#transfers = new SnapshotTransfers({ channel, ring, source, packer })
  }

  /** Children that observe the document. */
  get count(): number {
    return this.#children.size
  }

  /** The children, those that joined last the last ones, and whether they go elsewhere when they are told to. */
  *children(): IterableIterator<Pick<ChildStream, 'link' | 'isMovable'>> {
    yield* this.#children.values()
  }

  /** The child is to have the document from one of these nodes; until it leaves it is served here. */
  redirect(link: LinkId, to: readonly string[], effects: EffectSink<LinkEffect>): void {
    this.#send(link, { kind: 'redirect', doc: this.#doc, to }, effects)
  }

  /** The node stands elsewhere in the document's tree: these are above its children. */
  tellPath(path: readonly string[], effects: EffectSink<LinkEffect>): void {
    const frame = encodeLinkFrame({ kind: 'path', channel: this.#channel, path })
    for (const { link } of this.#children.values()) effects.push({ kind: 'link-send', link, frame })
  }

  /** Bytes of snapshots sent to children since this was asked last. */
  takeSnapshotBytesSent(): number {
    return this.#transfers.takeBytesSent()
  }

  /**
   * Answers a join: tail when the ring holds what the child lacks, a snapshot otherwise; refused when
   * the child is ahead of this node, or takes no snapshot where it needs one. What is due follows with
   * `flush`.
   */
  join(
    request: JoinRequest,
    head: Position,
    effects: EffectSink<LinkEffect>,
  ): JoinMode | 'refused' {
    const { link, have } = request
    if (have !== undefined && isAhead(have, head)) {
      this.leave(link)
      const message = 'this node is behind the child'
      this.#send(link, refusal(this.#doc, 'FANFOLD_NO_PARENT', message, 50), effects)
      return 'refused'
    }
    const known = have === undefined ? undefined : this.#ring.hashAt(have.seq)
    const isTail = have !== undefined && known !== undefined && equalBytes(known, have.hash)
    if (!isTail && request.take === 'tail') {
      this.leave(link)
      const message = `the child has record ${have?.seq ?? 0}, at hand are those after ${this.#ring.base.seq}`
      this.#send(link, refusal(this.#doc, 'FANFOLD_NO_TAIL', message, 0), effects)
      return 'refused'
    }
    const child = this.#childOf(request)
    if (isTail) {
      this.leave(link)
      child.cursor = have.seq
    } else {
      this.#transfers.need(child, this.#children.get(link))
    }
    this.#children.set(link, child)
    this.#welcome(child, isTail ? 'tail' : 'snapshot', head, effects)
    // On a link that is full another word may wait, of the stream before: the later one takes its place.
    if (this.#staleness().stale || request.isCongested) this.#tellStatus(child, effects)
    return isTail ? 'tail' : 'snapshot'
  }

  /** The child is gone, or does not want the document any more. */
  leave(link: LinkId): void {
    const child = this.#children.get(link)
    if (child === undefined) return
    this.#transfers.drop(child)
    this.#children.delete(link)
    // For others it is said again when they are next looked at; here nobody may look again.
    if (this.#children.size === 0) this.#ring.hold(undefined)
  }

  /** A child is about to join again: it may wait for a snapshot, or the rest of it, that is lost. */
  askedAgain(link: LinkId): void {
    const child = this.#children.get(link)
    const isDue = child !== undefined && (child.needsSnapshot || isTransferring(child))
    if (isDue) child.allowance.askedAgain(child.takenCount)
  }

  /** The child has taken so many bytes. */
  credit(link: LinkId, bytes: number): void {
    const child = this.#children.get(link)
    if (child === undefined) return
    child.credit = Math.min(child.credit + bytes, creditBytesMax)
    const { transfer } = child
    if (transfer === undefined || isTransferring(child)) return
    // Records that follow the snapshot were taken: it is there.
    if (child.cursor > transfer.shared.snapshot.manifest.at.seq) child.transfer = undefined
  }

  /** The link has, or no longer has, more unsent bytes than it should. */
  setCongested(link: LinkId, isCongested: boolean): void {
    const child = this.#children.get(link)
    if (child === undefined) return
    child.isCongested = isCongested
    if (!isCongested && child.isStatusTold) child.isStatusDue = true
  }

  /** The child asks for pieces again: the next `flush` sends them, or begins the snapshot anew. */
  resend(link: LinkId, indexes: readonly number[], effects: EffectSink<LinkEffect>): void {
    const child = this.#children.get(link)
    if (child === undefined) return
    if (child.take === 'tail') this.#needSnapshot(child, effects)
    else this.#transfers.resend(child, indexes)
  }

  /**
   * Sends each child what it can take now. True when more could go at once (a long snapshot): the
   * owner calls again in its next turn.
   */
  flush(effects: EffectSink<LinkEffect>): boolean {
    let isMore = this.#transfers.advance(effects)
    const frames = new RecordFrames(this.#channel, this.#ring, this.#chain, this.#ceiling())
    for (const child of this.#children.values()) {
      if (child.isCongested) continue
      if (child.isStatusDue) this.#tellStatus(child, effects)
      if (child.needsSnapshot || isTransferring(child)) continue
      this.#sendRecords(child, frames, effects)
      if (child.needsSnapshot) isMore = true
      else if (child.cursor === this.#ring.lastSeq) child.catchUpBytes = 0
    }
    this.#holdRing()
    return isMore
  }

  /**
   * What was held was replaced, or given up: whatever a child has, it needs the next snapshot. Children
   * that may be sent more or less than before are welcomed anew, at `head`.
   */
  restart(head: Position, effects: EffectSink<LinkEffect>): void {
    for (const child of this.#children.values()) {
      const isOther = child.ceiling !== this.#ceilingOf(child)
      if (isOther && child.take === 'tail') {
        // What it holds is worth nothing from the welcome on: it asks anew, and not for what follows that.
        this.#welcome(child, 'tail', head, effects)
        this.leave(child.link)
        continue
      }
      this.#needSnapshot(child, effects)
      if (isOther) this.#welcome(child, 'snapshot', head, effects)
    }
  }

  /** Refuses the children that wait for a snapshot which does not come: they ask again. */
  refuseWaiting(
    reason: { readonly code: ErrorCode; readonly message: string; readonly retryAfterMs: number },
    effects: EffectSink<LinkEffect>,
  ): void {
    const { code, message, retryAfterMs } = reason
    for (const child of this.#children.values()) {
      if (!child.needsSnapshot || child.isCongested) continue
      this.leave(child.link)
      this.#send(child.link, refusal(this.#doc, code, message, retryAfterMs), effects)
    }
  }

  /** Tells all children that the document is no longer served here, and forgets them. */
  end(code: ErrorCode, message: string, effects: EffectSink<LinkEffect>): void {
    for (const child of this.#children.values()) this.#endOf(child, code, message, effects)
  }

  /** Tells all children how old what they get may be; those whose links are full, once they are not. */
  tellStaleness(effects: EffectSink<LinkEffect>): void {
    for (const child of this.#children.values()) {
      if (child.isCongested) child.isStatusDue = true
      else this.#tellStatus(child, effects)
    }
  }

  /** Tells the children that were sent everything where the head is: who lacks something asks for it. */
  signalHead(effects: EffectSink<LinkEffect>): void {
    const value = this.#ring.lastSeq
    let frame: Uint8Array | undefined
    for (const child of this.#children.values()) {
      if (child.needsSnapshot || isTransferring(child) || child.cursor < value) continue
      frame ??= encodeLinkFrame({ kind: 'signal', signal: 'head', doc: this.#doc, value })
      const key = `head:${this.#channel}`
      effects.push({ kind: 'link-signal', link: child.link, key, frame })
    }
  }

  /** A child asks what the state is. */
  askHash(link: LinkId): void {
    const child = this.#children.get(link)
    if (child === undefined) return
    child.isHashDue = true
    this.#isHashDue = true
  }

  /** True while children wait to be told what the state is. */
  get isHashDue(): boolean {
    return this.#isHashDue
  }

  /** Tells the children that have asked what the state is, each as far as its ceiling goes. */
  tellHash(answer: StateHash, effects: EffectSink<LinkEffect>): void {
    this.#isHashDue = false
    for (const child of this.#children.values()) {
      if (!child.isHashDue) continue
      child.isHashDue = false
      const ceiling = Math.min(answer.ceiling, child.ceiling)
      const hashes = answer.hashes.filter(({ tag }) => tag <= ceiling)
      // Behind what follows it, an answer would be of no use: the child is past it.
      const isPast = child.cursor > answer.at.seq
      const told = isPast || hashes.length === 0 ? noHash : { at: answer.at, ceiling, hashes }
      this.#send(child.link, { kind: 'state-hash', doc: this.#doc, ...told }, effects)
    }
  }

  /**
   * Lets go of what is kept for nobody: snapshots that were sent whole before the last call. True while
   * some are kept.
   */
  letGo(): boolean {
    let isKept = false
    for (const child of this.#children.values()) {
      this.#transfers.letGo(child)
      if (child.transfer !== undefined) isKept = true
    }
    this.#holdRing()
    return isKept
  }

  /**
   * What follows a snapshot stays until the child that was sent it has that too, or it is as much as the
   * snapshot: then the document changes faster than the link carries it. Else a child whose snapshot is
   * longer on its way than the ring keeps records would need another one each time. One that needs
   * another one already is helped no more by what is left.
   */
  #holdRing(): void {
    const base = this.#ring.base.seq
    let after = Number.POSITIVE_INFINITY
    let bytesMax = 0
    for (const { cursor, catchUpBytes, needsSnapshot } of this.#children.values()) {
      if (catchUpBytes === 0 || needsSnapshot || cursor < base) continue
      after = Math.min(after, cursor)
      bytesMax = Math.max(bytesMax, catchUpBytes)
    }
    this.#ring.hold(bytesMax === 0 ? undefined : { after, bytesMax })
  }

  #childOf(request: JoinRequest): ChildStream {
    const granted = Math.min(request.credit, creditBytesMax)
    return {
      link: request.link,
      ceilingMax: request.ceiling,
      ceiling: 0,
      take: request.take,
      isMovable: request.isMovable,
      codecs: request.codecs,
      allowance: request.allowance,
      takenCount: request.allowance.takenCount,
      granted,
      have: request.have,
      cursor: 0,
      credit: granted,
      isCongested: request.isCongested,
      transfer: undefined,
      catchUpBytes: 0,
      needsSnapshot: false,
      isStatusDue: false,
      isStatusTold: false,
      isHashDue: false,
    }
  }

  /** The child needs a snapshot; one that takes none has nothing to wait for. */
  #needSnapshot(child: ChildStream, effects: EffectSink<LinkEffect>): void {
    if (child.take === 'tail') {
      this.#endOf(child, 'FANFOLD_NO_TAIL', 'what the child lacks is not at hand any more', effects)
    } else {
      this.#transfers.need(child)
    }
  }

  #endOf(
    child: ChildStream,
    code: ErrorCode,
    message: string,
    effects: EffectSink<LinkEffect>,
  ): void {
    this.leave(child.link)
    this.#send(child.link, { kind: 'ended', channel: this.#channel, code, message }, effects)
  }

  #tellStatus(child: ChildStream, effects: EffectSink<LinkEffect>): void {
    const { stale, ageMs } = this.#staleness()
    // On a link that was full before, what was told may be lost: it is told once more.
    child.isStatusTold = stale || !child.isStatusDue
    child.isStatusDue = false
    const channel = this.#channel
    const frame = encodeLinkFrame({ kind: 'status', channel, stale, ageMs })
    effects.push({ kind: 'link-signal', link: child.link, key: `status:${channel}`, frame })
  }

  #ceilingOf(child: ChildStream): number {
    return Math.min(this.#ceiling(), child.ceilingMax)
  }

  #welcome(
    child: ChildStream,
    mode: JoinMode,
    head: Position,
    effects: EffectSink<LinkEffect>,
  ): void {
    child.ceiling = this.#ceilingOf(child)
    // The child counts anew from each welcome.
    child.credit = child.granted
    const { link, ceiling } = child
    const [doc, channel, found] = [this.#doc, this.#channel, this.#placeFor(link)]
    const place = found === undefined ? {} : { place: found }
    this.#send(link, { kind: 'welcome', doc, channel, mode, head, ceiling, ...place }, effects)
  }

  #sendRecords(child: ChildStream, frames: RecordFrames, effects: EffectSink<LinkEffect>): void {
    const ring = this.#ring
    while (child.credit > 0 && child.cursor < ring.lastSeq) {
      if (child.cursor < ring.base.seq) {
        this.#needSnapshot(child, effects)
        return
      }
      const { frame, to, recordBytes } = frames.after(child.cursor, child)
      child.cursor = to
      // Credit counts the records' own bytes, as the child does.
      child.credit -= recordBytes
      effects.push({ kind: 'link-send', link: child.link, frame })
    }
  }

  #send(link: LinkId, frame: LinkFrame, effects: EffectSink<LinkEffect>): void {
    effects.push({ kind: 'link-send', link, frame: encodeLinkFrame(frame) })
  }
}
