/*
 * The child's side of one document's stream.
 *
 *   detached ── attach ──▶ joining ── welcome: tail ─────────────▶ live
 *                            ▲   └─── welcome: snapshot ─▶ assembling ──┘
 *                            │                                │
 *                            ├─ waiting (backoff) ◀── refused, gap, bad hash, no answer
 *                            │      │
 *                            └─ replaying ◀── no tail to be had and no snapshot worth it
 *
 * A record is handed on only when it is the next one and its chain hash is what the bytes make it.
 * A gap asks again at once with what we have; a hash that does not match asks for a snapshot. The
 * second time in a row, and each time after, waits first. What is done beyond asking the same parent
 * again is decided by who knows the other ones (`repair.ts`).
 *
 * What is held came under one trust ceiling. A welcome under another one makes it worth nothing: what
 * follows would not fit. When the other one is lower, it is given up at once; when it is higher, it may
 * be served until the snapshot is here.
 */

import type { PackedPiece } from '@fanfold/document'
import {
  after,
  Backoff,
  type EffectSink,
  type Instant,
  milliseconds,
  type Prng,
  type Sha256,
} from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type LogRecord,
  meaningOf,
  type Position,
  type SnapshotManifest,
} from '@fanfold/protocol'
import type { AssemblyBudget } from './assembly-budget.ts'
import { CatchUp } from './catch-up.ts'
import { HeldState } from './held-state.ts'
import { ParentLine } from './parent-line.ts'
import type { PiecePacker } from './piece-packer.ts'
import { type CheckedRecords, RecordCheck } from './record-check.ts'
import type { Repair } from './repair.ts'
import { snapshotBytes } from './snapshot-assembly.ts'
import { SnapshotIntake } from './snapshot-intake.ts'
import type { ResyncReason, UpstreamEvent } from './upstream-event.ts'
import type { UpstreamLimits } from './upstream-limits.ts'

/** A parent that asks for a longer wait is asked again after this one. */
const retryAfterMsMax = 30_000

type State = 'detached' | 'joining' | 'assembling' | 'live' | 'waiting' | 'refused' | 'replaying'

/** What all streams of a node share. */
export type UpstreamNode = {
  readonly sha256: Sha256
  readonly limits: UpstreamLimits
  /** Unpacks pieces, and remembers how they came. */
  readonly packer: PiecePacker
  /** Room for snapshots on their way. */
  readonly budget: AssemblyBudget
  /** Says what is done about trouble. */
  readonly repair: Repair
  /** Called before a parent is asked for a log: nobody else may have a replay of it on that link. */
  readonly beforeReplay: (doc: DocumentKey, effects: EffectSink<LinkEffect>) => void
  /** Whether to do without snapshots, and replay the log where the tail is not enough. */
  readonly isSnapshotDisabled: boolean
}

/** One document's stream from a parent. */
export class Upstream {
  readonly doc: DocumentKey
  readonly #node: UpstreamNode
  readonly #limits: UpstreamLimits
  readonly #check: RecordCheck
  readonly #backoff: Backoff
  readonly #line: ParentLine
  readonly #held = new HeldState()
  readonly #catchUp = new CatchUp()
  #state: State = 'detached'
  #channel: number | undefined
  #intake: SnapshotIntake | undefined
  /** True while the log is to be replayed: joins and snapshots were of no use. */
  #isReplayDue = false
  /** What was replayed is worth more than the parent's snapshot. */
  #takesTailAlone = false
  /** The link over which a snapshot was asked for in vain, in this catching up. */
  #failedOver: LinkId | undefined
  /** Seq of the parent's last record, as it says, while that has not come. */
  #headSeq: number | undefined
  #deadline: Instant | undefined

