/*
 * The cohorts of a node's viewers: their rings, and the turns in which what waits in them leaves.
 *
 * What a socket is written costs by the write, hardly by the byte. So a cohort that has had its frames rests
 * before it gets more, for as long as the fan-out was at work lately and a few ms at most, and what comes
 * meanwhile leaves in one write. Where there is little to do nobody rests: a frame leaves with its turn.
 */
import type { CohortId } from '@fanfold/protocol'
import type { Clock } from './clock.ts'
import { CohortRing, type RingSignal, type Seat } from './cohort-ring.ts'
import type { DirectSockets } from './direct-sockets.ts'
import type { SharedDeflate } from './shared-deflate.ts'
import { sweepRows } from './sweep-rows.ts'
import type { TurnCork } from './turn-cork.ts'
import type { Viewer } from './viewer.ts'
import { encodeTextFrame } from './ws-internals.ts'

/**
 * Sockets written to in one turn before others have theirs; some ms of work. With fewer a delta would take
 * many turns, each with newcomers' work between; with more, newcomers would wait where nobody sees them,
 * as one connection is accepted in a turn.
 */
const seatsPerTurn = 512
/** Bytes of frames that wait in one cohort's ring. */
const ringBytesMax = 1_048_576
/** Work of the fan-out that is so long ago counts for a third, ms. */
const workLastsMs = 20
/** A cohort rests for so long at most, ms, and not at all for less than the least. */
const restMs = { min: 1, max: 5 } as const

/** For fewer who take frames deflated it is not done: it takes as long as some writes. */
const deflatedTakersMin = 4

type Wrote = (viewers: number, bytes: number, frames: number) => void

/** A cohort's ring, and until when it rests. */
type Lane = { readonly ring: CohortRing<Viewer>; restUntilMs: number }

/** Rings of cohorts that have members. */
export class FanOut {
  readonly #cork: TurnCork
  readonly #deflate: SharedDeflate
  readonly #sockets: DirectSockets
  readonly #clock: Clock
  readonly #wrote: Wrote
  readonly #lagged: (id: CohortId, seat: Seat<Viewer>) => void
  readonly #missed: (id: CohortId, viewer: Viewer, signals: readonly RingSignal[]) => void
  readonly #lanes = new Map<CohortId, Lane>()
  /** With frames that not all members have: those that are swept, and those that rest before. */
  readonly #sweeping = new Set<Lane>()
  readonly #resting = new Set<Lane>()
  #isFlushDue = false
  /** Ends the wait for the first that has rested. */
  #stopWaiting: (() => void) | undefined
  /** How long the fan-out was at work lately, ms, as of then. */
  #workedMs = 0
  #workedAtMs = 0

  constructor(options: {
    readonly cork: TurnCork
    readonly deflate: SharedDeflate
    readonly sockets: DirectSockets
    readonly clock: Clock
    /** So many viewers were written bytes that are so many frames, all at once. */
    readonly wrote: Wrote
    /** A viewer holds too much and has lost its seat. */
    readonly lagged: (id: CohortId, seat: Seat<Viewer>) => void
    /** A viewer did not take these signals. */
    readonly missed: (id: CohortId, viewer: Viewer, signals: readonly RingSignal[]) => void
  }) {
    this.#cork = options.cork
    this.#deflate = options.deflate
    this.#sockets = options.sockets
    this.#wrote = options.wrote
    this.#clock = options.clock
    this.#lagged = options.lagged
    this.#missed = options.missed
  }

  /** Cohorts with members. */
  get cohorts(): number {
    return this.#lanes.size
  }

  /** Cohorts with frames that not all members have. */
  get waiting(): number {
    return this.#sweeping.size + this.#resting.size
  }

  /** Seats a viewer, who stands at `mark`. */
  enter(id: CohortId, viewer: Viewer, mark: number): void {
    let lane = this.#lanes.get(id)
    if (lane === undefined) {
      const ring = new CohortRing<Viewer>({
        bytesMax: ringBytesMax,
        sockets: this.#sockets,
        onWritten: this.#wrote,
        onLagging: seat => this.#lag(id, seat),
        onMissed: (member, signals) => this.#missed(id, member, signals),
        onOvertaken: (member, signals) => {
          for (const { key } of signals) member.dropSignal(key)
        },
      })
      lane = { ring, restUntilMs: 0 }
      this.#lanes.set(id, lane)
    }
    viewer.sit(id, lane.ring.enter(viewer, mark))
  }

