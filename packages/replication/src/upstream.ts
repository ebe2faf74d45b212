/*
 * The child's side of one document's stream.
 *
 *   detached ── attach ──▶ joining ── welcome: tail ─────────────▶ live
 *                            ▲   └─── welcome: snapshot ─▶ assembling ──┘
 *                            │                                │
 *                            └──── waiting (backoff) ◀─ refused, gap, bad hash, no answer
 *
 * A record is handed on only when it is the next one and its chain hash is what the bytes make it.
 * A gap asks again at once with what we have; a hash that does not match asks for a snapshot. The
 * second time in a row, and each time after, waits first.
 *
 * What is held came under one trust ceiling. A welcome under another one makes it worth nothing: what
 * follows would not fit. When the other one is lower, it is given up at once; when it is higher, it may
 * be served until the snapshot is here.
 */

import { Chain, type PackedPiece } from '@fanfold/document'
import {
  after,
  assert,
  Backoff,
  copyBytes,
  type EffectSink,
  encodeUtf8,
  type Instant,
  milliseconds,
  type Prng,
  type Sha256,
} from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type LogRecord,
  meaningOf,
  type Position,
  type SnapshotManifest,
  zeroPosition,
} from '@fanfold/protocol'
import { isAhead } from './is-ahead.ts'
import type { PiecePacker } from './piece-packer.ts'
import { SnapshotAssembly, snapshotBytes } from './snapshot-assembly.ts'
import type { ResyncReason, UpstreamEvent } from './upstream-event.ts'
import type { UpstreamLimits } from './upstream-limits.ts'

/** A parent that asks for a longer wait is asked again after this one. */
const retryAfterMsMax = 30_000

type State = 'detached' | 'joining' | 'assembling' | 'live' | 'waiting' | 'refused'

/** One document's stream from a parent. */
export class Upstream {
  readonly doc: DocumentKey
  readonly #keyBytes: Uint8Array
  readonly #chain: Chain
  readonly #sha256: Sha256
  readonly #limits: UpstreamLimits
  readonly #packer: PiecePacker
  readonly #isSnapshotDisabled: boolean
  readonly #backoff: Backoff
  #state: State = 'detached'
  #link: LinkId | undefined
  #channel: number | undefined
  /** What is held came under this ceiling; undefined before anything was. */
  #ceiling: number | undefined
  /** What comes is under this one, as the last welcome has said. */
  #nextCeiling = 0
  #position: Position = zeroPosition
  /** Where the stream stood when it had to start anew last. */
  #troubleAt: Position = zeroPosition
  /** False while nothing held is worth resuming from. */
  #hasState = false
  /** What was given up for its ceiling reached to here: nothing before it takes its place. */
  #floor: Position = zeroPosition
  #assembly: SnapshotAssembly | undefined
  /** Bytes taken since the last credit was given. */
  #taken = 0
  #deadline: Instant | undefined

