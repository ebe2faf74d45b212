/*
 * The viewers of a document that see the same: equal audience, equal view state.
 *
 * What they are sent is made once. Each delta begins where the one before ended, whatever went by in
 * between that they were not shown: `sent` is the last record that they were told of, and as nothing
 * since has changed what they see, a snapshot made now stands there too.
 */
import type { JsonObject, JsonValue, PatchOperation } from '@fanfold/document'
import { assert, type Duration, encodeUtf8, type Instant, milliseconds } from '@fanfold/kernel'
import {
  CohortView,
  copyJson,
  naiveView,
  type StagedChange,
  type ViewFailure,
  type ViewRules,
  type ViewStep,
  viewDifference,
} from '@fanfold/privacy'
import {
  type CohortId,
  type DocumentKey,
  encodeDeltaFrame,
  encodeSnapshotFrame,
  type Position,
} from '@fanfold/protocol'
import type { ResumePoints } from './resume-point.ts'

/** The definition that a document stands under, as its cohorts need it. */
export type Terms = {
  readonly doc: DocumentKey
  /** Name of the edge variant. */
  readonly variant: string
  readonly viewKey: string
  readonly rules: ViewRules
  readonly points: ResumePoints
  /** Whether frames are numbered by the cohort's count of them instead of by seq. */
  readonly isDense: boolean
}

/** A place in the log, with the commit time of the record there, ms since 1970. */
export type Place = Position & { readonly timeMs: number }

/** Who a cohort is for. */
export type CohortAudience = {
  readonly audience: JsonValue
  readonly clearance: number
  readonly viewState: JsonValue | undefined
  /** Time between deltas, for those who want no more; undefined for who wants each. */
  readonly pace: Duration | undefined
  readonly key: string
}

/** Of a cohort that is held: when it is led on is said elsewhere. */
const anyPace = milliseconds(0)
/** A position goes out with a delta at least this often. */
const positionEvery = milliseconds(1_000)

/** One cohort: its view, and where its viewers stand. */
export class Cohort {
  readonly id: CohortId
  readonly key: string
  /** When its viewers were told of something last. */
  toldAt: Instant | undefined
  /** The view's name in positions. */
  readonly tag: Uint8Array
  /** Viewers, lagging ones included. */
  size = 0
  /** Bytes of the last snapshot that was made; undefined before the first. */
  snapshotBytes: number | undefined
  readonly #terms: Terms
  readonly #audience: CohortAudience
  readonly #salt: Uint8Array | undefined
  #besideId: CohortId | undefined
  #isHeld = false
  #view: CohortView
  #failure: ViewFailure | undefined
  #failedAtMs: number | undefined
  #sent: Place
  #number = 1
  /** The last record that changed nothing its viewers see, or of which they were told. */
  #shownSeq: number
  /** With a pace, where deltas are differences: what its viewers see. */
  #told: JsonObject | undefined
  /** What makes marks of seqs: with each snapshot to all it grows, so that no mark stands for two places. */
  #markBase = 0
  #firstMark: number
  #positionSentAt: Instant | undefined

  constructor(options: {
    readonly id: CohortId
    readonly besideId: CohortId | undefined
    readonly terms: Terms
    readonly audience: CohortAudience
    /** Where its viewers stand at first. */
    readonly place: Place
    /** Fresh random bytes, for positions. */
    readonly salt: Uint8Array
  }) {
    const { id, terms, audience, place, salt } = options
    this.id = id
    this.#besideId = options.besideId
    this.key = audience.key
    this.tag = terms.points.tag(terms.variant, audience.audience, audience.viewState)
    this.#terms = terms
    this.#audience = audience
    this.#view = this.#newView()
    this.#sent = place
    this.#firstMark = this.mark
    this.#shownSeq = place.seq
    this.#salt = terms.isDense ? salt : undefined
  }

  /** The rim's name for those who wait beside it; undefined without a pace. */
  get besideId(): CohortId | undefined {
    return this.#besideId
  }

