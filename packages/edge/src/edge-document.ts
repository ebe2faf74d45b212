/*
 * One document at an edge: how far its log is shown, and who waits.
 *
 * Records are shown one after the other, each by the definition that the log says for it. A record
 * after a definition whose variant is not loaded waits in the replica; when more waits there than
 * may, the replica takes it in, and what is shown goes on by snapshots once the variant is here.
 */
import type { EdgeDefinition } from '@fanfold/definition'
import type { JsonObject, ReplicaWorkerInput } from '@fanfold/document'
import { earliest, type Instant } from '@fanfold/kernel'
import {
  type DocumentKey,
  type DrainedCohort,
  type ErrorCode,
  encodeViewerFrame,
  type LogRecord,
  type TransferId,
  type ViewerId,
} from '@fanfold/protocol'
import type { Follower } from '@fanfold/replication'
import type { ByteAllowance } from './byte-allowance.ts'
import type { Cohort } from './cohort.ts'
import type { Cohorts } from './cohorts.ts'
import type { DocumentPort } from './document-port.ts'
import { Entrance } from './entrance.ts'
import { LargeDocument } from './large-document.ts'
import type { ObserveRequest, Turned } from './observe-request.ts'
import { Observers } from './observers.ts'
import { Progress } from './progress.ts'
import { Showing } from './showing.ts'
import { type SmallFrame, statusFrame } from './small-frame.ts'
import { TermsSource } from './terms-source.ts'
import { WaitingViewers } from './waiting-viewers.ts'

/** One document at an edge. */
export class EdgeDocument {
  readonly doc: DocumentKey
  readonly follower: Follower
  readonly #port: DocumentPort
  readonly #showing = new Showing()
  readonly #observers: Observers
  readonly #entrance: Entrance
  readonly #progress: Progress
  readonly #terms: TermsSource
  readonly #waiting: WaitingViewers
  readonly #large: LargeDocument
  /** Viewers that are to be led on to where their cohorts stand: their sockets have taken what was due. */
  readonly #behind = new Map<ViewerId, DrainedCohort | TransferId>()

