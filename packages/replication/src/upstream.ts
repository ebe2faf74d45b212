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

import { after, type EffectSink, type Instant, milliseconds, type Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type LogRecord,
  meaningOf,
  type Position,
} from '@fanfold/protocol'
import { ReplayStage } from './replay-stage.ts'
import { SnapshotStage, type SnapshotStep } from './snapshot-stage.ts'
import { StreamCore, type StreamState, type UpstreamNode } from './stream-core.ts'
import type { ResyncReason, UpstreamEvent } from './upstream-event.ts'

/** What a stream is at when a parent may take it. */
const isWelcome: ReadonlySet<StreamState> = new Set([
  'joining',
  'assembling',
  'live',
  'waiting',
  'queued',
])

/** One document's stream from a parent. */
export class Upstream {
  readonly doc: DocumentKey
  readonly #core: StreamCore
  readonly #snapshot: SnapshotStage
  readonly #replay: ReplayStage
  /** Seq of the parent's last record, as it says, while that has not come. */
  #headSeq = 0

  constructor(options: {
    readonly doc: DocumentKey
    readonly prng: Prng
    readonly node: UpstreamNode
  }) {
    const { doc, prng, node } = options
    this.doc = doc
    this.#core = new StreamCore(doc, prng, node)
    this.#snapshot = new SnapshotStage(this.#core)
    this.#replay = new ReplayStage(this.#core)
  }

  /** The link to the parent that serves the stream. */
  get link(): LinkId | undefined {
    return this.#core.line.link
  }

  /** The channel on which the parent sends this document, once it has said so. */
  get channel(): number | undefined {
    return this.#core.channel
  }

  /** Highest tag of a part in what is held and in the records that follow it; 0 before anything is. */
  get ceiling(): number {
    return this.#core.held.ceiling ?? 0
  }

  /** True while records come in as the parent gets them. */
  get isLive(): boolean {
    return this.#core.state === 'live'
  }

  /** True while a parent has taken the stream, and sends what there is of it. */
  get isServed(): boolean {
    return this.isLive || this.#core.state === 'assembling'
  }

  /** True while the parent does for the stream what any would: it is live, or waits for a document to be created. */
  get isWell(): boolean {
    return this.isLive || this.#core.isNoneYet
  }

  /** True while records come that the parent had when it was joined. */
  get isCatchingUp(): boolean {
    return this.isLive && this.#core.catchUp.isUnderWay
  }

  /** True while the stream waits before it asks the parent again. */
  get isWaiting(): boolean {
    return this.#core.state === 'waiting' || this.isQueued
  }

  /** True while it has its turn to ask yet to come. */
  get isQueued(): boolean {
    return this.#core.state === 'queued'
  }

  /** True while the parent is asked for the log itself: what it sends of a replay is for this stream. */
  get isReplaying(): boolean {
    return this.#core.state === 'replaying'
  }

  /** After the last record handed on. */
  get position(): Position {
    return this.#core.held.position
  }

  /** When `tick` has something to do. */
  get wakeAt(): Instant | undefined {
    return this.#core.wakeAt
  }

  /** What is held, where another parent may be asked for what follows it while this one serves; undefined where not. */
  get goesOnFrom(): Position | undefined {
    const { held, state } = this.#core
    return this.link !== undefined && isWelcome.has(state) && held.isWorth && !held.isApart
      ? held.position
      : undefined
  }

  /** Before the first `attach`: goes on from what was kept, which came under this ceiling. */
  resumeFrom(position: Position, ceiling: number): void {
    this.#core.held.keep(position, ceiling)
  }

  /** Joins over `link`, resuming from what is held. */
  attach(link: LinkId, now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#core.line.attach(link)
    this.#core.channel = undefined
    this.#core.catchUp.begin(now)
    this.#core.ask(now, effects)
  }

  /** The parent at the other end of this link has said that it serves what follows: the other one is left for it. */
  goOver(link: LinkId, effects: EffectSink<LinkEffect>): void {
    this.#core.leave(effects)
    this.#core.line.attach(link)
    this.#core.state = 'joining'
    // What the old one had may not have come to the new one yet.
    this.#headSeq = 0
  }

