/*
 * The viewers of a document that are shown something, each in its cohort, and how they get from one
 * cohort to another: because they ask for another view, because their token says something else of
 * them, or because the definition does. They keep what they see and get the difference.
 */
import type { JsonObject, JsonValue } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  encodeViewerFrame,
  type Grants,
  type LogRecord,
  type ViewerId,
  zeroPosition,
} from '@fanfold/protocol'
import type { Follower } from '@fanfold/replication'
import { labelMax, type Refusal } from './admission.ts'
import { entryFrames } from './catch-up.ts'
import type { Cohort, Place, Terms } from './cohort.ts'
import { type CohortLimits, type CohortNames, Cohorts } from './cohorts.ts'
import { deliverRecord, placeOf, ruleFailed } from './delivery.ts'
import { type Found, findCohort } from './find-cohort.ts'
import { answerFrame, frameAcross, frameBetween, readViews } from './move-frames.ts'
import type { Turn } from './turn.ts'

/** What observers ask of the document and the edge that they are of. */
export type ObserversPort = CohortNames & {
  readonly turn: Turn
  readonly limits: CohortLimits
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
type Turned = ReadonlyMap<ViewerId, ObserveRequest>

const nobody: Turned = new Map()

/** What a viewer may not be shown any more, whatever it asks for. */
const ends: ReadonlySet<ErrorCode> = new Set([
  'FANFOLD_FORBIDDEN',
  'FANFOLD_ABOVE_CEILING',
  'FANFOLD_RULE_FAILED',
])

/** How the frame that takes a viewer from one cohort to another is made. */
type FrameBetween = (from: Cohort, to: Cohort) => Uint8Array | undefined

/** The viewers of one document that are in a cohort, lagging ones included. */
export class Observers {
  readonly #doc: DocumentKey
  readonly #follower: Follower
  readonly #port: ObserversPort
  readonly #observers = new Map<ViewerId, Observer>()
  #cohorts: Cohorts | undefined
  #at: Place = { ...zeroPosition, timeMs: 0 }
  #ceiling = 0
  /** Whether who may see what has to be looked at anew, with the next snapshots. */
  #isChanged = false

  constructor(doc: DocumentKey, follower: Follower, port: ObserversPort) {
    this.#doc = doc
    this.#follower = follower
    this.#port = port
  }

  get count(): number {
    return this.#observers.size
  }

  get cohortCount(): number {
    return this.#cohorts?.count ?? 0
  }

  /** The definition in force for what is shown; undefined while nobody can be shown anything. */
  get terms(): Terms | undefined {
    return this.#cohorts?.terms
  }

  /** The last record that was delivered. */
  get at(): Place {
    return this.#at
  }

  has(viewer: ViewerId): boolean {
    return this.#observers.has(viewer)
  }

  /** The viewer's cohort. */
  cohortOf(viewer: ViewerId): Cohort | undefined {
    return this.#observers.get(viewer)?.cohort
  }

  /** Lets a viewer in and brings it up to date, or says why not. */
  enter(viewer: ViewerId, request: ObserveRequest, state: JsonObject): Refusal | undefined {
    const { from, viewState } = request
    const found = this.#find(viewer, viewState, state)
    if (!found.ok) return found
    const { cohort } = found
    const cohorts = this.#shown
    const { turn } = this.#port
    const { ring } = this.#follower
    const frames = entryFrames({ cohorts, cohort, from, ring, at: this.#at, state, turn })
    this.#observers.set(viewer, { cohort, viewState })
    cohorts.enter(cohort)
    for (const frame of frames) this.#send(viewer, frame)
    turn.push({ kind: 'cohort-enter', cohort: cohort.id, viewer })
    if (cohort.failure !== undefined) this.#send(viewer, this.#port.statusFrame(cohort))
    return undefined
  }

  /** The viewer's socket has drained: it gets where its cohort is now and is live again. */
  catchUp(viewer: ViewerId, state: JsonObject): void {
    const cohort = this.#observers.get(viewer)?.cohort
    if (cohort === undefined) return
    // Only a snapshot of now is surely not older than what the viewer took before it lagged.
    const snapshot = this.#shown.snapshotOf(cohort, state)
    if (snapshot !== undefined) this.#send(viewer, snapshot)
    this.#port.turn.push({ kind: 'cohort-enter', cohort: cohort.id, viewer })
    this.#port.turn.fact({ event: 'viewer-caught-up', doc: this.#doc })
  }

  /** The viewer does not observe any more. */
  remove(viewer: ViewerId): void {
    const observer = this.#observers.get(viewer)
    if (observer === undefined) return
    this.#observers.delete(viewer)
    this.#cohorts?.leave(observer.cohort)
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
      this.#isChanged = true
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
      this.#passOver(viewer, cohort, cohort, answerFrame(this.#shown, cohort, state))
    }
  }

  /** The viewer's token says something else of it; without a state to show, that counts later. */
  renew(viewer: ViewerId, state: JsonObject | undefined): void {
    const observer = this.#observers.get(viewer)
    if (observer === undefined) return
    if (state === undefined) {
      this.#isChanged = true
      return
    }
    const found = this.#find(viewer, observer.viewState, state)
    if (found.ok) this.#moveTo(viewer, observer, found.cohort, state)
    else this.#end(viewer, found)
  }

  /** Sends the cohorts what the record after the last one is to them. */
  deliver(record: LogRecord): void {
    if (this.#cohorts !== undefined) {
      deliverRecord(
        {
          cohorts: this.#cohorts,
          replica: this.#follower.replica,
          turn: this.#port.turn,
          isWhole: this.#ceiling === labelMax,
          tellStatus: cohort => this.tellStatus(cohort),
        },
        record,
      )
    }
    if (!this.#follower.replica.isBroken) this.#at = placeOf(record)
  }

  /**
   * What is shown goes on from `place`, where the history was replaced: everybody gets a snapshot.
   * Returns viewers that can be shown nothing, where nobody can.
   */
  restart(terms: Terms | undefined, place: Place, state: JsonObject): Turned {
    const ceiling = Math.min(this.#follower.upstream.ceiling, labelMax)
    const isChanged = this.#isChanged || ceiling !== this.#ceiling || terms !== this.terms
    const cohorts = this.#cohorts
    this.#ceiling = ceiling
    this.#at = place
    if (isChanged || cohorts === undefined) {
      return this.#begin(terms, state, (_from, to) => this.#cohorts?.snapshotOf(to, state))
    }
    for (const cohort of cohorts) {
      const before = cohort.failure
      const frame = cohorts.restart(cohort, place, state)
      if (frame !== undefined) this.#sendAll(cohort, frame)
      else if (cohort.failure !== undefined) this.#noteFailure(cohort)
      if (before !== undefined || cohort.failure !== undefined) this.tellStatus(cohort)
    }
    return nobody
  }

  /**
   * Everybody is looked at anew by what the record says, and gets the difference between what the
   * document showed before it and shows after it. Returns viewers that can be shown nothing.
   */
  changeDefinition(terms: Terms | undefined, record: LogRecord): Turned {
    const { replica } = this.#follower
    const old = this.#cohorts
    let views = new Map<Cohort, JsonObject>()
    if (this.count > 0) {
      replica.settle(record.seq - 1 - replica.appliedSeq)
      const state = replica.appliedState
      if (old !== undefined && state !== undefined) views = readViews(old, state)
      replica.settle(1)
    }
    if (replica.isBroken) return nobody
    this.#at = placeOf(record)
    this.#ceiling = Math.min(this.#follower.upstream.ceiling, labelMax)
    const state = this.count > 0 ? replica.appliedState : undefined
    if (state === undefined) return this.#begin(terms, undefined, () => undefined)
    const isDense = old?.terms.isDense === true || terms?.isDense === true
    const frames = new Map<string, Uint8Array | undefined>()
    return this.#begin(terms, state, (from, to) => {
      const key = `${from.id}>${to.id}`
      if (!frames.has(key)) {
        const before = isDense ? undefined : views.get(from)
        frames.set(key, frameAcross({ cohorts: this.#shown, from, to, before, state }))
      }
      return frames.get(key)
    })
  }

  /** A cohort's viewers are told how it stands with what they are shown. */
  tellStatus(cohort: Cohort): void {
    this.#sendAll(cohort, this.#port.statusFrame(cohort))
  }

  /** Everybody is told how it stands with what they are shown. */
  tellAllStatus(): void {
    for (const cohort of this.#cohorts ?? []) this.tellStatus(cohort)
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

  /** New cohorts, into which everybody is let anew; who cannot be is told, or returned. */
  #begin(
    terms: Terms | undefined,
    state: JsonObject | undefined,
    frameBetween: FrameBetween,
  ): Turned {
    const { limits, turn } = this.#port
    this.#isChanged = false
    this.#cohorts = terms === undefined ? undefined : new Cohorts(terms, limits, this.#port)
    const cohorts = this.#cohorts
    if (cohorts === undefined || state === undefined) {
      const turned = new Map<ViewerId, ObserveRequest>()
      for (const [viewer, { cohort, viewState }] of this.#observers) {
        turned.set(viewer, { from: undefined, viewState })
        turn.push({ kind: 'cohort-exit', cohort: cohort.id, viewer })
      }
      this.#observers.clear()
      return turned
    }
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

  #find(
    viewer: ViewerId,
    viewState: JsonValue | undefined,
    state: JsonObject,
    isViewStateOptional = false,
  ): Found {
    const { turn } = this.#port
    const grants = this.#port.grantsOf(viewer)
    assert(grants !== undefined, `viewer ${viewer} is connected`)
    const cohorts = this.#shown
    const [at, ceiling] = [this.#at, this.#ceiling]
    return findCohort({ cohorts, grants, viewState, isViewStateOptional, ceiling, at, state, turn })
  }

  #moveTo(viewer: ViewerId, observer: Observer, to: Cohort, state: JsonObject): void {
    const from = observer.cohort
    if (from === to) return
    const cohorts = this.#shown
    const { turn } = this.#port
    const frame = frameBetween({ cohorts, from, to, at: this.#at, state, turn })
    observer.cohort = to
    cohorts.enter(to)
    this.#passOver(viewer, from, to, frame)
    cohorts.leave(from)
  }

  /** The cohorts, where there is something to show. */
  get #shown(): Cohorts {
    assert(this.#cohorts !== undefined, `${this.#doc} has a definition by which it is shown`)
    return this.#cohorts
  }

  /** The rim moves the viewer, which hears of a view that fails or works again. */
  #passOver(viewer: ViewerId, from: Cohort, to: Cohort, frame: Uint8Array | undefined): void {
    this.#port.turn.push({ kind: 'cohort-move', viewer, from: from.id, to: to.id, frame })
    if (from.failure !== undefined || to.failure !== undefined) {
      this.#send(viewer, this.#port.statusFrame(to))
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

  #noteFailure({ failure }: Cohort): void {
    if (failure !== undefined) this.#port.turn.fact(ruleFailed(this.#doc, failure))
  }

  #sendAll(cohort: Cohort, frame: Uint8Array): void {
    this.#port.turn.push({ kind: 'cohort-send', cohort: cohort.id, frame })
  }

  #send(viewer: ViewerId, frame: Uint8Array): void {
    this.#port.turn.push({ kind: 'viewer-send', viewer, frame })
  }
}
