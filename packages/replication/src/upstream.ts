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
 */

import { Chain, type Snapshot } from '@fanfold/document'
import {
  after,
  assert,
  Backoff,
  copyBytes,
  type EffectSink,
  encodeUtf8,
  equalBytes,
  type Instant,
  milliseconds,
  type Prng,
  type Sha256,
  sha256Bytes,
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

/** Bounds of one stream at the child. */
export type UpstreamLimits = {
  /** Bytes of records that may be under way. */
  readonly creditBytes: number
  /** A snapshot larger than this is refused. */
  readonly snapshotBytesMax: number
  /** How long an answer to a join, or the next piece of a snapshot, may take. */
  readonly answerMaxMs: number
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
}

/** Limits that suit a link within a region or between two. */
export const defaultUpstreamLimits: UpstreamLimits = {
  creditBytes: 1_048_576,
  snapshotBytesMax: 134_217_728,
  answerMaxMs: 2_000,
  backoffBaseMs: 50,
  backoffMaxMs: 1_000,
}

/** Why a stream starts anew; a metric label. */
export type ResyncReason = 'gap' | 'hash' | 'piece' | 'silence' | 'broken'

/** What a stream tells its owner. */
export type UpstreamEvent =
  /** The next records, verified. */
  | { readonly kind: 'records'; readonly records: readonly LogRecord[] }
  /** A verified snapshot that takes the place of everything held. */
  | { readonly kind: 'reset'; readonly snapshot: Snapshot }
  /** The stream is up to date with the parent's head of the moment of the join. */
  | { readonly kind: 'joined' }
  /** `final` when asking again would not help. */
  | {
      readonly kind: 'refused'
      readonly code: ErrorCode
      readonly message: string
      readonly final: boolean
    }
  | { readonly kind: 'stale'; readonly stale: boolean; readonly ageMs: number }
  | { readonly kind: 'resync'; readonly reason: ResyncReason }

type Assembly = {
  readonly manifest: SnapshotManifest
  readonly pieces: (Uint8Array | undefined)[]
  missing: number
  /** Pieces that came damaged and were asked for again. */
  readonly retried: Set<number>
}

type State = 'detached' | 'joining' | 'assembling' | 'live' | 'waiting' | 'refused'

/** One document's stream from a parent. */
export class Upstream {
  readonly doc: DocumentKey
  readonly #keyBytes: Uint8Array
  readonly #chain: Chain
  readonly #sha256: Sha256
  readonly #limits: UpstreamLimits
  readonly #backoff: Backoff
  #state: State = 'detached'
  #link: LinkId | undefined
  #channel: number | undefined
  #position: Position = zeroPosition
  /** False while nothing held is worth resuming from. */
  #hasState = false
  #assembly: Assembly | undefined
  /** Bytes taken since the last credit was given. */
  #taken = 0
  #deadline: Instant | undefined

  constructor(options: {
    readonly doc: DocumentKey
    readonly sha256: Sha256
    readonly prng: Prng
    readonly limits: UpstreamLimits
  }) {
    const { doc, sha256, prng, limits } = options
    this.doc = doc
    this.#keyBytes = encodeUtf8(doc)
    this.#chain = new Chain(sha256)
    this.#sha256 = sha256
    this.#limits = limits
    this.#backoff = new Backoff(
      { base: milliseconds(limits.backoffBaseMs), max: milliseconds(limits.backoffMaxMs) },
      prng,
    )
  }

  /** The channel on which the parent sends this document, once it has said so. */
  get channel(): number | undefined {
    return this.#channel
  }

  /** True while records come in as the parent gets them. */
  get isLive(): boolean {
    return this.#state === 'live'
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

  /** What is held is of no use (a record did not apply): everything is fetched again. */
  restart(reason: ResyncReason, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    this.#hasState = false
    return this.#resync(reason, now, effects)
  }

  /** Takes a frame of this stream from the parent. */
  receive(frame: LinkFrame, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    switch (frame.kind) {
      case 'welcome':
        return this.#welcomed(frame, now)
      case 'refused':
        return this.#refused(frame.code, frame.message, frame.retryAfterMs, now)
      case 'ended':
        return this.#refused(frame.code, frame.message, 0, now)
      case 'records':
        return this.#take(frame.records, now, effects)
      case 'snapshot-begin':
        return this.#begin(frame.manifest, now, effects)
      case 'snapshot-piece':
        return this.#takePiece(frame.index, frame.piece, now, effects)
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

  #welcomed(frame: Extract<LinkFrame, { kind: 'welcome' }>, now: Instant): UpstreamEvent[] {
    if (this.#state !== 'joining') return []
    this.#channel = frame.channel
    if (frame.mode === 'snapshot') {
      this.#state = 'assembling'
      this.#deadline = after(now, milliseconds(this.#limits.answerMaxMs))
      return []
    }
    this.#state = 'live'
    this.#deadline = undefined
    return [{ kind: 'joined' }]
  }

  #refused(code: ErrorCode, message: string, retryAfterMs: number, now: Instant): UpstreamEvent[] {
    if (this.#state === 'detached' || this.#state === 'refused') return []
    this.#assembly = undefined
    const final = !meaningOf(code).retry
    if (final) {
      this.#state = 'refused'
      this.#deadline = undefined
    } else {
      this.#state = 'waiting'
      const wait = Math.max(this.#backoff.next(), milliseconds(retryAfterMs))
      this.#deadline = after(now, wait as ReturnType<typeof milliseconds>)
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
    let first = 0
    let count = 0
    let broken: ResyncReason | undefined
    for (const record of records) {
      this.#taken += record.bytes.length
      if (record.seq <= position.seq) {
        // Sent twice, by the parent before this one or before a rejoin: covered already.
        if (count === 0) first++
        continue
      }
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
      count++
    }
    // The hash is a view of the frame, which need not be kept for it.
    if (count > 0) this.#position = { ...position, hash: copyBytes(position.hash) }
    const events: UpstreamEvent[] = []
    if (count > 0) {
      this.#backoff.reset()
      this.#hasState = true
      events.push({
        kind: 'records',
        records: count === records.length ? records : records.slice(first, first + count),
      })
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
    let bytes = 0
    for (const piece of manifest.pieces) bytes += piece.bytes
    if (bytes > this.#limits.snapshotBytesMax) {
      const message = `a snapshot of at most ${this.#limits.snapshotBytesMax} bytes, got ${bytes}`
      return this.#refused('FANFOLD_TOO_LARGE', message, 0, now)
    }
    if (
      this.#hasState &&
      manifest.at.epoch <= this.#position.epoch &&
      manifest.at.seq < this.#position.seq
    ) {
      // Going back is only for a new epoch: a parent that is behind is asked again later.
      return this.#resync('gap', now, effects)
    }
    this.#assembly = {
      manifest,
      pieces: new Array(manifest.pieces.length),
      missing: manifest.pieces.length,
      retried: new Set(),
    }
    this.#deadline = after(now, milliseconds(this.#limits.answerMaxMs))
    return this.#complete()
  }

  #takePiece(
    index: number,
    piece: Uint8Array,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    const assembly = this.#assembly
    const entry = assembly?.manifest.pieces[index]
    if (assembly === undefined || entry === undefined || assembly.pieces[index] !== undefined)
      return []
    this.#deadline = after(now, milliseconds(this.#limits.answerMaxMs))
    const digest = new Uint8Array(sha256Bytes)
    this.#sha256(piece, digest, 0)
    if (piece.length !== entry.bytes || !equalBytes(digest, entry.digest)) {
      if (assembly.retried.has(index)) return this.#resync('piece', now, effects)
      assembly.retried.add(index)
      assert(this.#channel !== undefined, 'a stream that assembles has a channel')
      this.#send({ kind: 'request-pieces', channel: this.#channel, indexes: [index] }, effects)
      return []
    }
    assembly.pieces[index] = piece
    assembly.missing--
    return this.#complete()
  }

  /** Hands the snapshot on when all of it is here. */
  #complete(): UpstreamEvent[] {
    const assembly = this.#assembly
    if (assembly === undefined || assembly.missing > 0) return []
    this.#assembly = undefined
    this.#state = 'live'
    this.#deadline = undefined
    this.#hasState = true
    this.#position = assembly.manifest.at
    this.#backoff.reset()
    const snapshot = { manifest: assembly.manifest, pieces: assembly.pieces as Uint8Array[] }
    return [{ kind: 'reset', snapshot }, { kind: 'joined' }]
  }

  /** Starts anew: at once the first time, after a wait when it did not help. */
  #resync(reason: ResyncReason, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    this.#assembly = undefined
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
