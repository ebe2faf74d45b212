/*
 * One document at an edge: how far its log is shown, and who waits.
 *
 * Records are shown one after the other, each by the definition that the log says for it. A record
 * after a definition whose variant is not loaded waits in the replica; when more waits there than
 * may, the replica takes it in, and what is shown goes on by snapshots once the variant is here.
 */
import { decodeChange, type JsonObject, type RecordedDefinition } from '@fanfold/document'
import { copyBytes, type Sha256 } from '@fanfold/kernel'
import {
  type DocumentKey,
  documentName,
  type ErrorCode,
  encodeViewerFrame,
  type LogRecord,
  type ViewerId,
} from '@fanfold/protocol'
import { type Follower, isAhead } from '@fanfold/replication'
import type { Refusal } from './admission.ts'
import type { Cohort, Place, Terms } from './cohort.ts'
import { type ObserveRequest, Observers, type ObserversPort } from './observers.ts'
import { Progress, type ProgressPort } from './progress.ts'
import { ResumePoints } from './resume-point.ts'
import { Showing } from './showing.ts'
import { type SmallFrame, statusFrame } from './small-frame.ts'
import type { Variants } from './variants.ts'

/** What a document asks of its edge. */
export type DocumentPort = ProgressPort &
  Pick<ObserversPort, 'grantsOf'> & {
    readonly sha256: Sha256
    readonly variants: Variants
    /** The wall's time, ms since 1970. */
    wallClockMs(): number
    /** How long what is held may have been old, ms; undefined while it is fresh. */
    staleForMs(doc: DocumentKey): number | undefined
    /** The viewer observes the document no more. */
    ended(doc: DocumentKey, viewer: ViewerId): void
  }

/** When a viewer that waits may ask again, ms; the edge goes on trying by itself. */
const askAgainMs = 2_000

/** One document at an edge. */
export class EdgeDocument {
  readonly doc: DocumentKey
  readonly follower: Follower
  readonly #port: DocumentPort
  readonly #showing = new Showing()
  readonly #observers: Observers
  readonly #progress: Progress
  /** Viewers that wait for the first state, or for one that is as late as what they resume from. */
  readonly #waiting = new Map<ViewerId, ObserveRequest>()
  /** Viewers that drained while there was nothing to give them. */
  readonly #drained = new Set<ViewerId>()
  /** What those who wait are told; undefined while there is nothing to tell. */
  #refusal:
    | { readonly code: ErrorCode; readonly frame: Uint8Array; readonly isParents: boolean }
    | undefined
  /** What is shown does not lead to what is held: it goes on by a snapshot. */
  #isRestartDue = true
  /** The variant without which nothing more can be shown. */
  #awaited: string | undefined
  /** Since when the wall has known that it cannot be had. */
  #missingSinceMs: number | undefined

