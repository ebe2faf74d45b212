/*
 * One viewer: the cohorts it sits in, those it left by lagging, and what waits for it alone.
 */
import { assert, SmallMap } from '@fanfold/kernel'
import {
  type CohortId,
  type DrainedCohort,
  decodeViewerRequest,
  type TransferId,
  type ViewerId,
  type ViewerRequest,
} from '@fanfold/protocol'
import type { ClientConnection, ClientFrame } from './client-connection.ts'
import type { CohortMember, Seat } from './cohort-ring.ts'
import type { Delivery } from './delivery.ts'
import { SignalLane } from './signal-lane.ts'
import { ViewerTransfers } from './viewer-transfers.ts'

/** Requests of a viewer but for the token, which is the rim's. */
export type RequestOfViewer = Exclude<ViewerRequest, { type: 'authenticate' }>

/** What a viewer says: a token, or a request. Throws as `decodeViewerRequest`. */
export function decodeRequest(text: string): ClientFrame<RequestOfViewer> {
  const request = decodeViewerRequest(text)
  return request.type === 'authenticate' ? { token: request.token } : { request }
}

/** Signals that wait for one viewer; beyond it the oldest is dropped. */
const signalsWaitingMax = 64

/** Told before bytes that are so many frames go to a viewer. */
export type BeforeWrite = (viewer: Viewer, bytes: number, frames: number) => void

/** Where a viewer stands in a cohort that it left by lagging. */
type Absence = { readonly mark: number | undefined; readonly isReported: boolean }

/** A signal that waits, as bytes of its frame; of a cohort, or of the viewer alone. */
type WaitingSignal = { readonly cohort: CohortId | undefined; readonly bytes: Buffer }

/** A viewer's connection and its places in cohorts. */
export class Viewer implements CohortMember {
  readonly id: ViewerId
  readonly #seats = new SmallMap<CohortId, Seat<Viewer>>()
  // Most viewers never have any of these: what most have decides how many fit.
  #signals: SignalLane<WaitingSignal> | undefined
  #transfers: ViewerTransfers | undefined
  /** Cohorts it left by lagging and has not entered again. */
  #absences: SmallMap<CohortId, Absence> | undefined
  readonly #beforeWrite: BeforeWrite
  #connection: ClientConnection<RequestOfViewer, Viewer> | undefined
  /** The connection's, at hand for the fan-out. */
  #delivery: Delivery | undefined
  #isInSeveral = false

  constructor(id: ViewerId, beforeWrite: BeforeWrite) {
    this.id = id
    this.#beforeWrite = beforeWrite
  }

  get connection(): ClientConnection<RequestOfViewer, Viewer> {
    assert(this.#connection !== undefined, `viewer ${this.id} has its connection`)
    return this.#connection
  }

  /** Set once, right after construction: the connection's events need the viewer and the reverse. */
  set connection(connection: ClientConnection<RequestOfViewer, Viewer>) {
    this.#connection = connection
    this.#delivery = connection.delivery
  }

  /** Its seats by cohort. */
  get seats(): Iterable<[CohortId, Seat<Viewer>]> {
    return this.#seats
  }

  /** Its seat in a cohort. */
  seatIn(cohort: CohortId): Seat<Viewer> | undefined {
    return this.#seats.get(cohort)
  }

  /** True while it has more than one seat. */
  get isInSeveral(): boolean {
    return this.#isInSeveral
  }

  /** It has a seat in a cohort. */
  sit(cohort: CohortId, seat: Seat<Viewer>): void {
    this.#seats.set(cohort, seat)
    this.#count()
  }

  /** It has a seat in a cohort no more. */
  rise(cohort: CohortId): void {
    this.#seats.delete(cohort)
    this.#count()
  }

  get slot(): number {
    return this.#delivery?.slot ?? -1
  }

  take(bytes: Buffer, frames: number): boolean {
    const delivery = this.#delivery
    if (delivery === undefined || !delivery.fits()) return false
    this.#beforeWrite(this, bytes.length, frames)
    delivery.write(bytes)
    return true
  }

  get takesDeflated(): boolean {
    return this.connection.delivery.takesDeflated
  }

  wouldTake(bytes: number): boolean {
    return this.connection.delivery.wouldTake(bytes)
  }

  /** Signals that wait; undefined when none ever did. */
  get signals(): SignalLane<WaitingSignal> | undefined {
    return this.#signals
  }

  /** A signal waits. */
  putSignal(key: string, signal: WaitingSignal): void {
    this.#signals ??= new SignalLane({ signalsMax: signalsWaitingMax })
    this.#signals.put(key, signal)
  }

  dropSignal(key: string): void {
    this.#signals?.delete(key)
  }

  get hasSignalsWaiting(): boolean {
    return this.#signals !== undefined && this.#signals.size > 0
  }

  /** Transfers that are under way; undefined when none ever was. */
  get transfers(): ViewerTransfers | undefined {
    return this.#transfers
  }

  /** A transfer begins behind the others. */
  addTransfer(id: TransferId, frames: readonly Uint8Array[], mayCompress: boolean): void {
    this.#transfers ??= new ViewerTransfers()
    this.#transfers.add(id, frames, mayCompress)
  }

  get hasTransfers(): boolean {
    return this.#transfers !== undefined && this.#transfers.size > 0
  }

  /** Cohorts it is away from. */
  get absences(): readonly CohortId[] {
    return [...(this.#absences ?? [])].map(([cohort]) => cohort)
  }

  /** True while it is away from a cohort. */
  get isAway(): boolean {
    return this.#absences !== undefined && this.#absences.size > 0
  }

  /** True while it is away from a cohort and has not drained since. */
  get isLagging(): boolean {
    for (const [, { isReported }] of this.#absences ?? []) if (!isReported) return true
    return false
  }

  /** It lags, and has left this cohort standing at `mark`. */
  leave(cohort: CohortId, mark: number | undefined): void {
    this.#away().set(cohort, { mark, isReported: false })
  }

  /** It is away from this cohort no more; what waits of it is for the caller to drop. */
  comeBack(cohort: CohortId): boolean {
    return this.#absences?.delete(cohort) ?? false
  }

  /**
   * It is moved while it has no seat: it is away from `to` then, and its signals are of that. Returns
   * what must be reported, where it has drained already.
   */
  moveAway(from: CohortId, to: CohortId): DrainedCohort | undefined {
    const absences = this.#away()
    const absence = absences.get(from)
    const isReported = absence === undefined || absence.isReported
    const mark = from === to ? absence?.mark : undefined
    absences.delete(from)
    absences.set(to, { mark, isReported })
    for (const [key, signal] of [...(this.#signals?.entries() ?? [])]) {
      if (signal.cohort === from) this.putSignal(key, { ...signal, cohort: to })
    }
    return isReported ? { cohort: to, mark } : undefined
  }

  /** Where rings hold more than one thing for it these are joined: no ring may write by itself. */
  #count(): void {
    this.#isInSeveral = this.#seats.size > 1
    if (this.#delivery !== undefined) this.#delivery.isSweptDirectly = !this.#isInSeveral
  }

  /** It has drained: the cohorts that this must be reported of, once each. */
  drained(): readonly DrainedCohort[] {
    const cohorts: DrainedCohort[] = []
    for (const [cohort, { mark, isReported }] of this.#absences ?? []) {
      if (isReported) continue
      cohorts.push({ cohort, mark })
      this.#away().set(cohort, { mark, isReported: true })
    }
    return cohorts
  }

  #away(): SmallMap<CohortId, Absence> {
    this.#absences ??= new SmallMap()
    return this.#absences
  }
}