  constructor(doc: DocumentKey, follower: Follower, port: DocumentPort) {
    const showing = this.#showing
    const { turn, largeStateBytes: largeBytes, workerNames: names, largeWork: work } = port
    const { replica, ring } = follower
    const parts = { names, work, largeBytes }
    const large = new LargeDocument({ doc, replica, ring, turn, ...parts })
    const observers = new Observers({
      doc,
      ring,
      showing,
      large,
      port: {
        ...port,
        statusFrame: cohort => encodeViewerFrame(this.#statusOf(cohort)),
        ended: viewer => port.ended(doc, viewer),
        shownState: () => this.#shownState(),
        waitsOn: (viewer, request) => {
          if (!follower.upstream.isCatchingUp) return false
          this.#waiting.add(viewer, request, showing.at.seq)
          // It may have been told that its view fails, and is to hear when that is over.
          this.#waiting.noteStale(viewer)
          return true
        },
      },
    })
    this.doc = doc
    this.follower = follower
    this.#port = port
    this.#observers = observers
    this.#entrance = new Entrance({ doc, follower, observers, showing, port })
    this.#large = large
    const terms = new TermsSource(doc, port)
    this.#terms = terms
    this.#progress = new Progress({
      doc,
      follower,
      showing,
      observers,
      terms,
      size: large,
      port,
      changed: (isOther, turned) => this.#changed(isOther, turned),
    })
    this.#waiting = new WaitingViewers(doc, port.turn, port.joins.tally)
  }

  /** Viewers that observe the document or wait for it. */
  get viewerCount(): number {
    return this.#observers.count + this.#waiting.count
  }

  get cohortCount(): number {
    return this.#showing.cohorts?.count ?? 0
  }

  /** True while what is shown may be old for want of a variant. */
  get isMissingVariant(): boolean {
    return this.#terms.missingSinceMs !== undefined
  }

  /** True while there is something to show. */
  get isShown(): boolean {
    return this.#shownState() !== undefined
  }

  /** True for a viewer that observes the document or waits for it. */
  has(viewer: ViewerId): boolean {
    return this.#observers.has(viewer) || this.#waiting.has(viewer)
  }

  /**
   * By what the viewer is shown the document; undefined while it is shown nothing, or is about to be shown by another
   * definition.
   */
  definitionFor(viewer: ViewerId): EdgeDefinition | undefined {
    if (!this.#observers.has(viewer) || this.#terms.isBlocked) return undefined
    return this.#showing.terms?.rules.definition
  }

  /** Where its viewers look, where the definition wants to know; undefined where it does not, or nobody looks. */
  get watched(): { readonly definition: EdgeDefinition; readonly cohorts: Cohorts } | undefined {
    const { cohorts } = this.#showing
    if (cohorts === undefined || cohorts.count === 0) return undefined
    const { definition } = cohorts.terms.rules
    for (const name in definition.watched) {
      if (Object.hasOwn(definition.watched, name)) return { definition, cohorts }
    }
    return undefined
  }

  /** A viewer wants the document, from a position when it holds some of it. */
  observe(viewer: ViewerId, request: ObserveRequest): void {
    this.remove(viewer)
    const state = this.#shownState()
    if (state === undefined || this.#entrance.isBehind(request.from))
      this.#waiting.add(viewer, request)
    else if (this.#isQueueing) {
      this.#waiting.add(viewer, request)
      this.#port.joins.add(this.doc)
    } else {
      const entry = this.#entrance.enter(viewer, request, state)
      if (this.#entrance.isEarly(entry)) this.#waiting.add(viewer, request, this.#showing.at.seq)
      else this.#entrance.answer(viewer, entry)
    }
    this.#port.changed(this.doc)
  }

  /** True for a viewer that only waits for its turn. */
  isNext(viewer: ViewerId): boolean {
    const request = this.#waiting.get(viewer)
    return request !== undefined && this.isShown && !this.#entrance.isBehind(request.from)
  }

  /** Which view of the document the viewer wants from now on. */
  setViewState(viewer: ViewerId, viewState: ObserveRequest['viewState']): void {
    if (this.#waiting.setViewState(viewer, viewState)) return
    this.#observers.setViewState(viewer, viewState, this.#shownState())
    this.#port.changed(this.doc)
  }

  /** The viewer's token says something else of it. */
  renew(viewer: ViewerId): void {
    this.#waiting.renew(viewer)
    this.#observers.renew(viewer, this.#shownState())
    this.#port.changed(this.doc)
  }

  /** The viewer's socket has drained: false when it is not in that cohort. */
  catchUp(viewer: ViewerId, drained: DrainedCohort): boolean {
    if (!this.#observers.isAt(viewer, drained)) return false
    this.#leadLater(viewer, drained)
    return true
  }

  /** The viewer has been sent a large view: false when it was not of this document. */
  transferred(viewer: ViewerId, transfer: TransferId): boolean {
    if (!this.#observers.isTransferred(viewer, transfer)) return false
    this.#leadLater(viewer, transfer)
    return true
  }

  /** Takes what the worker has answered. */
  receiveWorker(input: ReplicaWorkerInput): void {
    this.#large.receive(input)
    this.#port.changed(this.doc)
  }

  /** Records came. */
  append(records: readonly LogRecord[]): void {
    for (const record of records) this.#large.append(record)
    this.proceed()
  }

  /** When `tick` is due. */
  get dueAt(): Instant | undefined {
    const pacedAt = this.isHeldUp ? undefined : this.#showing.cohorts?.paces.wakeAt()
    return earliest(pacedAt, this.#large.wakeAt())
  }

  /** What the viewers of its tenant may be sent; undefined where nothing bounds that. */
  get allowance(): ByteAllowance | undefined {
    return this.#showing.allowance
  }

  set allowance(allowance: ByteAllowance | undefined) {
    this.#showing.allowance = allowance
  }

  /** True while there is something to show, and its tenant may not go on, or others of the tenant are next. */
  get isHeldUp(): boolean {
    const { allowance, cohorts } = this.#showing
    if (allowance === undefined || !(allowance.isOver || allowance.hasWaiting)) return false
    return (cohorts?.paces.wakeAt() ?? Number.POSITIVE_INFINITY) <= this.#port.turn.now
  }

  /** Does what is due. */
  tick(): void {
    this.#large.tick(this.#port.turn.now)
    if (!this.isHeldUp) this.#leadOn()
    this.#port.changed(this.doc)
  }

  /** It is the next one of its tenant that is shown. */
  takeTurn(): void {
    this.#leadOn()
    this.#port.changed(this.doc)
  }

  /** Leads on cohorts that are due. */
  #leadOn(): void {
    const state = this.#shownState()
    const { cohorts } = this.#showing
    if (state !== undefined) this.#observers.leadOn(state)
    else
      for (const cohort of cohorts?.paces.due(this.#port.turn.now) ?? [])
        cohorts?.paces.rest(cohort)
  }

  /** The viewer does not observe any more. */
  remove(viewer: ViewerId): void {
    this.#waiting.delete(viewer)
    this.#behind.delete(viewer)
    this.#observers.remove(viewer)
    this.#port.changed(this.doc)
  }

  /** Tells a viewer how it stands with what it is shown. */
  tellStatusTo(viewer: ViewerId): void {
    const status = this.#statusOf(this.#observers.cohortOf(viewer))
    if (status.type === 'status' && status.status === 'stale') this.#waiting.noteStale(viewer)
    const frame = encodeViewerFrame(status)
    this.#port.turn.push({ kind: 'viewer-signal', viewer, key: this.doc, frame })
  }

  /** Everybody is told how it stands with what they are shown. */
  tellStatus(): void {
    this.#observers.tellAllStatus()
  }

  /** What is held was replaced, or is about to be. */
  restart(): void {
    this.#large.reset()
    this.#showing.isRestartDue = true
  }

  /** The ceiling fell: nothing of what is above it may stay in memory until a snapshot has come. */
  giveUp(): void {
    this.restart()
    this.#observers.giveUp()
    this.#showing.isChanged = true
    this.#showing.cohorts?.giveUp()
  }

  /** The parent serves the document: what it refused before is over. */
  joined(): void {
    this.#waiting.forgive('parents')
    this.proceed()
  }

  /** Shows what is held, as far as it can be. Records that came in are shown one by one. */
  proceed(): void {
    const first = this.#showing.at.seq
    const wasMissing = this.isMissingVariant
    this.#progress.run()
    this.#noteMissing(wasMissing)
    this.#progress.noteDelivered(first)
    const { at, cohorts } = this.#showing
    const { now } = this.#port.turn
    if (at.seq !== first) cohorts?.paces.wake(now)
    // Nothing is applied for it that is to be shown record by record.
    const { replica } = this.follower
    if (replica.appliedSeq > at.seq || at.seq === replica.position.seq) this.#large.settle()
    this.serve()
    const pacedAt = this.isHeldUp ? undefined : cohorts?.paces.wakeAt()
    if (pacedAt !== undefined && pacedAt <= now) this.tick()
    this.#port.changed(this.doc)
  }

  /** The variant that is awaited is here, or cannot be had. */
  variantChanged(): void {
    const wasMissing = this.isMissingVariant
    if (!this.#terms.variantChanged()) this.#noteMissing(wasMissing)
    this.proceed()
  }

  /** The parent refuses for now: those who wait are told once, and go on waiting. */
  refuseForNow(code: ErrorCode, message: string): void {
    this.#waiting.refuse(code, message, true)
  }

  /** Those who wait are told the same small thing, and wait no more; returns who that is. */
  dismissWaiting(frame: SmallFrame): ViewerId[] {
    return this.#waiting.dismiss(frame)
  }

  /** Everybody is told the same small thing, and then observes no more; returns who that is. */
  dismiss(frame: SmallFrame, isInDoubt = false): ViewerId[] {
    this.#behind.clear()
    const observers = this.#observers.dismiss(encodeViewerFrame(frame), isInDoubt)
    return [...this.#waiting.dismiss(frame), ...observers]
  }

  /** What is shown, for who checks it; undefined while it cannot be. */
  get shown(): { readonly showing: Showing; readonly state: JsonObject } | undefined {
    const state = this.#large.isLarge ? undefined : this.#shownState()
    return state && { showing: this.#showing, state }
  }

  /** A slow look at what should follow from the state, whatever has led to it. */
  reconcile(): void {
    const { replica, ring } = this.follower
    ring.dropOld(this.#port.turn.now)
    const { at, cohorts, terms } = this.#showing
    cohorts?.sweep()
    // Who may see what depends on the definition that is in force.
    const isApplied = replica.appliedSeq === at.seq && !this.#terms.isBlocked && !replica.isDeleted
    const isOther = terms !== undefined && replica.definition?.variant !== terms.variant
    if (isApplied && isOther) this.#showing.isRestartDue = true
    this.proceed()
    const isAwaited = this.#waiting.haveWaitedLong && !this.follower.hasState
    if (isAwaited) this.refuseForNow('FANFOLD_NO_PARENT', 'no parent has sent the document yet')
  }

  /** The edge lets the document go. */
  close(): void {
    this.#terms.settle(undefined, this.#showing.terms)
    this.#showing.cohorts?.forgetLarges()
    this.#large.clear()
  }

  #leadLater(viewer: ViewerId, from: DrainedCohort | TransferId): void {
    this.#behind.set(viewer, from)
    if (this.#isQueueing) this.#port.joins.add(this.doc)
    else this.serve()
    this.#port.changed(this.doc)
  }

  /** True while who comes has to wait for those who came before, or for the next slice. */
  get #isQueueing(): boolean {
    return this.#port.joins.slice.isSpent || this.#port.joins.has(this.doc)
  }

  /** The state that viewers can be shown; undefined while they have to wait. */
  #shownState(): JsonObject | undefined {
    const { hasState, replica } = this.follower
    const isShown =
      hasState && !replica.isDeleted && !this.#showing.isRestartDue && !this.#terms.isBlocked
    if (!isShown || this.#showing.terms === undefined) return undefined
    const state = replica.state()
    return this.#showing.at.seq === replica.position.seq ? state : undefined
  }

  /** What is shown goes on; these viewers can be shown nothing any more. */
  #changed(isOther: boolean, turned: Turned): void {
    // Those who were moved to other cohorts are reported as drained in those.
    if (isOther) this.#behind.clear()
    for (const [viewer, request] of turned) this.#waiting.add(viewer, request)
    this.#waiting.forgive('FANFOLD_NO_VARIANT')
  }

  /** Viewers hear that a variant is missing, and when it has come after all. */
  #noteMissing(wasMissing: boolean): void {
    if (this.isMissingVariant !== wasMissing) this.tellStatus()
    if (!this.isMissingVariant) return
    this.#waiting.refuseUnshown('FANFOLD_NO_VARIANT')
  }

  /** Lets in who waits, as far as the slice goes. */
  serve(): void {
    // Looking at the state costs what waits to be applied.
    if (this.#waiting.count === 0 && this.#behind.size === 0) return
    const state = this.#shownState()
    if (state === undefined) {
      this.#refuseShowing()
      return
    }
    this.#waiting.forgive('all')
    const { slice } = this.#port.joins
    const { seq } = this.#showing.at
    const { isCatchingUp } = this.follower.upstream
    for (const [viewer, from] of this.#behind) {
      if (slice.isSpent) {
        this.#port.joins.add(this.doc)
        return
      }
      slice.spendViewer()
      this.#behind.delete(viewer)
      if (typeof from === 'number') this.#observers.transferred(viewer, from, state)
      else this.#observers.catchUp(viewer, from, state)
    }
    for (const [viewer, request] of this.#waiting.all()) {
      if (this.#entrance.isBehind(request.from)) continue
      if (isCatchingUp && this.#waiting.isEarlyAt(viewer, seq)) continue
      if (slice.isSpent) {
        this.#port.joins.add(this.doc)
        return
      }
      const wasStale = this.#waiting.isStale(viewer)
      const entry = this.#entrance.enter(viewer, request, state)
      if (this.#entrance.isEarly(entry)) {
        this.#waiting.noteEarly(viewer, seq)
        continue
      }
      this.#waiting.delete(viewer)
      this.#entrance.answer(viewer, entry)
      // Status goes to those who are shown something: this one was none of them until now, and what it
      // was told of it while it waited may be over.
      const isStale = this.#port.staleForMs(this.doc) !== undefined
      if ((isStale || wasStale || entry === true) && this.#observers.has(viewer))
        this.tellStatusTo(viewer)
    }
  }

  /** Where nobody can be shown anything, those who wait are told why. */
  #refuseShowing(): void {
    const { hasState, replica } = this.follower
    const isNobody = !this.#showing.isRestartDue && this.#showing.terms === undefined
    if (!hasState || replica.isDeleted || !isNobody) return
    this.#waiting.refuseUnshown('FANFOLD_NO_DEFINITION')
  }

  #statusOf(cohort: Cohort | undefined): SmallFrame {
    return statusFrame({
      doc: this.doc,
      nowMs: this.#port.wallClockMs(),
      staleForMs: this.#port.staleForMs(this.doc),
      missingSinceMs: this.#terms.missingSinceMs,
      cohort,
    })
  }
}