  /** Time between deltas; undefined for a cohort that is told of each record. */
  get pace(): Duration | undefined {
    return this.#isHeld ? anyPace : this.#audience.pace
  }

  /** True while one that wants each record is told of less. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /**
   * One that wants each record, and was told of all up to `at`, is told of less from now on, as a cohort with a pace
   * is. `state` is that of `at`, for one that is led on by comparing.
   */
  hold(besideId: CohortId, at: Place, state: JsonObject | undefined): void {
    assert(this.pace === undefined, 'a cohort that has no pace is held')
    this.#besideId ??= besideId
    this.#shownSeq = at.seq
    this.#isHeld = true
    if (state !== undefined) this.compare(state)
  }

  /** It is told of each record again; nobody sits beside it, and it was led on to the last one. */
  letGo(): void {
    assert(this.#isHeld, 'a cohort that is held is let go')
    this.#isHeld = false
    this.#told = undefined
  }

  /** True when the view is the state as it is, always. */
  get isPlain(): boolean {
    return this.#view.isPlain
  }

  /** True when what its viewers are sent may be compressed: none of it is kept from who sees another part. */
  get isUnmixed(): boolean {
    return this.#view.isUnmixed
  }

  /** Why nothing new is shown; undefined while all is well. */
  get failure(): ViewFailure | undefined {
    return this.#failure
  }

  /** When it was first asked since when it has failed, ms since 1970; `nowMs` the first time. */
  failedAt(nowMs: number): number {
    this.#failedAtMs ??= nowMs
    return this.#failedAtMs
  }

  /** The last record that its viewers were told of. */
  get sent(): Place {
    return this.#sent
  }

  /** Where its viewers stand, as a number of its own for the rim, which gives it back. */
  get mark(): number {
    return this.#markBase + this.#sent.seq
  }

  /** The seq that a mark stands for; undefined when the view was made anew since. */
  seqOf(mark: number): number | undefined {
    return mark < this.#firstMark ? undefined : mark - this.#markBase
  }

  /** Where the next delta begins: what frames call `seq`. */
  get seq(): number {
    return this.#terms.isDense ? this.#number : this.#sent.seq
  }

  /** True when nothing up to `at`, the last record, is to be told. One without a pace always is. */
  isCurrent(at: Place): boolean {
    return this.pace === undefined || this.#shownSeq === at.seq
  }

  /** With a pace: up to which seq its viewers need to be told of nothing. */
  get shownSeq(): number {
    return this.#shownSeq
  }

  /** With a pace: the records up to `seq` change nothing that its viewers see. */
  skipTo(seq: number): void {
    this.#shownSeq = seq
  }

  /**
   * With a pace, where no record says what a cohort sees: what leads from the view before, a copy of
   * which is kept for it, to the view of `state`. Undefined before the first, and when the view fails.
   */
  compare(state: JsonObject): readonly PatchOperation[] | undefined {
    const before = this.#told
    const view = this.read(state)
    this.#told = view === state ? copyJson(state) : view
    return before && view && viewDifference(before, view)
  }

  /** A view of `state` that nobody is led on from. */
  look(state: JsonObject): JsonObject | undefined {
    const read = this.#newView().read(state)
    return read.ok ? read.view : undefined
  }

  /** The view of `state` by the words of the definition alone; undefined where that fails. */
  naive(state: JsonObject): JsonObject | undefined {
    try {
      return naiveView(this.#terms.rules.definition, state, this.wish)
    } catch {
      // What a rule throws is told where viewers are shown something by it.
      return undefined
    }
  }

  /** The view fails, as somebody has found who asked for it. */
  fail(failure: ViewFailure): void {
    this.#failure = failure
  }

  /** The view of `state`, which nobody changes; notes a failure and returns undefined. */
  read(state: JsonObject): JsonObject | undefined {
    const read = this.#view.read(state)
    if (read.ok) return read.view
    this.#failure = read.failure
    return undefined
  }

  /** Looks at a change before it is applied. */
  stage(change: StagedChange): void {
    this.#view.stage(change)
  }

  /** What the change, which is applied, is to the viewers; notes a failure. */
  settle(change: StagedChange, state: JsonObject): ViewStep {
    const step = this.#view.settle(change, state)
    if (step.kind === 'failed') this.#failure = step.failure
    return step
  }

  /** What all changes since it was told last are to the viewers of a computed view; notes a failure. */
  settleAll(state: JsonObject): ViewStep {
    const step = this.#view.compare(state)
    if (step.kind === 'failed') this.#failure = step.failure
    return step
  }

  /** Keeps nothing of what its viewers see; `reread` comes before all else then. */
  giveUp(): void {
    this.#told = undefined
    this.#view = this.#newView()
  }

  /** Makes the view anew, as after a failure or where the history was replaced. */
  reread(state: JsonObject): JsonObject | undefined {
    this.begin()
    const view = this.read(state)
    if (view !== undefined) this.#failedAtMs = undefined
    if (this.#told !== undefined) this.#told = view === state ? copyJson(state) : view
    return view
  }

  /** The view begins anew, unread. */
  begin(): void {
    this.#view = this.#newView()
    this.#failure = undefined
  }

  /** The viewers are where a snapshot of now puts them. */
  restartAt(place: Place): void {
    this.#markBase = Math.max(this.#markBase, this.mark + 1 - place.seq)
    this.#sent = place
    this.#firstMark = this.mark
    this.#shownSeq = place.seq
    this.#number++
  }

  /** The frame that takes all viewers on to `place` by `patch`, the bytes of a JSON array. */
  advance(place: Place, patch: Uint8Array, now: Instant): Uint8Array {
    const from = this.seq
    const { seq, epoch } = this.#sent
    // What the viewer checks on its side too: the next range begins where this one ends, and is no older.
    assert(
      place.seq >= seq && place.epoch >= epoch,
      `a cohort at ${epoch}:${seq} goes on, got ${place.epoch}:${place.seq}`,
    )
    this.#sent = place
    this.#shownSeq = place.seq
    this.toldAt = now
    this.#number++
    return this.stepFrom(from, patch, this.#isPositionDue(now) ? this.position() : undefined)
  }

  /** The frame that takes a viewer from `from` to where the cohort stands. */
  stepFrom(from: number, patch: Uint8Array, position: string | undefined): Uint8Array {
    const { doc } = this.#terms
    const { epoch, timeMs } = this.#sent
    return encodeDeltaFrame({ doc, epoch, from, seq: this.seq, timeMs, position, patch })
  }

  /** The snapshot of now, for viewers that come to stand where the cohort does, or at another place. */
  snapshot(view: JsonObject, place: Place = this.#sent): Uint8Array {
    const { doc, isDense } = this.#terms
    const frame = encodeSnapshotFrame({
      doc,
      epoch: place.epoch,
      seq: isDense ? this.#number : place.seq,
      position: this.position(place),
      isDense,
      viewJson: JSON.stringify(view),
    })
    this.snapshotBytes = frame.length
    return frame
  }

  /** What its viewers resume from. */
  position(place: Place = this.#sent): string {
    return this.#terms.points.seal(place, this.tag, this.#salt)
  }

  /** Who it is for, for the worker. */
  get wish(): Pick<CohortAudience, 'audience' | 'clearance' | 'viewState'> {
    const { audience, clearance, viewState } = this.#audience
    return { audience, clearance, viewState }
  }

  /** The rules of the view, for a catch-up. */
  get view(): CohortView {
    return this.#view
  }

  #newView(): CohortView {
    const { audience, clearance, viewState } = this.#audience
    return new CohortView({ rules: this.#terms.rules, audience, clearance, viewState })
  }

  /** A dense number says nothing at another edge: there the position is all that a viewer has. */
  #isPositionDue(now: Instant): boolean {
    if (this.#terms.isDense) return true
    const before = this.#positionSentAt
    if (before !== undefined && now - before < positionEvery) return false
    this.#positionSentAt = now
    return true
  }
}

/** A patch that changes nothing. */
export const emptyPatch: Uint8Array = encodeUtf8('[]')