  constructor(options: {
    readonly doc: DocumentKey
    readonly sha256: Sha256
    readonly prng: Prng
    readonly limits: UpstreamLimits
    /** Unpacks pieces, and remembers how they came; one for a whole node. */
    readonly packer: PiecePacker
    /** Whether to do without snapshots; not when not said. */
    readonly isSnapshotDisabled?: boolean | undefined
  }) {
    const { doc, sha256, prng, limits, packer, isSnapshotDisabled = false } = options
    this.doc = doc
    this.#keyBytes = encodeUtf8(doc)
    this.#chain = new Chain(sha256)
    this.#sha256 = sha256
    this.#limits = limits
    this.#packer = packer
    this.#isSnapshotDisabled = isSnapshotDisabled
    this.#backoff = new Backoff(
      { base: milliseconds(limits.backoffBaseMs), max: milliseconds(limits.backoffMaxMs) },
      prng,
    )
  }

  /** The channel on which the parent sends this document, once it has said so. */
  get channel(): number | undefined {
    return this.#channel
  }

  /** Highest tag of a part in what is held and in the records that follow it; 0 before anything is. */
  get ceiling(): number {
    return this.#ceiling ?? 0
  }

  /** True while records come in as the parent gets them. */
  get isLive(): boolean {
    return this.#state === 'live'
  }

  /** True while the stream waits before it asks the parent again. */
  get isWaiting(): boolean {
    return this.#state === 'waiting'
  }

  /** After the last record handed on. */
  get position(): Position {
    return this.#position
  }

  /** When `tick` has something to do. */
  get wakeAt(): Instant | undefined {
    return this.#deadline
  }

  /** Joins over `link`, resuming from what is held. */
  attach(link: LinkId, now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#link = link
    this.#channel = undefined
    this.#join(now, effects)
  }

  /** The link is gone; what is held stays. */
  detach(): void {
    this.#state = 'detached'
    this.#link = undefined
    this.#channel = undefined
    this.#assembly = undefined
    this.#deadline = undefined
  }

  /** Nobody below wants the document any more. */
  leave(effects: EffectSink<LinkEffect>): void {
    if (this.#link !== undefined && this.#state !== 'refused') {
      this.#send({ kind: 'leave', doc: this.doc }, effects)
    }
    this.detach()
  }

  /** What is held is of no use (a record did not apply): everything is fetched again, if it is not yet. */
  restart(reason: ResyncReason, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    if (!this.#hasState) return []
    this.#hasState = false
    return this.#resync(reason, now, effects)
  }

  /** Takes a frame of this stream from the parent. */
  receive(frame: LinkFrame, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    switch (frame.kind) {
      case 'welcome':
        return this.#welcomed(frame, now, effects)
      case 'refused':
        return this.#refused(frame.code, frame.message, frame.retryAfterMs, now)
      case 'ended':
        return this.#refused(frame.code, frame.message, 0, now)
      case 'records':
        return this.#take(frame.records, now, effects)
      case 'snapshot-begin':
        return this.#begin(frame.manifest, now, effects)
      case 'snapshot-piece':
        return this.#takePiece(
          frame.index,
          { codec: frame.codec, bytes: frame.piece },
          now,
          effects,
        )
      case 'status':
        return [{ kind: 'stale', stale: frame.stale, ageMs: frame.ageMs }]
      default:
        return []
    }
  }

  /** Does what is due: an answer that did not come, or a wait that is over. */
  tick(now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    if (this.#deadline === undefined || now < this.#deadline) return []
    this.#deadline = undefined
    if (this.#state === 'waiting') {
      this.#join(now, effects)
      return []
    }
    return this.#resync('silence', now, effects)
  }

  #welcomed(
    frame: Extract<LinkFrame, { kind: 'welcome' }>,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    const isOther = this.#hasState && frame.ceiling !== this.#ceiling
    const events = this.#lowerTo(frame.ceiling)
    // The last of several answers counts: with it the parent's view of position and credit began.
    const isAwaited = this.#state === 'joining' || this.#state === 'assembling' || this.isLive
    if (!isAwaited) return events
    this.#channel = frame.channel
    if (frame.mode === 'tail') {
      if (isOther) {
        this.#giveUp()
        return [...events, ...this.#resync('ceiling', now, effects)]
      }
      // A tail that follows nothing answers a join from before what was held was given up.
      if (!this.#hasState) return events
    }
    this.#nextCeiling = frame.ceiling
    this.#assembly = undefined
    this.#taken = 0
    if (frame.mode === 'snapshot') {
      this.#state = 'assembling'
      this.#deadline = after(now, milliseconds(this.#limits.answerMaxMs))
      return events
    }
    this.#state = 'live'
    this.#deadline = undefined
    return [...events, { kind: 'joined' }]
  }

  /** Nothing above `ceiling` may stay, whether it is of use or not. */
  #lowerTo(ceiling: number): UpstreamEvent[] {
    if (this.#ceiling === undefined || ceiling >= this.#ceiling) return []
    this.#ceiling = ceiling
    this.#giveUp()
    return [{ kind: 'ceiling', ceiling }]
  }

  #giveUp(): void {
    if (this.#hasState) this.#floor = this.#position
    this.#hasState = false
  }

  #refused(code: ErrorCode, message: string, retryAfterMs: number, now: Instant): UpstreamEvent[] {
    if (this.#state === 'detached' || this.#state === 'refused') return []
    this.#assembly = undefined
    // A document that does not exist may be created: children wait for it as for a lost parent.
    const final = !meaningOf(code).retry && code !== 'FANFOLD_NO_DOCUMENT'
    if (final) {
      this.#state = 'refused'
      this.#deadline = undefined
    } else {
      this.#state = 'waiting'
      const asked = milliseconds(Math.min(retryAfterMs, retryAfterMsMax))
      const wait = this.#backoff.next()
      this.#deadline = after(now, wait > asked ? wait : asked)
    }
    return [{ kind: 'refused', code, message, final }]
  }

  #take(
    records: readonly LogRecord[],
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    if (this.#state !== 'live') return []
    let position = this.#position
    const fresh: LogRecord[] = []
    let broken: ResyncReason | undefined
    for (const record of records) {
      this.#taken += record.bytes.length
      // Sent twice, by the parent before this one or before a rejoin: covered already.
      if (record.seq <= position.seq) continue
      if (record.seq !== position.seq + 1) {
        broken = 'gap'
        break
      }
      if (
        record.epoch < position.epoch ||
        !record.isOf(this.#keyBytes) ||
        !this.#chain.verifies(record, position.hash)
      ) {
        broken = 'hash'
        break
      }
      position = { epoch: record.epoch, seq: record.seq, hash: record.chainHash }
      fresh.push(record)
    }
    const events: UpstreamEvent[] = []
    if (fresh.length > 0) {
      // The hash is a view of the frame, which need not be kept for it.
      this.#position = { ...position, hash: copyBytes(position.hash) }
      this.#progressed()
      events.push({ kind: 'records', records: fresh })
    }
    if (broken !== undefined) {
      // What is held may be the damaged half: only a snapshot can tell.
      if (broken === 'hash') this.#hasState = false
      events.push(...this.#resync(broken, now, effects))
    } else {
      this.#giveCredit(effects)
    }
    return events
  }

  #begin(
    manifest: SnapshotManifest,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    // A child that fell off the parent's ring gets a snapshot without having asked.
    if (this.#state !== 'assembling' && this.#state !== 'live') return []
    this.#state = 'assembling'
    const bytes = snapshotBytes(manifest)
    if (bytes > this.#limits.snapshotBytesMax) {
      // The parent does not know yet that it has been refused.
      this.#send({ kind: 'leave', doc: this.doc }, effects)
      const message = `a snapshot of at most ${this.#limits.snapshotBytesMax} bytes, got ${bytes}`
      return this.#refused('FANFOLD_TOO_LARGE', message, 0, now)
    }
    if (isAhead(this.#hasState ? this.#position : this.#floor, manifest.at)) {
      // Going back is only for a new epoch: a parent that is behind is asked again later.
      return this.#resync('gap', now, effects)
    }
    this.#assembly = new SnapshotAssembly(manifest, this.#sha256, this.#packer)
    this.#deadline = after(now, milliseconds(this.#limits.answerMaxMs))
    return this.#complete()
  }

  #takePiece(
    index: number,
    piece: PackedPiece,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    const taken = this.#assembly?.take(index, piece) ?? 'unwanted'
    if (taken === 'unwanted') return []
    if (taken === 'damaged-again') return this.#resync('piece', now, effects)
    this.#deadline = after(now, milliseconds(this.#limits.answerMaxMs))
    if (taken === 'good') return this.#complete()
    assert(this.#channel !== undefined, 'a stream that assembles has a channel')
    this.#send({ kind: 'request-pieces', channel: this.#channel, indexes: [index] }, effects)
    return []
  }

  /** Hands the snapshot on when all of it is here. */
  #complete(): UpstreamEvent[] {
    const snapshot = this.#assembly?.snapshot
    if (snapshot === undefined) return []
    this.#assembly = undefined
    this.#state = 'live'
    this.#deadline = undefined
    this.#hasState = true
    this.#ceiling = this.#nextCeiling
    this.#floor = zeroPosition
    this.#position = snapshot.manifest.at
    this.#progressed()
    return [{ kind: 'reset', snapshot }, { kind: 'joined' }]
  }

  /** Starts anew: at once the first time, after a wait when it did not help. */
  #resync(reason: ResyncReason, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    this.#assembly = undefined
    this.#troubleAt = this.#position
    if (this.#link === undefined) return [{ kind: 'resync', reason }]
    const isFirst = this.#backoff.attempts === 0
    const wait = this.#backoff.next()
    if (isFirst) {
      this.#join(now, effects)
    } else {
      this.#state = 'waiting'
      this.#deadline = after(now, wait)
    }
    return [{ kind: 'resync', reason }]
  }

  /** Trouble is over once the stream is past the place where it was: till then each time waits. */
  #progressed(): void {
    if (isAhead(this.#position, this.#troubleAt)) this.#backoff.reset()
  }

  #join(now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#state = 'joining'
    this.#assembly = undefined
    this.#taken = 0
    this.#deadline = after(now, milliseconds(this.#limits.answerMaxMs))
    this.#send(
      {
        kind: 'join',
        doc: this.doc,
        have: this.#hasState ? this.#position : undefined,
        credit: this.#limits.creditBytes,
        take: this.#isSnapshotDisabled ? 'tail' : 'any',
        codecs: this.#packer.codecs,
      },
      effects,
    )
  }

  #giveCredit(effects: EffectSink<LinkEffect>): void {
    if (this.#channel === undefined || this.#taken < this.#limits.creditBytes / 2) return
    this.#send({ kind: 'credit', channel: this.#channel, bytes: this.#taken }, effects)
    this.#taken = 0
  }

  #send(frame: LinkFrame, effects: EffectSink<LinkEffect>): void {
    assert(this.#link !== undefined, 'a stream that sends has a link')
    effects.push({ kind: 'link-send', link: this.#link, frame: encodeLinkFrame(frame) })
  }
}
