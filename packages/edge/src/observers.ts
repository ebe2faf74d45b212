/*
 * The viewers of a document that are shown something, each in its cohort, and how they get from one
 * cohort to another: because they ask for another view, because their token says something else of
 * them, or because the definition does. They keep what they see and get the difference.
 */
import type { JsonObject, JsonValue } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import {
  type DocumentKey,
  type DrainedCohort,
  type ErrorCode,
  encodeViewerFrame,
  type Grants,
  type ViewerId,
} from '@fanfold/protocol'
import type { RecordRing } from '@fanfold/replication'
import type { Refusal } from './admission.ts'
import { drainedFrames, entryFrames } from './catch-up.ts'
import type { Cohort } from './cohort.ts'
import { type Found, findCohort } from './find-cohort.ts'
import { answerFrame, frameBetween } from './move-frames.ts'
import type { Showing } from './showing.ts'
import type { Turn } from './turn.ts'

/** What observers ask of the document and the edge that they are of. */
export type ObserversPort = {
  readonly turn: Turn
  /** The wall's time, ms since 1970. */
  wallClockMs(): number
  /** What the viewer's token says now; undefined for a viewer that is gone. */
  grantsOf(viewer: ViewerId): Grants | undefined
  /** How it stands with what a cohort is shown. */
  statusFrame(cohort: Cohort): Uint8Array
  /** The viewer was told that it observes no more. */
  ended(viewer: ViewerId): void
}

/** What a viewer asks for. */
export type ObserveRequest = {
  readonly from: string | undefined
  readonly viewState: JsonValue | undefined
}

type Observer = { cohort: Cohort; viewState: JsonValue | undefined }

/** Viewers that can be shown nothing any more, with what they asked for. */
export type Turned = ReadonlyMap<ViewerId, ObserveRequest>

/** Everybody can be shown something. */
export const nobody: Turned = new Map()

/** What a viewer may not be shown any more, whatever it asks for. */
const ends: ReadonlySet<ErrorCode> = new Set([
  'FANFOLD_FORBIDDEN',
  'FANFOLD_ABOVE_CEILING',
  'FANFOLD_RULE_FAILED',
])

/** How the frame that takes a viewer from one cohort to another is made. */
export type FrameBetween = (from: Cohort, to: Cohort) => Uint8Array | undefined

/** The viewers of one document that are in a cohort, lagging ones included. */
export class Observers {
  readonly #doc: DocumentKey
  readonly #ring: RecordRing
  readonly #showing: Showing
  readonly #port: ObserversPort
  readonly #observers = new Map<ViewerId, Observer>()

  constructor(options: {
    readonly doc: DocumentKey
    readonly ring: RecordRing
    readonly showing: Showing
    readonly port: ObserversPort
  }) {
    this.#doc = options.doc
    this.#ring = options.ring
    this.#showing = options.showing
    this.#port = options.port
  }

  get count(): number {
    return this.#observers.size
  }

  has(viewer: ViewerId): boolean {
    return this.#observers.has(viewer)
  }

  /** The viewer's cohort. */
  cohortOf(viewer: ViewerId): Cohort | undefined {
    return this.#observers.get(viewer)?.cohort
  }

