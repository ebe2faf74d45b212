import { type Instant, instant } from '@fanfold/kernel'
import type { VirtualClock } from './virtual-clock.ts'

/**
 * The clock by which the machines of one node wait: it never jumps, and goes a little faster or slower than
 * the world's, as real ones do.
 */
export class NodeClock {
  readonly #clock: VirtualClock
  readonly #rate: number

  /** @param rate how much passes by it while one second of the world passes, s; above 0 */
  constructor(clock: VirtualClock, rate = 1) {
    this.#clock = clock
    this.#rate = rate
  }

  /** What it shows now. */
  get now(): Instant {
    return this.#shownAt(this.#clock.now)
  }

  /** The first moment of the world, from now on, at which it shows `shown` or later. */
  worldAt(shown: Instant): Instant {
    const { now } = this.#clock
    if (shown <= this.now) return now
    let at = Math.max(now, Math.floor(shown / this.#rate))
    while (this.#shownAt(at) < shown) at++
    return instant(at)
  }

  #shownAt(at: number): Instant {
    return this.#rate === 1 ? (at as Instant) : instant(Math.floor(at * this.#rate))
  }
}
