/*
 * One direction of a connection: an ordered stream with a speed, a delay and a send buffer.
 *
 * What is sent waits for what was sent before, takes `bytes / bytesPerSecond` to leave, and arrives a
 * delay later, never before its predecessor: a delay is drawn per item, and a late one holds up those
 * behind it, as a lost segment of TCP does.
 */
import { type Duration, type Instant, instant, type Prng } from '@fanfold/kernel'
import type { VirtualClock } from './virtual-clock.ts'

/** How one direction of a connection behaves. */
export type PipeProfile = {
  /** No item arrives sooner after it left. */
  readonly delayMin: Duration
  /** Mean of what is added to it, exponentially distributed. */
  readonly delayMean: Duration
  readonly bytesPerSecond: number
}

/** One direction of a connection. */
export class Pipe<Item> {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #profile: PipeProfile
  readonly #onSent: () => void
  readonly #onArrival: (item: Item) => void
  #unsentBytes = 0
  #isClosed = false
  #isStalled = false
  /** What was due while nothing moved, in order. */
  #held: (() => void)[] = []
  /** When the last item has left. */
  #leftAt: Instant = instant(0)
  /** When the last item arrives. */
  #arrivesAt: Instant = instant(0)

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly profile: PipeProfile
    /** An item has left: `unsentBytes` is less than before. */
    readonly onSent: () => void
    readonly onArrival: (item: Item) => void
  }) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#profile = options.profile
    this.#onSent = options.onSent
    this.#onArrival = options.onArrival
  }

  /** Bytes that have not left yet. */
  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /** Sends an item; once closed, nothing. */
  send(item: Item, bytes: number): void {
    if (this.#isClosed) return
    const { now } = this.#clock
    const leavesMicros = Math.ceil((bytes * 1_000_000) / this.#profile.bytesPerSecond)
    this.#unsentBytes += bytes
    this.#leftAt = instant(Math.max(now, this.#leftAt) + leavesMicros)
    this.#arrivesAt = instant(Math.max(this.#arrivesAt, this.#leftAt + this.#drawDelay()))
    this.#moveAt(this.#leftAt, () => {
      this.#unsentBytes -= bytes
      this.#onSent()
    })
    this.#moveAt(this.#arrivesAt, () => this.#onArrival(item))
  }

  /** From now on nothing leaves and nothing arrives, and nothing is lost, until `unstall`. */
  stall(): void {
    this.#isStalled = true
  }

  /** Ends `stall`: what was due meanwhile happens now, in order. */
  unstall(): void {
    if (!this.#isStalled) return
    this.#isStalled = false
    this.#clock.in(0 as Duration, () => this.#release())
  }

  /** What has not arrived is lost, and nothing more is sent. */
  close(): void {
    this.#isClosed = true
    this.#held = []
  }

  /** Everything that moves in the pipe moves here: the place for faults. */
  #moveAt(at: Instant, move: () => void): void {
    this.#clock.at(at, () => {
      if (this.#isClosed) return
      // What was held goes first.
      if (this.#isStalled || this.#held.length > 0) this.#held.push(move)
      else move()
    })
  }

  #release(): void {
    while (!this.#isStalled && !this.#isClosed) {
      const move = this.#held.shift()
      if (move === undefined) return
      move()
    }
  }

  #drawDelay(): number {
    const { delayMin, delayMean } = this.#profile
    return delayMin + Math.round(-delayMean * Math.log(1 - this.#prng.fraction()))
  }
}
