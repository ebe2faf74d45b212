/*
 * The viewers of a document that are shown something, each in its cohort, and how they get from one
 * cohort to another: because they ask for another view, because their token says something else of
 * them, or because the definition does. They keep what they see and get the difference.
 */
import type { JsonObject, JsonValue } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import type { DocumentKey, DrainedCohort, TransferId, ViewerId } from '@fanfold/protocol'
import type { RecordRing } from '@fanfold/replication'
import type { Refusal } from './admission.ts'
import type { Cohort } from './cohort.ts'
import { type Found, findCohort } from './find-cohort.ts'
import type { LargeDocument } from './large-document.ts'
import { leadOn } from './lead-on.ts'
import {
  brokenView,
  ends,
  nobody,
  noView,
  type ObserveRequest,
  type Observer,
  type ObserversPort,
  refusalFrame,
  type Turned,
  type WayBetween,
} from './observe-request.ts'
import { type Seat, seatId, type Way } from './seat.ts'
import { Seating, type Taken } from './seating.ts'
import type { Showing } from './showing.ts'
import { Transfers } from './transfers.ts'

/** What a viewer wants to see, and how often. */
type Wish = Pick<ObserveRequest, 'viewState' | 'pace'>

/** The viewers of one document that are in a cohort, lagging ones included. */
export class Observers {
  readonly #doc: DocumentKey
  readonly #ring: RecordRing
  readonly #showing: Showing
  readonly #port: ObserversPort
  readonly #transfers: Transfers
  readonly #seating: Seating
  readonly #observers = new Map<ViewerId, Observer>()
  /** Those who are sent a large view, or wait for one. */
  readonly #transferring = new Set<ViewerId>()