  constructor(options: {
    readonly doc: DocumentKey
    readonly prng: Prng
    readonly node: UpstreamNode
  }) {
    const { doc, prng, node } = options
    const { limits } = node
    this.doc = doc
    this.#node = node
    this.#limits = limits
    this.#check = new RecordCheck(doc, node.sha256)
    this.#line = new ParentLine(doc, limits.creditBytes)
    this.#backoff = new Backoff(
      { base: milliseconds(limits.backoffBaseMs), max: milliseconds(limits.backoffMaxMs) },
      prng,
    )
  }

  /** The link to the parent that serves the stream. */
  get link(): LinkId | undefined {
    return this.#line.link
  }

  /** The channel on which the parent sends this document, once it has said so. */
  get channel(): number | undefined {
    return this.#channel
  }

  /** Highest tag of a part in what is held and in the records that follow it; 0 before anything is. */
  get ceiling(): number {
    return this.#held.ceiling ?? 0
  }

  /** True while records come in as the parent gets them. */
  get isLive(): boolean {
    return this.#state === 'live'
  }

  /** True while the stream waits before it asks the parent again. */
  get isWaiting(): boolean {
    return this.#state === 'waiting'
  }

  /** True while the parent is asked for the log itself: what it sends of a replay is for this stream. */
  get isReplaying(): boolean {
    return this.#state === 'replaying'
  }

  /** After the last record handed on. */
  get position(): Position {
    return this.#held.position
  }

  /** When `tick` has something to do. */
  get wakeAt(): Instant | undefined {
    return this.#intake?.wakeAt ?? this.#deadline
  }

  /** Before the first `attach`: goes on from what was kept, which came under this ceiling. */
  resumeFrom(position: Position, ceiling: number): void {
    this.#held.keep(position, ceiling)
  }

  /** Joins over `link`, resuming from what is held. */
  attach(link: LinkId, now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#line.attach(link)
    this.#channel = undefined
    this.#catchUp.begin(now)
    this.#ask(now, effects)
  }

  /** The link is gone; what is held stays. */
  detach(): void {
    this.#state = 'detached'
    this.#line.detach()
    this.#channel = undefined
    this.#dropIntake()
    this.#deadline = undefined
  }

  /** Nobody below wants the document any more. */
  leave(effects: EffectSink<LinkEffect>): void {
    if (this.link !== undefined && this.#state !== 'refused') {
      const kind = this.isReplaying ? 'leave-replay' : 'leave'
      this.#line.send({ kind, doc: this.doc }, effects)
    }
    this.detach()
  }

  /** What is held is of no use (a record did not apply): everything is fetched again, if it is not yet. */
  restart(reason: ResyncReason, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    if (!this.#held.isWorth) return []
    this.#held.distrust()
    return this.#resync(reason, now, effects)
  }

  /** While it is held, the parent gets no more credit: what has come is to be dealt with first. */
  holdCredit(isHeld: boolean, now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#line.holdCredit(isHeld, effects)
    if (this.isReplaying) this.#deadline = isHeld ? undefined : this.#answerBy(now)
  }

  /** Takes a frame of this stream from the parent. */
  receive(frame: LinkFrame, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    switch (frame.kind) {
      case 'welcome':
        return this.#welcomed(frame, now, effects)
      case 'refused':
        return this.#refused(frame.code, frame.message, frame.retryAfterMs, now, effects)
      case 'ended':
        return this.#refused(frame.code, frame.message, 0, now, effects)
      case 'records':
        return this.#take(frame.records, now, effects)
      case 'snapshot-begin':
        return this.#begin(frame.manifest, now, effects)
      case 'snapshot-piece': {
        const packed = { codec: frame.codec, bytes: frame.piece }
        return this.#takePiece(frame.index, packed, now, effects)
      }
      case 'replay':
        return this.#takeReplay(frame, now, effects)
      case 'replay-ended':
        return this.#replayEnded(frame, now, effects)
      case 'status':
        return [{ kind: 'stale', stale: frame.stale, ageMs: frame.ageMs }]
      case 'signal':
        if (frame.signal === 'head') this.#headSaid(frame.value, now)
        return []
      default:
        return []
    }
  }

  /** Does what is due: an answer that did not come, pieces that are missing, or a wait that is over. */
  tick(now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    const { wakeAt } = this
    if (wakeAt === undefined || now < wakeAt) return []
    if (this.#intake !== undefined && !this.#intake.isOver(now)) {
      this.#askForPieces(this.#intake.ask(), effects)
      return []
    }
    this.#deadline = undefined
    if (this.#state === 'waiting') {
      this.#ask(now, effects)
      return []
    }
    return this.#resync(this.isLive ? 'gap' : 'silence', now, effects)
  }

  #welcomed(
    frame: Extract<LinkFrame, { kind: 'welcome' }>,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    const isOther = this.#held.isOtherThan(frame.ceiling)
    const events = this.#lowerTo(frame.ceiling)
    // The last of several answers counts: with it the parent's view of position and credit began.
    const isAwaited = this.#state === 'joining' || this.#state === 'assembling' || this.isLive
    if (!isAwaited) return events
    this.#channel = frame.channel
    if (frame.mode === 'tail') {
      if (isOther) {
        this.#held.giveUp()
        this.#takesTailAlone = false
        return [...events, ...this.#resync('ceiling', now, effects)]
      }
      // A tail that follows nothing answers a join from before what was held was given up.
      if (!this.#held.isWorth) return events
    }
    this.#held.comesUnder(frame.ceiling)
    this.#dropIntake()
    this.#line.begin()
    this.#catchUp.begin(now)
    this.#catchUp.aim(frame.head.seq)
    if (frame.mode === 'snapshot') {
      this.#state = 'assembling'
      this.#deadline = this.#answerBy(now)
      return events
    }
    this.#goLive()
    return [...events, { kind: 'joined' }, ...this.#arrived(now)]
  }

  /** Nothing above `ceiling` may stay, whether it is of use or not. */
  #lowerTo(ceiling: number): UpstreamEvent[] {
    return this.#held.lowerTo(ceiling) ? [{ kind: 'ceiling', ceiling }] : []
  }

  #goLive(): void {
    this.#state = 'live'
    this.#deadline = undefined
    this.#headSeq = undefined
    this.#isReplayDue = false
    this.#takesTailAlone = false
  }

  #refused(
    code: ErrorCode,
    message: string,
    retryAfterMs: number,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    if (this.#state === 'detached' || this.#state === 'refused') return []
    this.#dropIntake()
    this.#catchUp.begin(now)
    if (code === 'FANFOLD_NO_TAIL' && this.#takesTail) {
      this.#isReplayDue = true
      this.#askAgain(now, effects)
      return []
    }
    // A document that does not exist may be created: children wait for it as for a lost parent.
    const final = !meaningOf(code).retry && code !== 'FANFOLD_NO_DOCUMENT'
    if (final) {
      this.#state = 'refused'
      this.#deadline = undefined
    } else {
      this.#waitAtLeast(retryAfterMs, now)
    }
    return [{ kind: 'refused', code, message, final }]
  }

  #take(
    records: readonly LogRecord[],
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    if (this.#intake !== undefined) return this.#keepUntilSnapshot(records, now, effects)
    if (this.#state !== 'live') return []
    const checked = this.#check.check(records, this.#held.position)
    const events = this.#handOn(checked, now)
    if (checked.broken !== undefined) {
      // What is held may be the damaged half: only a snapshot can tell.
      if (checked.broken === 'hash') this.#held.distrust()
      return [...events, ...this.#resync(checked.broken, now, effects)]
    }
    this.#line.giveCredit(checked.bytes, effects, this.#channel)
    if (this.#headSeq !== undefined) this.#headSaid(this.#headSeq, now)
    return [...events, ...this.#arrived(now)]
  }

  #handOn({ fresh, position }: CheckedRecords, now: Instant): UpstreamEvent[] {
    if (fresh.length === 0) return []
    const isOver = this.#held.advance(position)
    // Trouble is over once the stream is past the place where it was: till then each time waits.
    if (isOver) this.#backoff.reset()
    return [{ kind: 'records', records: fresh }, ...this.#shown(now)]
  }

  /** What was replayed beside what is held takes its place once it is no older. */
  #shown(_now: Instant): UpstreamEvent[] {
    return !this.isReplaying && this.#held.show() ? [{ kind: 'replayed' }] : []
  }

  #arrived(now: Instant): UpstreamEvent[] {
    const events = this.isLive ? this.#catchUp.reached(this.#held.position.seq, now) : []
    if (events.length > 0) this.#failedOver = undefined
    return events
  }

  #keepUntilSnapshot(
    records: readonly LogRecord[],
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    if (this.#intake?.keep(records) !== true) return this.#resync('gap', now, effects)
    // All pieces were sent before them.
    if (this.#intake.isAskDue) this.#askForPieces(this.#intake.ask(), effects)
    return []
  }

  #begin(
    manifest: SnapshotManifest,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    // A child that fell off the parent's ring gets a snapshot without having asked.
    if (this.#state !== 'assembling' && this.#state !== 'live') return []
    if (this.isLive) {
      this.#catchUp.begin(now)
      this.#catchUp.aim(manifest.at.seq)
    }
    this.#state = 'assembling'
    this.#dropIntake()
    const bytes = snapshotBytes(manifest)
    if (bytes > this.#limits.snapshotBytesMax) {
      const message = `a snapshot of at most ${this.#limits.snapshotBytesMax} bytes, got ${bytes}`
      return this.#refuse('FANFOLD_TOO_LARGE', message, now, effects)
    }
    if (this.#held.isPast(manifest.at)) {
      // Going back is only for a new epoch: a parent that is behind is asked again later.
      return this.#resync('gap', now, effects)
    }
    const { sha256, packer, budget } = this.#node
    const { answerMaxMs, creditBytes } = this.#limits
    this.#intake = SnapshotIntake.begin({
      manifest,
      sha256,
      packer,
      budget,
      answerMaxMs,
      waitingBytesMax: creditBytes,
      now,
    })
    if (this.#intake === undefined) {
      const message = `a snapshot of ${bytes} bytes waits its turn, ${budget.count} are under way`
      return this.#refuse('FANFOLD_OVERLOADED', message, now, effects)
    }
    return this.#complete(now, effects)
  }

  /** The parent, which does not know yet that what it sends is refused, is told. */
  #refuse(
    code: ErrorCode,
    message: string,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    this.#line.send({ kind: 'leave', doc: this.doc }, effects)
    return this.#refused(code, message, 0, now, effects)
  }

  #takePiece(
    index: number,
    piece: PackedPiece,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    const taken = this.#intake?.take(index, piece, now) ?? 'unwanted'
    if (taken === 'unwanted') return []
    if (taken === 'damaged-again') return this.#resync('piece', now, effects)
    if (taken === 'damaged') this.#askForPieces([index], effects)
    const events = this.#complete(now, effects)
    if (this.#intake?.isAskDue === true) this.#askForPieces(this.#intake.ask(), effects)
    return events
  }

  #askForPieces(indexes: readonly number[], effects: EffectSink<LinkEffect>): void {
    if (this.#channel === undefined || indexes.length === 0) return
    this.#line.send({ kind: 'request-pieces', channel: this.#channel, indexes }, effects)
  }

  /** Hands the snapshot on when all of it is here, and the records that waited for it. */
  #complete(now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    const snapshot = this.#intake?.snapshot
    if (this.#intake === undefined || snapshot === undefined) return []
    const { waiting } = this.#intake
    this.#dropIntake()
    this.#goLive()
    if (this.#held.replace(snapshot.manifest.at)) this.#backoff.reset()
    const isElsewhere = this.#failedOver !== undefined && this.#failedOver !== this.link
    this.#catchUp.by(isElsewhere ? 'snapshot-elsewhere' : 'snapshot')
    const events: UpstreamEvent[] = [{ kind: 'reset', snapshot }, { kind: 'joined' }]
    if (waiting.length > 0) return [...events, ...this.#take(waiting, now, effects)]
    return [...events, ...this.#arrived(now)]
  }

  #takeReplay(
    frame: Extract<LinkFrame, { kind: 'replay' }>,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    if (!this.isReplaying) return []
    const events = this.#lowerTo(frame.ceiling)
    if (this.#held.isOtherThan(frame.ceiling)) {
      this.#held.giveUp()
      return [...events, ...this.#resync('ceiling', now, effects)]
    }
    const [first] = frame.records
    const { isWorth, position } = this.#held
    // What is left of a replay that was cut short (of a child, on the same link) is nobody's.
    if (first === undefined || first.seq > (isWorth ? position.seq : 0) + 1) return events
    if (!isWorth) {
      this.#held.beginApart(frame.ceiling)
      events.push({ kind: 'replay-began' })
    }
    this.#catchUp.by('replay')
    const checked = this.#check.check(frame.records, this.#held.position)
    events.push(...this.#handOn(checked, now))
    if (checked.broken !== undefined) {
      // From the first record on, what verified is what the log says: it stays.
      if (checked.broken === 'hash' && !this.#held.isApart) this.#held.distrust()
      return [...events, ...this.#resync(checked.broken, now, effects)]
    }
    this.#line.giveReplayCredit(checked.bytes, effects)
    this.#deadline = this.#line.isCreditHeld ? undefined : this.#answerBy(now)
    return events
  }

  #replayEnded(
    frame: Extract<LinkFrame, { kind: 'replay-ended' }>,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    if (!this.isReplaying) return []
    const { code, message, retryAfterMs } = frame
    if (code !== undefined) {
      if (!meaningOf(code).retry) this.#isReplayDue = false
      this.#waitAtLeast(retryAfterMs, now)
      return [{ kind: 'refused', code, message, final: false }]
    }
    this.#isReplayDue = false
    this.#takesTailAlone = true
    this.#ask(now, effects)
    return this.#shown(now)
  }

  /** The parent has records up to `seq`: those that are missing come soon, or there is a gap. */
  #headSaid(seq: number, now: Instant): void {
    if (!this.isLive) return
    const isMissing = seq > this.#held.position.seq
    this.#headSeq = isMissing ? seq : undefined
    this.#deadline = isMissing ? after(now, milliseconds(this.#limits.headMaxMs)) : undefined
  }

  /** Starts anew: at once the first time, after a wait when it did not help. */
  #resync(reason: ResyncReason, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    const isAssembling = this.#intake !== undefined || this.#state === 'assembling'
    this.#dropIntake()
    this.#held.noteTrouble()
    const { link } = this
    if (link !== undefined) {
      this.#catchUp.begin(now)
      const remedy = this.#node.repair(this.doc, { reason, isAssembling, link }, now)
      if (reason !== 'gap' && reason !== 'ceiling') this.#failedOver = link
      if (remedy === 'elsewhere') {
        this.leave(effects)
      } else {
        if (remedy === 'replay') this.#isReplayDue = true
        this.#askAgain(now, effects)
      }
    }
    return [{ kind: 'resync', reason }]
  }

  #askAgain(now: Instant, effects: EffectSink<LinkEffect>): void {
    const isFirst = this.#backoff.attempts === 0
    const wait = this.#backoff.next()
    if (isFirst) {
      this.#ask(now, effects)
    } else {
      this.#state = 'waiting'
      this.#deadline = after(now, wait)
    }
  }

  #waitAtLeast(ms: number, now: Instant): void {
    this.#state = 'waiting'
    const asked = milliseconds(Math.min(ms, retryAfterMsMax))
    const wait = this.#backoff.next()
    this.#deadline = after(now, wait > asked ? wait : asked)
  }

  get #takesTail(): boolean {
    return this.#node.isSnapshotDisabled || this.#takesTailAlone
  }

  /** Asks the parent for the stream, or for the log. */
  #ask(now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#dropIntake()
    this.#line.begin()
    this.#deadline = this.#answerBy(now)
    const have = this.#held.isWorth ? this.#held.position : undefined
    if (this.#isReplayDue) {
      this.#state = 'replaying'
      this.#node.beforeReplay(this.doc, effects)
      this.#line.askReplay(have, effects)
    } else {
      this.#state = 'joining'
      const take = this.#takesTail ? 'tail' : 'any'
      this.#line.join({ have, take, codecs: this.#node.packer.codecs }, effects)
    }
  }

  #answerBy(now: Instant): Instant {
    return after(now, milliseconds(this.#limits.answerMaxMs))
  }

  #dropIntake(): void {
    this.#intake?.close()
    this.#intake = undefined
  }
}