  constructor(doc: DocumentKey, follower: Follower, port: DocumentPort) {
    this.doc = doc
    this.follower = follower
    this.#port = port
    const showing = this.#showing
    this.#observers = new Observers({
      doc,
      ring: follower.ring,
      showing,
      port: {
        turn: port.turn,
        grantsOf: viewer => port.grantsOf(viewer),
        statusFrame: cohort => encodeViewerFrame(this.#statusOf(cohort)),
        ended: viewer => port.ended(doc, viewer),
      },
    })
    const observers = this.#observers
    this.#progress = new Progress({ doc, follower, showing, observers, port })
  }

  /** Viewers that observe the document or wait for it. */
  get viewerCount(): number {
    return this.#observers.count + this.#waiting.size
  }

  get cohortCount(): number {
    return this.#showing.cohorts?.count ?? 0
  }

  /** True while what is shown may be old for want of a variant. */
  get isMissingVariant(): boolean {
    return this.#missingSinceMs !== undefined
  }

  /** True while there is something to show. */
  get isShown(): boolean {
    return this.#shownState() !== undefined
  }

  /** True for a viewer that observes the document or waits for it. */
  has(viewer: ViewerId): boolean {
    return this.#observers.has(viewer) || this.#waiting.has(viewer)
  }

  /** A viewer wants the document, from a position when it holds some of it. */
  observe(viewer: ViewerId, request: ObserveRequest): void {
    this.remove(viewer)
    const state = this.#shownState()
    if (state === undefined || this.#isBehind(request.from)) {
      this.#waiting.set(viewer, request)
      if (this.#refusal !== undefined) this.#send(viewer, this.#refusal.frame)
      return
    }
    this.#enter(viewer, request, state)
  }

  /** Which view of the document the viewer wants from now on. */
  setViewState(viewer: ViewerId, viewState: ObserveRequest['viewState']): void {
    const waiting = this.#waiting.get(viewer)
    if (waiting !== undefined) this.#waiting.set(viewer, { ...waiting, viewState })
    else this.#observers.setViewState(viewer, viewState, this.#shownState())
  }

  /** The viewer's token says something else of it. */
  renew(viewer: ViewerId): void {
    this.#observers.renew(viewer, this.#shownState())
  }

  /** The viewer's socket has drained: false when it is not in that cohort any more. */
  catchUp(viewer: ViewerId, cohort: Cohort['id']): boolean {
    if (this.#observers.cohortOf(viewer)?.id !== cohort) return false
    const state = this.#shownState()
    if (state === undefined) this.#drained.add(viewer)
    else this.#observers.catchUp(viewer, state)
    return state !== undefined
  }

  /** The viewer does not observe any more. */
  remove(viewer: ViewerId): void {
    this.#waiting.delete(viewer)
    this.#drained.delete(viewer)
    this.#observers.remove(viewer)
  }

  /** Tells a viewer how it stands with what it is shown. */
  tellStatusTo(viewer: ViewerId): void {
    this.#send(viewer, encodeViewerFrame(this.#statusOf(this.#observers.cohortOf(viewer))))
  }

  /** Everybody is told how it stands with what they are shown. */
  tellStatus(): void {
    this.#observers.tellAllStatus()
  }

  /** What is held was replaced, or is about to be. */
  restart(): void {
    this.#isRestartDue = true
  }

  /** The parent serves the document: what it refused before is over. */
  joined(): void {
    if (this.#refusal?.isParents === true) this.#refusal = undefined
    this.proceed()
  }

  /** Shows what is held, as far as it can be. Records that came in are shown one by one. */
  proceed(): void {
    const { follower } = this
    const { replica } = follower
    const first = this.#showing.at.seq
    while (follower.hasState && !replica.isDeleted && !replica.isBroken) {
      if (this.#isRestartDue || replica.appliedSeq > this.#showing.at.seq) {
        if (!this.#restartShown()) break
      } else if (this.#isAwaiting) {
        break
      }
      const record = this.#nextRecord()
      if (record === undefined || !this.#show(record)) break
    }
    this.#noteDelivered(first)
    this.#serveWaiting()
  }

  /** The variant that is awaited is here, or cannot be had. */
  variantChanged(): void {
    const hash = this.#awaited
    if (hash === undefined) return
    if (this.#port.variants.get(hash) !== undefined) this.proceed()
    else if (this.#port.variants.isMissing(hash)) this.#miss(hash)
  }

  /** The parent refuses for now: those who wait are told once, and go on waiting. */
  refuseForNow(code: ErrorCode, message: string, isParents = true): void {
    if (this.#refusal?.code === code) return
    const { doc } = this
    const frame: SmallFrame = { type: 'refused', doc, code, message, retryAfter: askAgainMs }
    this.#refusal = { code, frame: encodeViewerFrame(frame), isParents }
    for (const viewer of this.#waiting.keys()) this.#send(viewer, this.#refusal.frame)
  }

  /** Those who wait are told the same small thing, and wait no more; returns who that is. */
  dismissWaiting(frame: SmallFrame): ViewerId[] {
    const bytes = encodeViewerFrame(frame)
    const viewers = [...this.#waiting.keys()]
    for (const viewer of viewers) this.#send(viewer, bytes)
    this.#waiting.clear()
    return viewers
  }

  /** Everybody is told the same small thing, and then observes no more; returns who that is. */
  dismiss(frame: SmallFrame): ViewerId[] {
    this.#drained.clear()
    return [...this.dismissWaiting(frame), ...this.#observers.dismiss(encodeViewerFrame(frame))]
  }

  /** The edge lets the document go. */
  close(): void {
    this.#await(undefined)
    this.#port.variants.use(this.doc, undefined, this.#showing.terms?.variant)
  }

  /** Returns true for a viewer that was let in and told nothing, as nothing was due. */
  #enter(viewer: ViewerId, request: ObserveRequest, state: JsonObject): boolean {
    const entered = this.#observers.enter(viewer, request, state)
    if (typeof entered === 'boolean') return entered
    this.#refuse(viewer, entered)
    return false
  }

  /** The state that viewers can be shown; undefined while they have to wait. */
  #shownState(): JsonObject | undefined {
    const { hasState, replica } = this.follower
    const isShown = hasState && !replica.isDeleted && !this.#isRestartDue
    if (!isShown || this.#awaited !== undefined || this.#showing.terms === undefined) {
      return undefined
    }
    const state = replica.state()
    return this.#showing.at.seq === replica.position.seq ? state : undefined
  }

  get #isAwaiting(): boolean {
    return this.#awaited !== undefined && this.#port.variants.get(this.#awaited) === undefined
  }

  /** No viewer is taken back: one that comes from an edge further on waits until this one is there. */
  #isBehind(from: string | undefined): boolean {
    const point = from === undefined ? undefined : this.#showing.terms?.points.open(from)
    return point !== undefined && isAhead(point, this.#showing.at)
  }

  #nextRecord(): LogRecord | undefined {
    const { replica, ring } = this.follower
    const { seq } = this.#showing.at
    if (seq >= replica.position.seq) return undefined
    const record = ring.get(seq + 1)
    if (record !== undefined) return record
    replica.settle(seq - replica.appliedSeq)
    return replica.peek()?.record
  }

  /** False when what comes after the record has to wait. */
  #show(record: LogRecord): boolean {
    switch (record.kind) {
      case 'definition':
        return this.#changeDefinition(record)
      case 'create':
      case 'delete':
        // Whoever sees the document still gets what it has become.
        this.#isRestartDue = this.#observers.count > 0
        if (!this.#isRestartDue) this.#progress.deliver(record)
        return true
      default:
        this.#progress.deliver(record)
        return !this.follower.replica.isBroken
    }
  }

  #changeDefinition(record: LogRecord): boolean {
    const change = decodeChange(record)
    if (change?.kind !== 'definition') {
      // Not what a record is: applying it shows that the replica is broken.
      this.follower.replica.settle(Number.POSITIVE_INFINITY)
      return false
    }
    const found = this.#termsOf(change.definition)
    if (found === 'awaited') return false
    const before = this.#showing.terms
    this.#nowUnder(found, before, this.#progress.changeDefinition(found, record))
    return !this.follower.replica.isBroken
  }

  #restartShown(): boolean {
    const { replica, ring } = this.follower
    const state = replica.state()
    const found = replica.isBroken ? 'awaited' : this.#termsOf(replica.definition)
    // A definition comes before the first state.
    if (found === 'awaited' || state === undefined) return false
    const { epoch, seq, hash } = replica.position
    const timeMs = ring.get(seq)?.timeMs ?? this.#port.wallClockMs()
    const place: Place = { epoch, seq, hash: copyBytes(hash), timeMs }
    this.#isRestartDue = false
    const before = this.#showing.terms
    this.#nowUnder(found, before, this.#progress.restart(found, place, state))
    return true
  }

  /** The document is under another definition; these viewers can be shown nothing by it. */
  #nowUnder(
    terms: Terms | undefined,
    before: Terms | undefined,
    shownNothing: ReadonlyMap<ViewerId, ObserveRequest>,
  ): void {
    this.#port.variants.use(this.doc, terms?.variant, before?.variant)
    // Those who were moved to other cohorts are reported as drained in those.
    if (terms !== before) this.#drained.clear()
    for (const [viewer, request] of shownNothing) this.#waiting.set(viewer, request)
    const wasMissing = this.#missingSinceMs !== undefined
    this.#await(undefined)
    if (this.#refusal?.code === 'FANFOLD_NO_VARIANT') this.#refusal = undefined
    if (wasMissing) this.tellStatus()
  }

  /** What a definition comes to here; undefined when nobody can be shown anything by it. */
  #termsOf(definition: RecordedDefinition | undefined): Terms | undefined | 'awaited' {
    const { doc } = this
    const { variants, sha256 } = this.#port
    const hash = definition?.variant
    if (definition === undefined || hash === undefined) return undefined
    const rules = variants.get(hash)
    if (rules === undefined) {
      this.#await(hash)
      return 'awaited'
    }
    const { type, observe } = rules.definition
    if (type !== documentName(doc).type) {
      this.#awaited = hash
      this.#miss(hash)
      return 'awaited'
    }
    if (observe === undefined) return undefined
    const before = this.#showing.terms
    if (before?.rules === rules && before.viewKey === definition.viewKey) return before
    return {
      doc,
      variant: hash,
      viewKey: definition.viewKey,
      rules,
      points: new ResumePoints(sha256, definition.viewKey),
      isDense: observe.numbering === 'dense',
    }
  }

  #await(hash: string | undefined): void {
    const { variants, turn } = this.#port
    const before = this.#awaited
    if (hash === before) return
    this.#awaited = hash
    this.#missingSinceMs = undefined
    if (before !== undefined) variants.unwant(this.doc, before)
    if (hash === undefined) return
    variants.want(this.doc, hash, turn.now)
    if (variants.isMissing(hash)) this.#miss(hash)
  }

  #miss(hash: string): void {
    if (this.#missingSinceMs === undefined) {
      this.#missingSinceMs = this.#port.wallClockMs()
      this.#port.turn.fact({ event: 'variant-missing', doc: this.doc, hash })
      this.tellStatus()
    }
    this.refuseForNow('FANFOLD_NO_VARIANT', `what ${this.doc} is shown by is not here yet`, false)
  }

  #serveWaiting(): void {
    // Looking at the state costs what waits to be applied.
    if (this.#waiting.size === 0 && this.#drained.size === 0) return
    const state = this.#shownState()
    if (state === undefined) {
      const { hasState, replica } = this.follower
      const isNobody = !this.#isRestartDue && this.#showing.terms === undefined
      if (hasState && !replica.isDeleted && isNobody) {
        const message = `${this.doc} has no definition by which it can be shown`
        this.refuseForNow('FANFOLD_NO_DEFINITION', message, false)
      }
      return
    }
    this.#refusal = undefined
    for (const viewer of [...this.#drained]) {
      this.#drained.delete(viewer)
      this.#observers.catchUp(viewer, state)
    }
    for (const [viewer, request] of [...this.#waiting]) {
      if (this.#isBehind(request.from)) continue
      this.#waiting.delete(viewer)
      const isSilent = this.#enter(viewer, request, state)
      // Status goes to those who are shown something: this one was none of them until now.
      const isStale = this.#port.staleForMs(this.doc) !== undefined
      if ((isStale || isSilent) && this.#observers.has(viewer)) this.tellStatusTo(viewer)
    }
  }

  #noteDelivered(first: number): void {
    const { at } = this.#showing
    const { count } = this.#observers
    if (count === 0 || at.seq <= first || first === 0) return
    this.#port.turn.fact({
      event: 'deltas-delivered',
      deltas: at.seq - first,
      viewers: count,
      cohorts: this.cohortCount,
      committedAtMs: this.follower.ring.get(first + 1)?.timeMs ?? at.timeMs,
    })
  }

  #statusOf(cohort: Cohort | undefined): SmallFrame {
    return statusFrame({
      doc: this.doc,
      nowMs: this.#port.wallClockMs(),
      staleForMs: this.#port.staleForMs(this.doc),
      missingSinceMs: this.#missingSinceMs,
      cohort,
    })
  }

  #refuse(viewer: ViewerId, { code, message }: Refusal): void {
    this.#send(viewer, encodeViewerFrame({ type: 'refused', doc: this.doc, code, message }))
    this.#port.ended(this.doc, viewer)
  }

  #send(viewer: ViewerId, frame: Uint8Array): void {
    this.#port.turn.push({ kind: 'viewer-send', viewer, frame })
  }
}
