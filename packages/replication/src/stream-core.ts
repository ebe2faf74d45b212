/*
 * What the stages of one document's stream share: where it stands, what it waits for, and how it asks
 * its parent and starts anew.
 */
import {
  after,
  assert,
  Backoff,
  type EffectSink,
  type Instant,
  milliseconds,
  type Prng,
  type Sha256,
} from '@fanfold/kernel'
import type { DocumentKey, ErrorCode, LinkEffect, LinkId, LogRecord } from '@fanfold/protocol'
import type { AnswerPatience } from './answer-patience.ts'
import type { AskedParents } from './asked-parents.ts'
import type { AskedReplays } from './asked-replays.ts'
import type { AssemblyBudget } from './assembly-budget.ts'
import { CatchUp } from './catch-up.ts'
import { HeldState } from './held-state.ts'
import { ParentLine } from './parent-line.ts'
import type { PiecePacker } from './piece-packer.ts'
import { type CheckedRecords, RecordCheck } from './record-check.ts'
import type { Repair } from './repair.ts'
import { ReplayEnds } from './replay-ends.ts'
import type { SnapshotIntake } from './snapshot-intake.ts'
import type { ResyncReason, UpstreamEvent } from './upstream-event.ts'
import type { UpstreamLimits } from './upstream-limits.ts'

/** A parent that asks for a longer wait is asked again after this one. */
const retryAfterMsMax = 30_000

/** After so many silences in a row the next one lasts no longer than this one. */
const silencesMax = 3

/** Codes by which a node says that it cannot serve a document that another one may. */
const notHere: ReadonlySet<ErrorCode> = new Set(['FANFOLD_NO_PARENT', 'FANFOLD_MOVED'])

/** What a stream is at. */
export type StreamState =
  | 'detached'
  /** It has its turn to ask yet to come. */
  | 'queued'
  | 'joining'
  | 'assembling'
  | 'live'
  | 'waiting'
  | 'refused'
  | 'replaying'

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
  /** How parents are asked, and how long their answers may take. */
  readonly asked: AskedParents
  /** What parents are asked for of logs. */
  readonly replays: AskedReplays
  /** Whether documents have routes: what one node cannot serve another one may. */
  readonly isRouted: boolean
  /** Whether a parent may send the document's stream on to another node. */
  readonly isMovable: (doc: DocumentKey) => boolean
  /** Whether to do without snapshots, and replay the log where the tail is not enough. */
  readonly isSnapshotDisabled: boolean
}

/** One document's stream, as its stages see it. */
export class StreamCore {
  readonly doc: DocumentKey
  readonly node: UpstreamNode
  readonly limits: UpstreamLimits
  readonly line: ParentLine
  readonly held: HeldState = new HeldState()
  readonly catchUp: CatchUp = new CatchUp()
  readonly replayEnds: ReplayEnds = new ReplayEnds()
  state: StreamState = 'detached'
  /** What the parent calls the document, once it has said so. */
  channel: number | undefined
  /** The snapshot that is coming in. */
  intake: SnapshotIntake | undefined
  /** True while the log is to be replayed: joins and snapshots were of no use. */
  isReplayDue = false
  /** True while the parent's last answer is that the document does not exist. */
  isNoneYet = false
  /** True while what was replayed is worth more than a snapshot of the parent. */
  takesTailAlone = false
  /** The link over which a snapshot was asked for in vain, in this catching up. */
  failedOver: LinkId | undefined
  /** When a wait is over that has a time of its own. */
  deadline: Instant | undefined
  /** What the stream waits for from its parent, if it does: since when. */
  #awaited: { readonly patience: AnswerPatience; readonly since: Instant } | undefined
  /** How often in a row an answer did not come: each time it may take twice as long. */
  #silences = 0
  readonly #check: RecordCheck
  readonly #backoff: Backoff

