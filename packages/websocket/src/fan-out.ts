/*
 * The cohorts of a node's viewers: their rings, and the turns in which what waits in them leaves.
 */
import type { CohortId } from '@fanfold/protocol'
import { CohortRing, type RingSignal, type Seat } from './cohort-ring.ts'
import type { TurnCork } from './turn-cork.ts'
import type { Viewer } from './viewer.ts'

/**
 * Sockets written to in one turn before others have theirs; some ms of work. With fewer a delta would take
 * many turns, each with newcomers' work between; with more, newcomers would wait where nobody sees them,
 * as one connection is accepted in a turn.
 */
const seatsPerTurn = 512
/** Bytes of frames that wait in one cohort's ring. */
const ringBytesMax = 1_048_576

/** Rings of cohorts that have members. */
export class FanOut {
  readonly #cork: TurnCork
  readonly #lagged: (id: CohortId, seat: Seat<Viewer>) => void
  readonly #missed: (id: CohortId, viewer: Viewer, signals: readonly RingSignal[]) => void
  readonly #rings = new Map<CohortId, CohortRing<Viewer>>()
  readonly #waiting = new Set<CohortRing<Viewer>>()
  #isFlushDue = false

  constructor(options: {
    readonly cork: TurnCork
    /** A viewer holds too much and has lost its seat. */
    readonly lagged: (id: CohortId, seat: Seat<Viewer>) => void
    /** A viewer did not take these signals. */
    readonly missed: (id: CohortId, viewer: Viewer, signals: readonly RingSignal[]) => void
  }) {
    this.#cork = options.cork
    this.#lagged = options.lagged
    this.#missed = options.missed
  }

  /** Cohorts with members. */
  get cohorts(): number {
    return this.#rings.size
  }

  /** Cohorts with frames that not all members have. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Seats a viewer, who stands at `mark`. */
  enter(id: CohortId, viewer: Viewer, mark: number): void {
    let ring = this.#rings.get(id)
    if (ring === undefined) {
      ring = new CohortRing<Viewer>({
        bytesMax: ringBytesMax,
        onLagging: seat => this.#lag(id, seat),
        onMissed: (member, signals) => this.#missed(id, member, signals),
        onOvertaken: (member, signals) => {
          for (const { key } of signals) member.signals.delete(key)
        },
      })
      this.#rings.set(id, ring)
    }
    viewer.sit(id, ring.enter(viewer, mark))
  }

  /** Takes a viewer's seat; it has what was sent before only if it was caught up. */
  leave(id: CohortId, viewer: Viewer): void {
    const seat = viewer.seatIn(id)
    if (seat === undefined) return
    seat.ring.leave(seat)
    viewer.rise(id)
    this.#forgetWhenEmpty(id, seat.ring)
  }

  /** Sends a frame to all members; who takes it stands at `mark`. */
  send(id: CohortId, frame: Buffer, mark: number): void {
    const ring = this.#rings.get(id)
    if (ring === undefined) return
    ring.push(frame, mark)
    this.#await(ring)
  }

  /** Sends a signal to all members. */
  signal(id: CohortId, key: string, frame: Buffer): void {
    const ring = this.#rings.get(id)
    if (ring === undefined) return
    ring.pushSignal(frame, key)
    this.#await(ring)
  }

  /** Gives a viewer what was sent to its cohorts before; it may turn out to be too much. */
  catchUp(viewer: Viewer): void {
    if (this.#waiting.size === 0) return
    for (const [, seat] of viewer.seats) {
      if (!seat.ring.isWaiting) continue
      viewer.connection.delivery.corkTurn()
      seat.ring.deliver(seat)
    }
  }

  #await(ring: CohortRing<Viewer>): void {
    if (!ring.isWaiting) return
    this.#waiting.add(ring)
    this.#flushSoon()
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => this.#flush())
  }

  /** One turn's share of what waits in rings; a ring that is not done goes to the end of the queue. */
  #flush(): void {
    this.#isFlushDue = false
    let seatsLeft = seatsPerTurn
    for (const ring of [...this.#waiting]) {
      if (seatsLeft <= 0) break
      seatsLeft -= ring.sweep(seatsLeft)
      this.#waiting.delete(ring)
      if (ring.isWaiting) this.#waiting.add(ring)
    }
    this.#cork.flush()
    if (this.#waiting.size > 0) this.#flushSoon()
  }

  #lag(id: CohortId, seat: Seat<Viewer>): void {
    seat.member.rise(id)
    this.#lagged(id, seat)
    this.#forgetWhenEmpty(id, seat.ring)
  }

  #forgetWhenEmpty(id: CohortId, ring: CohortRing<Viewer>): void {
    if (ring.size > 0) return
    this.#rings.delete(id)
    this.#waiting.delete(ring)
  }
}
