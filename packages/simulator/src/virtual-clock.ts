import { after, assert, type Duration, type Instant, instant } from '@fanfold/kernel'
import { EventQueue } from './event-queue.ts'

/** Wall time of instant 0, ms since 1970; the world's clocks agree. */
const wallEpochMs = 1_731_931_200_000

/**
 * The time of a simulated world: it stands still while something happens, and then jumps to the next
 * thing that is due.
 */
export class VirtualClock {
  readonly #queue = new EventQueue()
  #now: Instant = instant(0)
  #events = 0

  /** The instant of what is happening. */
  get now(): Instant {
    return this.#now
  }

  /** The wall's time, ms since 1970. */
  get wallMs(): number {
    return wallEpochMs + Math.floor(this.#now / 1000)
  }

  /** How much has happened so far. */
  get events(): number {
    return this.#events
  }

  /** `run` happens at `at`, which is now or later. */
  at(at: Instant, run: () => void): void {
    assert(at >= this.#now, `what is to happen is ahead: at ${at}, now ${this.#now}`)
    this.#queue.push(at, run)
  }

  /** `run` happens `delay` from now; with 0, after everything that is due now already. */
  in(delay: Duration, run: () => void): void {
    this.at(after(this.#now, delay), run)
  }

  /** Lets the next thing happen; false, and nothing happens, when none is due by `end`. */
  step(end: Instant): boolean {
    const nextAt = this.#queue.nextAt
    if (nextAt === undefined || nextAt > end) return false
    const event = this.#queue.pop()
    assert(event !== undefined, 'a queue with a next time has a next event')
    this.#now = event.at
    this.#events++
    event.run()
    return true
  }

  /** Lets everything happen that is due by `end`. */
  runUntil(end: Instant): void {
    while (this.step(end));
    if (this.#now < end) this.#now = end
  }
}