  /** Lets a viewer in and brings it up to date, or says why not; true when nothing was due. */
  enter(viewer: ViewerId, request: ObserveRequest, state: JsonObject): Refusal | boolean {
    const { from, viewState } = request
    const found = this.#find(viewer, viewState, state)
    if (!found.ok) return found
    const { cohort } = found
    const { at, shown: cohorts } = this.#showing
    const { turn } = this.#port
    const frames = entryFrames({ cohorts, cohort, from, ring: this.#ring, at, state, turn })
    this.#observers.set(viewer, { cohort, viewState })
    cohorts.enter(cohort)
    for (const frame of frames) this.#send(viewer, frame)
    turn.push({ kind: 'cohort-enter', cohort: cohort.id, viewer, mark: cohort.mark })
    if (cohort.failure === undefined) return frames.length === 0
    this.#tellStatusTo(viewer, cohort)
    return false
  }

  /**
   * The viewer's socket has drained: it is led from where it stands to where its cohort is, and is live
   * again. One that was moved meanwhile is reported as drained where it is now.
   */
  catchUp(viewer: ViewerId, { cohort: id, mark }: DrainedCohort, state: JsonObject): void {
    const cohort = this.#observers.get(viewer)?.cohort
    if (cohort?.id !== id) return
    const { at, shown: cohorts } = this.#showing
    const { turn } = this.#port
    const frames = drainedFrames({ cohorts, cohort, mark, ring: this.#ring, at, state, turn })
    for (const frame of frames) this.#send(viewer, frame)
    turn.push({ kind: 'cohort-enter', cohort: cohort.id, viewer, mark: cohort.mark })
    turn.fact({ event: 'viewer-caught-up', doc: this.#doc })
  }

  /** The viewer does not observe any more. */
  remove(viewer: ViewerId): void {
    const observer = this.#observers.get(viewer)
    if (observer === undefined) return
    this.#observers.delete(viewer)
    this.#showing.cohorts?.leave(observer.cohort)
    this.#port.turn.push({ kind: 'cohort-exit', cohort: observer.cohort.id, viewer })
  }

  /**
   * The viewer asks for another view; without a state to show (`undefined`), later. It is answered
   * also when the view is the one it has.
   */
  setViewState(
    viewer: ViewerId,
    viewState: JsonValue | undefined,
    state: JsonObject | undefined,
  ): void {
    const observer = this.#observers.get(viewer)
    if (observer === undefined) return
    if (state === undefined) {
      observer.viewState = viewState
      this.#showing.isChanged = true
      return
    }
    const found = this.#find(viewer, viewState, state)
    if (!found.ok) {
      // A view state that is refused leaves the viewer where it is.
      if (ends.has(found.code)) this.#end(viewer, found)
      else this.#refuse(viewer, found)
      return
    }
    observer.viewState = viewState
    if (found.cohort !== observer.cohort) {
      this.#moveTo(viewer, observer, found.cohort, state)
    } else {
      // As a move, so that a viewer that lags gets no range that it does not have.
      const { cohort } = observer
      this.#passOver(viewer, cohort, cohort, answerFrame(this.#showing.shown, cohort, state))
    }
  }

  /** The viewer's token says something else of it; without a state to show, that counts later. */
  renew(viewer: ViewerId, state: JsonObject | undefined): void {
    const observer = this.#observers.get(viewer)
    if (observer === undefined) return
    if (state === undefined) {
      this.#showing.isChanged = true
      return
    }
    const found = this.#find(viewer, observer.viewState, state)
    if (found.ok) this.#moveTo(viewer, observer, found.cohort, state)
    else this.#end(viewer, found)
  }

  /** A cohort's viewers are told how it stands with what they are shown. */
  tellStatus(cohort: Cohort): void {
    const frame = this.#port.statusFrame(cohort)
    this.#port.turn.push({ kind: 'cohort-signal', cohort: cohort.id, key: this.#doc, frame })
  }

  /** Everybody is told how it stands with what they are shown. */
  tellAllStatus(): void {
    for (const cohort of this.#showing.cohorts ?? []) this.tellStatus(cohort)
  }

  /** Everybody is told the same small thing, and then observes no more; returns who that is. */
  dismiss(frame: Uint8Array): ViewerId[] {
    const viewers = [...this.#observers.keys()]
    for (const viewer of viewers) {
      this.#send(viewer, frame)
      this.remove(viewer)
    }
    return viewers
  }

  /** Everybody is let into the cohorts that are shown now; who cannot be is told, or returned. */
  regroup(state: JsonObject | undefined, frameBetween: FrameBetween): Turned {
    const { turn } = this.#port
    const { cohorts } = this.#showing
    if (cohorts === undefined || state === undefined) return this.#turnAway()
    for (const [viewer, observer] of [...this.#observers]) {
      const before = observer.cohort
      const found = this.#find(viewer, observer.viewState, state, true)
      if (!found.ok) {
        // Its cohort went with the others: only the rim has to hear of it.
        this.#observers.delete(viewer)
        turn.push({ kind: 'cohort-exit', cohort: before.id, viewer })
        this.#tellEnd(viewer, found)
        continue
      }
      observer.cohort = found.cohort
      cohorts.enter(found.cohort)
      this.#passOver(viewer, before, found.cohort, frameBetween(before, found.cohort))
    }
    return nobody
  }

  #turnAway(): Turned {
    const turned = new Map<ViewerId, ObserveRequest>()
    for (const [viewer, { cohort, viewState }] of this.#observers) {
      turned.set(viewer, { from: undefined, viewState })
      this.#port.turn.push({ kind: 'cohort-exit', cohort: cohort.id, viewer })
    }
    this.#observers.clear()
    return turned
  }

  #find(
    viewer: ViewerId,
    viewState: JsonValue | undefined,
    state: JsonObject,
    isRegrouped = false,
  ): Found {
    const { turn } = this.#port
    const grants = this.#port.grantsOf(viewer)
    assert(grants !== undefined, `viewer ${viewer} is connected`)
    const { shown: cohorts, ceiling } = this.#showing
    // The last record may be one that the viewer is not shown: nor is its time.
    const timeMs = isRegrouped ? this.#showing.at.timeMs : this.#port.wallClockMs()
    const at = { ...this.#showing.at, timeMs }
    return findCohort({
      cohorts,
      grants,
      viewState,
      isViewStateOptional: isRegrouped,
      ceiling,
      at,
      state,
      turn,
    })
  }

  #moveTo(viewer: ViewerId, observer: Observer, to: Cohort, state: JsonObject): void {
    const from = observer.cohort
    if (from === to) return
    const { shown: cohorts, at } = this.#showing
    const { turn } = this.#port
    const frame = frameBetween({ cohorts, from, to, at, state, turn })
    observer.cohort = to
    cohorts.enter(to)
    this.#passOver(viewer, from, to, frame)
    cohorts.leave(from)
  }

  /** The rim moves the viewer, which hears of a view that fails or works again. */
  #passOver(viewer: ViewerId, from: Cohort, to: Cohort, frame: Uint8Array | undefined): void {
    const mark = to.mark
    this.#port.turn.push({ kind: 'cohort-move', viewer, from: from.id, to: to.id, frame, mark })
    if (from.failure !== undefined || to.failure !== undefined) {
      this.#tellStatusTo(viewer, to)
    }
  }

  #end(viewer: ViewerId, refusal: Refusal): void {
    this.remove(viewer)
    this.#tellEnd(viewer, refusal)
  }

  #tellEnd(viewer: ViewerId, refusal: Refusal): void {
    this.#refuse(viewer, refusal)
    this.#port.ended(viewer)
  }

  #refuse(viewer: ViewerId, { code, message }: { code: ErrorCode; message: string }): void {
    this.#send(viewer, encodeViewerFrame({ type: 'refused', doc: this.#doc, code, message }))
  }

  #tellStatusTo(viewer: ViewerId, cohort: Cohort): void {
    const frame = this.#port.statusFrame(cohort)
    this.#port.turn.push({ kind: 'viewer-signal', viewer, key: this.#doc, frame })
  }

  #send(viewer: ViewerId, frame: Uint8Array): void {
    this.#port.turn.push({ kind: 'viewer-send', viewer, frame })
  }
}