  /** It is its turn to ask. */
  askNow(now: Instant, effects: EffectSink<LinkEffect>): void {
    if (this.isQueued) this.#core.ask(now, effects)
  }

  /** The link is gone; what is held stays. */
  detach(): void {
    this.#core.detach()
  }

  /** Nobody below wants the document any more. */
  leave(effects: EffectSink<LinkEffect>): void {
    this.#core.leave(effects)
  }

  /** What is held is of no use (a record did not apply): everything is fetched again, if it is not yet. */
  restart(reason: ResyncReason, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    if (!this.#core.held.isWorth) return []
    this.#core.held.distrust()
    return this.#core.resync(reason, now, effects)
  }

  /** Asks the parent what its state is; false while it does not serve the stream. */
  askStateHash(effects: EffectSink<LinkEffect>): boolean {
    if (!this.isLive) return false
    this.#core.line.send({ kind: 'request-state-hash', doc: this.doc }, effects)
    return true
  }

  /** While it is held, the parent gets no more credit: what has come is to be dealt with first. */
  holdCredit(isHeld: boolean, now: Instant, effects: EffectSink<LinkEffect>): void {
    const { line } = this.#core
    if (line.isCreditHeld === isHeld) return
    line.holdCredit(isHeld, effects)
    // What does not come for want of credit is not missing.
    if (this.isReplaying && isHeld) this.#core.endWait()
    else if (this.isReplaying) this.#core.awaitAnswer(now)
    else if (this.isLive) this.#headSaid(this.#headSeq, now)
  }

  /** Takes a frame of this stream from the parent. */
  receive(frame: LinkFrame, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    const { state } = this.#core
    switch (frame.kind) {
      case 'welcome':
        return this.#welcomed(frame, now, effects)
      case 'refused':
        return this.#refused(frame.code, frame.message, frame.retryAfterMs, now, effects)
      case 'ended':
        return this.#refused(frame.code, frame.message, 0, now, effects)
      case 'records':
        if (state === 'live' || this.#core.intake !== undefined) this.#count(frame.records)
        return this.#take(frame.records, now, effects)
      case 'snapshot-begin':
        if (state !== 'assembling' && state !== 'live') return []
        return this.#after(this.#snapshot.begin(frame.manifest, now, effects), now, effects)
      case 'snapshot-piece': {
        const packed = { codec: frame.codec, bytes: frame.piece }
        const step = this.#snapshot.take(frame.index, packed, now, effects)
        return this.#after(step, now, effects)
      }
      case 'replay':
        return state === 'replaying' ? this.#replay.take(frame, now, effects) : []
      case 'replay-ended':
        return state === 'replaying' ? this.#replay.end(frame, now, effects) : []
      case 'state-hash':
        return [{ kind: 'state-hash', answer: frame }]
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
    const core = this.#core
    const { wakeAt } = this
    if (wakeAt === undefined || now < wakeAt) return []
    if (core.intake !== undefined && !core.intake.isOver(now)) {
      this.#snapshot.askForMissing(effects)
      return []
    }
    core.deadline = undefined
    if (core.state === 'waiting') {
      core.ask(now, effects)
      return []
    }
    return this.isLive ? core.resync('gap', now, effects) : core.silent(now, effects)
  }

  #welcomed(
    frame: Extract<LinkFrame, { kind: 'welcome' }>,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    const core = this.#core
    const isOther = core.held.isOtherThan(frame.ceiling)
    const events = core.lowerTo(frame.ceiling)
    // The last of several answers counts: with it the parent's view of position and credit began. One that
    // is late, and was to be asked for again, is as good as another.
    if (!isWelcome.has(core.state)) return events
    core.isNoneYet = false
    core.channel = frame.channel
    // A tail that follows nothing answers a join from before what was held was given up: what was asked
    // since, or is to be asked yet, has its answer to come.
    if (frame.mode === 'tail' && !isOther && !core.held.isWorth) return events
    core.answered(now)
    if (frame.mode === 'tail' && isOther) {
      core.held.giveUp()
      core.takesTailAlone = false
      return [...events, ...core.resync('ceiling', now, effects)]
    }
    core.held.comesUnder(frame.ceiling)
    core.dropIntake()
    core.line.begin()
    core.catchUp.begin(now)
    core.catchUp.aim(frame.head.seq)
    if (frame.mode === 'snapshot') {
      core.state = 'assembling'
      core.awaitAnswer(now)
      return events
    }
    core.goLive()
    // What was replayed beside what is shown, and is all that there is, has no record to come that would say so.
    return [...events, ...core.shown(), { kind: 'joined' }, ...core.arrived(now)]
  }

  #refused(
    code: ErrorCode,
    message: string,
    retryAfterMs: number,
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    const core = this.#core
    if (core.state === 'detached' || core.state === 'refused') return []
    core.answered(now)
    core.getsOn()
    core.dropIntake()
    core.catchUp.begin(now)
    if (core.isHadElsewhere(code) && core.leaveForAnother(now, effects)) {
      return [{ kind: 'refused', code, message, final: false }]
    }
    if (code === 'FANFOLD_NO_TAIL') {
      // Where the tail alone was asked for only to go over to this parent, what there is instead will do.
      if (core.takesTail) core.isReplayDue = true
      if (core.isReplayDue && core.replayEnds.takeDoubt()) core.held.distrust()
      core.askAgain(now, effects)
      return []
    }
    // A document that does not exist may be created: children wait for it as for a lost parent.
    core.isNoneYet = code === 'FANFOLD_NO_DOCUMENT'
    const final = !meaningOf(code).retry && !core.isNoneYet
    if (final) core.endRefused()
    else core.waitAtLeast(retryAfterMs, now)
    return [{ kind: 'refused', code, message, final }]
  }

  #take(
    records: readonly LogRecord[],
    now: Instant,
    effects: EffectSink<LinkEffect>,
  ): UpstreamEvent[] {
    const core = this.#core
    if (core.intake !== undefined) return this.#snapshot.keep(records, now, effects)
    if (core.state !== 'live') return []
    const checked = core.check(records)
    const events = core.handOn(checked)
    if (checked.broken !== undefined) {
      // What is held may be the damaged half: only a snapshot can tell.
      if (checked.broken === 'hash') core.held.distrust()
      return [...events, ...core.resync(checked.broken, now, effects)]
    }
    core.line.giveCredit(checked.bytes, effects, core.channel)
    if (core.deadline !== undefined) this.#headSaid(this.#headSeq, now)
    return [...events, ...core.arrived(now)]
  }