  constructor(doc: DocumentKey, prng: Prng, node: UpstreamNode) {
    const { limits, sha256 } = node
    this.doc = doc
    this.node = node
    this.limits = limits
    this.line = new ParentLine(doc, limits.creditBytes, node.replays)
    this.#check = new RecordCheck(doc, sha256)
    this.#backoff = new Backoff(
      { base: milliseconds(limits.backoffBaseMs), max: milliseconds(limits.backoffMaxMs) },
      prng,
    )
  }

  /** True when a parent that has not the tail is to say so. */
  get takesTail(): boolean {
    return this.node.isSnapshotDisabled || this.takesTailAlone
  }

  /** When `tick` has something to do. */
  get wakeAt(): Instant | undefined {
    const { intake } = this
    if (intake !== undefined) return intake.wakeAt
    if (this.#awaited === undefined) return this.deadline
    const { patience, since } = this.#awaited
    return patience.overdueAt(since, patience.ms * 2 ** Math.min(this.#silences, silencesMax))
  }

  /** Asks the parent for the stream, or for the log, when it is its turn. */
  ask(now: Instant, effects: EffectSink<LinkEffect>): void {
    const { link } = this.line
    assert(link !== undefined, 'a stream that asks has a link')
    this.dropIntake()
    this.line.leaveReplay(effects)
    this.line.begin()
    this.node.budget.ask(this.doc)
    if (!this.node.asked.ask(link, this.doc, now)) {
      this.#rest('queued')
      return
    }
    this.awaitAnswer(now)
    const have = this.held.isWorth ? this.held.position : undefined
    if (this.isReplayDue) {
      this.state = 'replaying'
      this.line.askReplay(have, effects)
    } else {
      this.state = 'joining'
      const take = this.takesTail ? 'tail' : 'any'
      const isMovable = this.node.isMovable(this.doc)
      this.line.join({ have, take, codecs: this.node.packer.codecs, isMovable }, effects)
    }
  }

  /** Asks at once the first time, after a wait when that did not help. */
  askAgain(now: Instant, effects: EffectSink<LinkEffect>): void {
    const isFirst = this.#backoff.attempts === 0
    const wait = this.#backoff.next()
    if (isFirst) this.ask(now, effects)
    else this.#wait(after(now, wait))
  }

  /** Asks when there is room for the snapshot that the parent has. */
  waitForRoom(): void {
    this.node.budget.wait(this.doc)
    this.#rest('queued')
  }

  /** Asks after a wait, and not before the parent wants to be asked. */
  waitAtLeast(ms: number, now: Instant): void {
    const asked = milliseconds(Math.min(ms, retryAfterMsMax))
    const wait = this.#backoff.next()
    this.#wait(after(now, wait > asked ? wait : asked))
  }

  /** The next answer of the parent is waited for from now on. */
  awaitAnswer(now: Instant): AnswerPatience {
    const { link } = this.line
    assert(link !== undefined, 'a stream that waits for a parent has a link')
    this.deadline = undefined
    const patience = this.#awaited?.patience ?? this.node.asked.patience(link)
    if (this.#awaited === undefined) patience.begin(now)
    this.#awaited = { patience, since: now }
    return patience
  }

  /** Nothing is waited for any more. */
  endWait(): void {
    this.#awaited?.patience.end()
    this.#awaited = undefined
  }

  /** The parent has answered what it was asked. */
  answered(now: Instant): void {
    const { link } = this.line
    if (link !== undefined) this.node.asked.answered(link, this.doc, now)
  }

  /** What was asked for comes: the parent has not forgotten it. */
  getsOn(): void {
    this.#silences = 0
  }

  /** What is waited for has not come. */
  silent(now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    const { link } = this.line
    if (link !== undefined) this.node.asked.silent(link, this.doc)
    this.#silences++
    return this.resync('silence', now, effects)
  }

  /** Starts anew, as far as there is a parent; where, says who knows the other ones. */
  resync(reason: ResyncReason, now: Instant, effects: EffectSink<LinkEffect>): UpstreamEvent[] {
    const isAssembling = this.#isSnapshotLate(now)
    this.isNoneYet = false
    this.dropIntake()
    this.held.noteTrouble()
    const { link } = this.line
    if (link !== undefined) {
      this.catchUp.begin(now)
      const remedy = this.node.repair(this.doc, { reason, isAssembling, link }, now)
      if (reason !== 'gap' && reason !== 'ceiling') this.failedOver = link
      if (remedy === 'elsewhere') {
        this.leave(effects)
      } else {
        if (remedy === 'replay') this.isReplayDue = true
        this.askAgain(now, effects)
      }
    }
    return [{ kind: 'resync', reason }]
  }

  /** True when a parent says by `code` that it cannot serve the document, which another one may. */
  isHadElsewhere(code: ErrorCode): boolean {
    return code === 'FANFOLD_SET_ASIDE' || (this.node.isRouted && notHere.has(code))
  }

  /** True when another parent is connected that is worth a try: the one that serves is left for it. */
  leaveForAnother(now: Instant, effects: EffectSink<LinkEffect>): boolean {
    const { link } = this.line
    if (link === undefined) return false
    const trouble = { reason: 'silence', isAssembling: false, link } as const
    const isOther = this.node.repair(this.doc, trouble, now) === 'elsewhere'
    if (isOther) this.leave(effects)
    return isOther
  }

  /** Tells the parent that the document is not wanted any more, and forgets it. */
  leave(effects: EffectSink<LinkEffect>): void {
    if (this.line.link !== undefined && this.state !== 'refused') {
      this.line.leaveReplay(effects)
      // The join that led to a replay was refused for now: the parent would go on counting it.
      this.tellLeave(effects)
    }
    this.detach()
  }

  /** Tells the parent that nothing of the stream is wanted. */
  tellLeave(effects: EffectSink<LinkEffect>): void {
    const { link } = this.line
    assert(link !== undefined, 'a stream that is left has a link')
    this.node.asked.tellLeave(link, this.doc, effects)
  }

  /** The link is gone; what is held stays. */
  detach(): void {
    this.#rest('detached')
    this.line.detach()
    this.isNoneYet = false
    this.channel = undefined
    this.dropIntake()
  }

  /** The parent will not give the document. */
  endRefused(): void {
    this.#rest('refused')
  }

  goLive(): void {
    this.#rest('live')
    this.getsOn()
    this.replayEnds.reset()
    this.isReplayDue = false
    this.takesTailAlone = false
  }

  /** Nothing above `ceiling` may stay, whether it is of use or not. */
  lowerTo(ceiling: number): UpstreamEvent[] {
    return this.held.lowerTo(ceiling) ? [{ kind: 'ceiling', ceiling }] : []
  }

  /** What of the records follows what is held. */
  check(records: readonly LogRecord[]): CheckedRecords {
    return this.#check.check(records, this.held.position, this.held.nextCeiling)
  }

  handOn({ fresh, position }: CheckedRecords): UpstreamEvent[] {
    if (fresh.length === 0) return []
    this.settleTrouble(this.held.advance(position))
    return [{ kind: 'records', records: fresh }, ...this.shown()]
  }

  /** Trouble is over once the stream is past the place where it was: till then each time waits. */
  settleTrouble(isPast: boolean): void {
    if (isPast) this.#backoff.reset()
  }

  /** What was replayed beside what is held takes its place once it is no older. */
  shown(): UpstreamEvent[] {
    return this.state !== 'replaying' && this.held.show() ? [{ kind: 'replayed' }] : []
  }

  /** What is to be told of where the stream has got to. */
  arrived(now: Instant): UpstreamEvent[] {
    if (this.state !== 'live') return []
    const events = this.catchUp.reached(this.held.position.seq, now)
    if (events.length > 0) this.failedOver = undefined
    return events
  }

  dropIntake(): void {
    this.intake?.close()
    this.intake = undefined
  }

  /** True when it is the snapshot that does not come: what does not come of a busy link may be behind others. */
  #isSnapshotLate(now: Instant): boolean {
    if (this.state !== 'assembling') return false
    return this.intake !== undefined || this.#awaited?.patience.isQuiet(now) === true
  }

  /** Nothing is asked of the parent now. */
  #rest(state: StreamState): void {
    const { link } = this.line
    this.state = state
    this.deadline = undefined
    this.endWait()
    if (state === 'queued') return
    if (link !== undefined) this.node.asked.leave(link, this.doc)
    this.node.budget.leave(this.doc)
  }

  #wait(until: Instant): void {
    this.#rest('waiting')
    this.deadline = until
  }
}