  constructor(options: {
    readonly doc: DocumentKey
    readonly ring: RecordRing
    readonly showing: Showing
    readonly large: LargeDocument
    readonly port: ObserversPort
  }) {
    const { doc, ring, showing, large, port } = options
    this.#doc = doc
    this.#ring = ring
    this.#showing = showing
    this.#port = port
    this.#transfers = new Transfers({
      doc,
      showing,
      large,
      port: {
        ...port,
        isShown: () => port.shownState() !== undefined,
        seated: (viewer, seat) => this.#seatAgain(viewer, seat),
        failed: (viewer, isRuleFailed) => this.#fail(viewer, isRuleFailed),
        turnedAway: viewer => this.#end(viewer, noView),
      },
    })
    const transfers = this.#transfers
    this.#seating = new Seating({ ring, showing, transfers, turn: port.turn })
  }

  get count(): number {
    return this.#observers.size
  }

  has(viewer: ViewerId): boolean {
    return this.#observers.has(viewer)
  }

  /** The viewer's cohort. */
  cohortOf(viewer: ViewerId): Cohort | undefined {
    return this.#observers.get(viewer)?.seat.cohort
  }

  /** True when the rim calls this the viewer's seat. */
  isAt(viewer: ViewerId, { cohort }: DrainedCohort): boolean {
    const seat = this.#observers.get(viewer)?.seat
    return seat !== undefined && seatId(seat) === cohort
  }

  /** Lets a viewer in and brings it up to date, or says why not; true when nothing was due. */
  enter(viewer: ViewerId, request: ObserveRequest, state: JsonObject): Refusal | boolean {
    const { from, viewState, pace } = request
    const found = this.#find(viewer, request, state)
    if (!found.ok) return found
    const { cohort } = found
    const { shown: cohorts } = this.#showing
    const taken = this.#seating.enter(viewer, cohort, from, state)
    if (taken === undefined) {
      cohorts.dropIfEmpty(cohort)
      return noView
    }
    const observer = { seat: taken.seat, viewState, pace }
    this.#observers.set(viewer, observer)
    cohorts.enter(cohort)
    this.#place(viewer, observer, taken.seat)
    if (cohort.failure === undefined) return taken.isSilent
    this.#tellStatusTo(viewer, cohort)
    return false
  }

  /**
   * The viewer's socket has drained: it is led from where it stands to where its cohort is, and is live
   * again. One that was moved meanwhile is reported as drained where it is now.
   */
  catchUp(viewer: ViewerId, drained: DrainedCohort, state: JsonObject): void {
    const observer = this.#observers.get(viewer)
    if (observer === undefined || !this.isAt(viewer, drained)) return
    this.#take(viewer, observer, this.#seating.drained(viewer, observer.seat, drained.mark, state))
    this.#port.turn.fact({ event: 'viewer-caught-up', doc: this.#doc })
  }

  /** The viewer has been sent a large view. */
  transferred(viewer: ViewerId, transfer: TransferId, state: JsonObject): void {
    const observer = this.#observers.get(viewer)
    if (observer?.seat.kind !== 'transfer' || observer.seat.transfer !== transfer) return
    this.#take(viewer, observer, this.#seating.transferred(viewer, observer.seat, state))
  }

  /** True for a viewer that is sent this. */
  isTransferred(viewer: ViewerId, transfer: TransferId): boolean {
    const seat = this.#observers.get(viewer)?.seat
    return seat?.kind === 'transfer' && seat.transfer === transfer
  }

  /** The viewer does not observe any more. */
  remove(viewer: ViewerId): void {
    const observer = this.#observers.get(viewer)
    if (observer === undefined) return
    this.#forget(viewer)
    this.#seating.leave(viewer, observer.seat)
    this.#showing.cohorts?.leave(observer.seat.cohort)
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
    const found = this.#find(viewer, { viewState, pace: observer.pace }, state)
    if (!found.ok) {
      // A view state that is refused leaves the viewer where it is.
      if (!ends.has(found.code)) this.#refuse(viewer, found)
      else this.#end(viewer, found, { viewState, pace: observer.pace })
      return
    }
    observer.viewState = viewState
    if (found.cohort !== observer.seat.cohort) {
      this.#moveTo(viewer, observer, found.cohort, state)
    } else {
      this.#take(viewer, observer, this.#seating.answer(viewer, observer.seat, state))
      this.#tellFailure(viewer, found.cohort, found.cohort)
    }
  }

  /** The viewer's token says something else of it; without a state to show, that counts later. */
  renew(viewer: ViewerId, state: JsonObject | undefined): void {
    const observer = this.#observers.get(viewer)
    if (observer === undefined) return
    if (state === undefined) {
      this.#showing.isChanged = true
      // What is on its way is for who it was.
      if (observer.seat.kind === 'transfer') this.#seating.leave(viewer, observer.seat)
      return
    }
    const found = this.#find(viewer, observer, state)
    if (found.ok) this.#moveTo(viewer, observer, found.cohort, state)
    else this.#end(viewer, found)
  }

  /** The paced cohorts that are due are led on. */
  leadOn(state: JsonObject): void {
    const { at, shown: cohorts } = this.#showing
    const { turn } = this.#port
    const { allowance } = this.#showing
    for (const cohort of cohorts.paces.due(turn.now)) {
      if (allowance?.isOver === true) {
        cohorts.paces.leave(cohort, turn.now)
        continue
      }
      const before = cohort.failure
      const nowMs = this.#port.wallClockMs()
      const led = leadOn({ cohorts, cohort, ring: this.#ring, at, state, turn, nowMs })
      cohorts.paces.rest(cohort)
      if (led.kind === 'delta') turn.sendAll(cohort, led.frame)
      if (led.kind === 'snapshot') this.restarted(cohort, led.way)
      else this.#gather(cohort, state)
      if (before !== undefined || cohort.failure !== undefined) this.tellStatus(cohort)
      const mayGo = allowance === undefined || allowance.hasPlenty
      if (cohort.isHeld && mayGo && cohort.failure === undefined) cohorts.letGo(cohort)
    }
  }

  /** A cohort goes on by a snapshot, in which all its viewers see what it sees; none while it fails. */
  restarted(cohort: Cohort, way: Way): void {
    cohort.toldAt = this.#port.turn.now
    if (typeof way === 'object') {
      this.#port.turn.sendAll(cohort, way)
      this.#showing.allowance?.spend(way.length, cohort.size)
      if (cohort.pace === undefined && this.#transferring.size === 0) return
    }
    for (const [viewer, observer] of [...this.#observers]) {
      const { seat } = observer
      // What is on its way to a viewer is of no use any more, also when nothing takes its place.
      const isDue = seat.kind === 'transfer' || way === 'pieces' || (way && seat.kind === 'beside')
      if (seat.cohort !== cohort || !isDue) continue
      this.#take(viewer, observer, this.#seating.pass(viewer, seat, cohort, way))
    }
  }

  /** A cohort's viewers are told how it stands with what they are shown. */
  tellStatus(cohort: Cohort): void {
    const { turn } = this.#port
    const [key, frame] = [this.#doc, this.#port.statusFrame(cohort)]
    for (const id of cohort.besideId === undefined ? [cohort.id] : [cohort.id, cohort.besideId]) {
      turn.push({ kind: 'cohort-signal', cohort: id, key, frame })
    }
    for (const viewer of this.#transferring) {
      if (this.cohortOf(viewer) !== cohort) continue
      turn.push({ kind: 'viewer-signal', viewer, key, frame })
    }
  }

  /** Everybody is told how it stands with what they are shown. */
  tellAllStatus(): void {
    for (const cohort of this.#showing.cohorts ?? []) this.tellStatus(cohort)
  }

  /** What is being sent may be sent no more. */
  giveUp(): void {
    for (const [viewer, { seat }] of this.#observers) {
      if (seat.kind === 'transfer') this.#seating.leave(viewer, seat)
    }
  }

  /** Everybody is told this, and then observes no more; who that is. In doubt, cohorts are left as they are. */
  dismiss(frame: Uint8Array, isInDoubt: boolean): ViewerId[] {
    const observers = [...this.#observers]
    for (const [viewer, { seat }] of observers) {
      this.#send(viewer, frame)
      this.#forget(viewer)
      this.#seating.leave(viewer, seat)
      if (!isInDoubt) this.#showing.cohorts?.leave(seat.cohort)
    }
    return observers.map(([viewer]) => viewer)
  }

  /** Everybody is let into the cohorts that are shown now; who cannot be is told, or returned. */
  regroup(state: JsonObject | undefined, wayBetween: WayBetween, wasAt: number): Turned {
    const { cohorts } = this.#showing
    if (cohorts === undefined || state === undefined) return this.#turnAway()
    for (const [viewer, observer] of [...this.#observers]) {
      const { seat } = observer
      const before = seat.cohort
      const found = this.#find(viewer, observer, state, true)
      if (!found.ok) {
        // Its cohort went with the others: only the rim has to hear of it.
        this.#forget(viewer)
        this.#seating.leave(viewer, seat)
        this.#turnOut(viewer, found, observer)
        continue
      }
      const to = found.cohort
      cohorts.enter(to)
      const isKnown = seat.kind === 'in' && (before.pace === undefined || before.shownSeq === wasAt)
      const way = wayBetween(before, to, isKnown)
      this.#take(viewer, observer, this.#seating.pass(viewer, seat, to, way), to)
      this.#tellFailure(viewer, before, to)
    }
    return nobody
  }

  #turnAway(): Turned {
    const turned = new Map<ViewerId, ObserveRequest>()
    for (const [viewer, { seat, viewState, pace }] of this.#observers) {
      turned.set(viewer, { from: undefined, viewState, pace })
      this.#seating.leave(viewer, seat)
    }
    this.#observers.clear()
    this.#transferring.clear()
    return turned
  }

  #find(viewer: ViewerId, request: Wish, state: JsonObject, isRegrouped = false): Found {
    const { turn } = this.#port
    const { viewState, pace } = request
    const grants = this.#port.grantsOf(viewer)
    assert(grants !== undefined, `viewer ${viewer} is connected`)
    const { shown: cohorts, ceiling } = this.#showing
    // The last record may be one that the viewer is not shown: nor is its time.
    const timeMs = isRegrouped ? this.#showing.at.timeMs : this.#port.wallClockMs()
    const at = { ...this.#showing.at, timeMs }
    const view = { viewState, pace, isViewStateOptional: isRegrouped, ceiling }
    return findCohort({ cohorts, grants, ...view, at, state, turn })
  }

  #moveTo(viewer: ViewerId, observer: Observer, to: Cohort, state: JsonObject): void {
    const from = observer.seat.cohort
    if (from === to) return
    this.#showing.shown.enter(to)
    const taken = this.#seating.move(viewer, observer.seat, to, state)
    this.#take(viewer, observer, taken, to)
    if (taken !== undefined) this.#tellFailure(viewer, from, to)
    this.#showing.shown.leave(from)
  }

  /** The viewer sits there now; one for whom there is no seat now is told to come again. */
  #take(viewer: ViewerId, observer: Observer, taken: Taken, to = observer.seat.cohort): void {
    if (taken !== undefined) {
      this.#place(viewer, observer, taken.seat)
      return
    }
    this.#forget(viewer)
    this.#showing.cohorts?.leave(to)
    this.#tellEnd(viewer, noView)
  }

  #place(viewer: ViewerId, observer: Observer, seat: Seat): void {
    const { kind, cohort } = seat
    observer.seat = seat
    if (kind === 'transfer') this.#transferring.add(viewer)
    else this.#transferring.delete(viewer)
    if (kind === 'beside') this.#showing.shown.paces.wakeOne(cohort, this.#port.turn.now)
  }

  #forget(viewer: ViewerId): void {
    this.#observers.delete(viewer)
    this.#transferring.delete(viewer)
  }

  #gather(cohort: Cohort, state: JsonObject): void {
    for (const [viewer, observer] of this.#observers) {
      const { seat } = observer
      if (seat.cohort !== cohort || seat.kind !== 'beside') continue
      this.#take(viewer, observer, this.#seating.gather(viewer, seat, state))
    }
  }

  #seatAgain(viewer: ViewerId, seat: Seat): void {
    const observer = this.#observers.get(viewer)
    if (observer !== undefined) this.#place(viewer, observer, seat)
  }

  #fail(viewer: ViewerId, isRuleFailed: boolean): void {
    const refusal = isRuleFailed ? brokenView : noView
    this.#port.turn.fact({ event: 'view-failed', doc: this.#doc, code: refusal.code })
    this.#end(viewer, refusal)
  }

  /** A viewer hears of a view that fails or works again. */
  #tellFailure(viewer: ViewerId, from: Cohort, to: Cohort): void {
    if (from.failure === undefined && to.failure === undefined) return
    this.#tellStatusTo(viewer, to)
  }

  #end(
    viewer: ViewerId,
    refusal: Refusal,
    wish: Wish | undefined = this.#observers.get(viewer),
  ): void {
    this.remove(viewer)
    this.#turnOut(viewer, refusal, wish)
  }

  /** One that observes no more is told so, or waits where that may soon be otherwise. */
  #turnOut(viewer: ViewerId, refusal: Refusal, wish: Wish | undefined): void {
    const request = wish && { from: undefined, viewState: wish.viewState, pace: wish.pace }
    const isForGood = ends.has(refusal.code)
    if (isForGood && request !== undefined && this.#port.waitsOn(viewer, request)) return
    this.#tellEnd(viewer, refusal)
  }

  #tellEnd(viewer: ViewerId, refusal: Refusal): void {
    this.#refuse(viewer, refusal)
    this.#port.ended(viewer)
  }

  #refuse(viewer: ViewerId, refusal: Refusal): void {
    const frame = refusalFrame(this.#doc, refusal, () => this.#port.retryAfterMs())
    this.#send(viewer, frame)
  }

  #tellStatusTo(viewer: ViewerId, cohort: Cohort): void {
    const frame = this.#port.statusFrame(cohort)
    this.#port.turn.push({ kind: 'viewer-signal', viewer, key: this.#doc, frame })
  }

  #send(viewer: ViewerId, frame: Uint8Array): void {
    this.#port.turn.push({ kind: 'viewer-send', viewer, frame })
  }
}
