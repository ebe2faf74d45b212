/*
 * Who of one edge's viewers gets what a cohort is sent: a viewer takes a seat, moves to another with a frame
 * of its own, and loses it when a frame goes out while it holds more than its budget.
 */
import type { CohortId, ViewerEffect, ViewerId } from '@fanfold/protocol'
import { RimCohorts } from './rim-cohorts.ts'
import type { RimDelivery } from './rim-delivery.ts'
import type { RimViewer } from './rim-viewer.ts'
import type { Downward, RimWatch, Upward } from './viewer-socket.ts'

type Viewer = RimViewer<Upward, Downward>
type Effect<Kind extends ViewerEffect['kind']> = Extract<ViewerEffect, { kind: Kind }>

/** The seats of one edge's viewers. */
export class RimSeats {
  readonly #viewers: ReadonlyMap<ViewerId, Viewer>
  readonly #cohorts = new RimCohorts<Viewer>()
  readonly #delivery: RimDelivery
  readonly #watch: RimWatch | undefined
  readonly #drained: (viewer: Viewer) => void
  #lags = 0

  constructor(options: {
    /** Those who are connected. */
    readonly viewers: ReadonlyMap<ViewerId, Viewer>
    readonly delivery: RimDelivery
    readonly watch: RimWatch | undefined
    /** One that was moved while it lagged may have drained before: this is to be looked at soon. */
    readonly drained: (viewer: Viewer) => void
  }) {
    this.#viewers = options.viewers
    this.#delivery = options.delivery
    this.#watch = options.watch
    this.#drained = options.drained
  }

  /** How often a viewer lost a seat because it lagged. */
  get lags(): number {
    return this.#lags
  }

  /** Cohorts that have a viewer. */
  get cohorts(): number {
    return this.#cohorts.count
  }

  enter(id: CohortId, viewerId: ViewerId, mark: number): void {
    const viewer = this.#viewers.get(viewerId)
    if (viewer === undefined) return
    this.#watch?.cohortMoves(id)
    this.#cohorts.enter(id, viewer, mark)
    this.#settle(viewer, id)
  }

  exit(id: CohortId, viewerId: ViewerId): void {
    const viewer = this.#viewers.get(viewerId)
    if (viewer === undefined) return
    this.#cohorts.leave(id, viewer)
    this.#settle(viewer, id)
  }

  move({ viewer: id, from, to, frame, mark }: Effect<'cohort-move'>): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    this.#watch?.cohortMoves(from)
    if (viewer.seats.has(from)) {
      this.#cohorts.leave(from, viewer)
      if (frame !== undefined) this.#delivery.send(viewer, frame)
      this.enter(to, id, mark)
      return
    }
    // It enters once it has drained: its cohort was led to where it will.
    this.#watch?.cohortMoves(to)
    const stoodAt = from === to ? viewer.stoodAt(from) : undefined
    viewer.settle(from)
    viewer.lost.set(to, stoodAt)
    // Told before, the edge had nothing to give it then.
    this.#drained(viewer)
  }

  send({ cohort: id, frame, mark }: Effect<'cohort-send'>): void {
    for (const viewer of this.#cohorts.of(id)) {
      if (!this.#delivery.isFull(viewer)) {
        this.#delivery.send(viewer, frame, id)
        viewer.seats.set(id, mark)
        continue
      }
      this.#lags++
      const stoodAt = viewer.seats.get(id)
      this.#cohorts.leave(id, viewer)
      viewer.lost.set(id, stoodAt)
    }
  }

  signal({ cohort: id, key, frame }: Effect<'cohort-signal'>): void {
    for (const viewer of this.#viewers.values()) {
      if (viewer.seats.has(id) || viewer.isBehind(id)) this.#delivery.signal(viewer, key, frame)
    }
  }

  /** The viewer is gone. */
  leaveAll(viewer: Viewer): void {
    this.#cohorts.leaveAll(viewer)
  }

  /** The edge has said where the viewer is now: signals that waited for that may go. */
  #settle(viewer: Viewer, cohort: CohortId): void {
    viewer.settle(cohort)
    if (viewer.signals.count === 0) return
    this.#delivery.goOnSoon(viewer)
  }
}