  /** Takes a viewer's seat; it has what was sent before only if it was caught up. */
  leave(id: CohortId, viewer: Viewer): void {
    const seat = viewer.seatIn(id)
    if (seat === undefined) return
    seat.ring.leave(seat)
    viewer.rise(id)
    this.#forgetWhenEmpty(id)
  }

  /** Sends a frame to all members, compressed to those who take that where it may be; who takes it stands at `mark`. */
  send(id: CohortId, payload: Uint8Array, mark: number, mayCompress: boolean): void {
    const lane = this.#lanes.get(id)
    if (lane === undefined) return
    const isShared = mayCompress && lane.ring.deflatedTakers >= deflatedTakersMin
    const deflated = isShared ? this.#deflate.of(payload) : undefined
    lane.ring.push(
      encodeTextFrame(payload, { isDeflated: false }),
      mark,
      deflated && encodeTextFrame(deflated, { isDeflated: true }),
    )
    this.#await(lane)
  }

  /** Sends a signal to all members. */
  signal(id: CohortId, key: string, frame: Buffer): void {
    const lane = this.#lanes.get(id)
    if (lane === undefined) return
    lane.ring.pushSignal(frame, key)
    this.#await(lane)
  }

  /** Gives a viewer what was sent to its cohorts before; it may turn out to be too much. */
  catchUp(viewer: Viewer): void {
    if (this.waiting === 0) return
    for (const [, seat] of viewer.seats) {
      if (!seat.ring.isWaiting) continue
      viewer.connection.delivery.corkTurn()
      seat.ring.deliver(seat)
    }
  }

  /** Waits no more for cohorts that rest. */
  close(): void {
    this.#stopWaiting?.()
  }

  #await(lane: Lane): void {
    if (!lane.ring.isWaiting || this.#sweeping.has(lane) || this.#resting.has(lane)) return
    if (lane.restUntilMs > this.#clock.monotonicMs()) this.#rest(lane)
    else this.#sweep(lane)
  }

  #sweep(lane: Lane): void {
    this.#sweeping.add(lane)
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => this.#flush())
  }

  #rest(lane: Lane): void {
    this.#resting.add(lane)
    if (this.#stopWaiting !== undefined) return
    const waitMs = Math.max(1, Math.ceil(lane.restUntilMs - this.#clock.monotonicMs()))
    this.#stopWaiting = this.#clock.every(waitMs, () => this.#wake())
  }

  /** Goes on with those that have rested. */
  #wake(): void {
    this.#stopWaiting?.()
    this.#stopWaiting = undefined
    const nowMs = this.#clock.monotonicMs()
    for (const lane of [...this.#resting]) {
      this.#resting.delete(lane)
      if (lane.restUntilMs > nowMs) this.#rest(lane)
      else if (lane.ring.isWaiting) this.#sweep(lane)
    }
  }

  /** One turn's share of what waits in rings, a row of each in turn. */
  #flush(): void {
    this.#isFlushDue = false
    const startedAtMs = this.#clock.monotonicMs()
    const passed = sweepRows(this.#sweeping, seatsPerTurn)
    this.#cork.flush()
    const nowMs = this.#clock.monotonicMs()
    this.#noteWork(startedAtMs, nowMs)
    const forMs = this.#workedMs < restMs.min ? 0 : Math.min(this.#workedMs, restMs.max)
    for (const lane of passed) {
      lane.restUntilMs = nowMs + forMs
      this.#await(lane)
    }
    const [next] = this.#sweeping
    if (next !== undefined) this.#sweep(next)
  }

  #noteWork(fromMs: number, toMs: number): void {
    const faded = Math.exp((this.#workedAtMs - toMs) / workLastsMs)
    this.#workedMs = this.#workedMs * faded + (toMs - fromMs)
    this.#workedAtMs = toMs
  }

  #lag(id: CohortId, seat: Seat<Viewer>): void {
    seat.member.rise(id)
    this.#lagged(id, seat)
    this.#forgetWhenEmpty(id)
  }

  #forgetWhenEmpty(id: CohortId): void {
    const lane = this.#lanes.get(id)
    if (lane === undefined || lane.ring.size > 0) return
    this.#lanes.delete(id)
    this.#sweeping.delete(lane)
    this.#resting.delete(lane)
  }
}