  /** @throws ProtocolError when the parent does not keep to its credit */
  #count(records: readonly LogRecord[]): void {
    let bytes = 0
    for (const record of records) bytes += record.bytes.length
    this.#core.line.came(bytes)
  }

  /** Goes on after a step of a snapshot. */
  #after(step: SnapshotStep, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    switch (step.kind) {
      case 'events':
        return step.events
      case 'refused':
        // The parent does not know yet that what it sends is not taken.
        this.#core.tellLeave(effects)
        if (step.code !== 'FANFOLD_OVERLOADED') {
          return this.#refused(step.code, step.message, 0, now, effects)
        }
        this.#core.waitForRoom()
        return [{ kind: 'refused', code: step.code, message: step.message, final: false }]
      case 'complete':
        if (step.waiting.length === 0) return [...step.events, ...this.#core.arrived(now)]
        return [...step.events, ...this.#take(step.waiting, now, effects)]
    }
  }

  /** The parent has records up to `seq`: those that are missing come soon, or there is a gap. */
  #headSaid(seq: number, now: Instant): void {
    if (!this.isLive) return
    const core = this.#core
    this.#headSeq = seq
    const isMissing = seq > core.held.position.seq && !core.line.isCreditHeld
    core.deadline = isMissing ? after(now, milliseconds(core.limits.headMaxMs)) : undefined
  }
}
