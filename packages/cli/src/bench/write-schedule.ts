/*
 * When each write is due. The schedule knows nothing of answers: a server that stands still for a second
 * has a second's writes to answer for, each from the moment it was due, and not only the one that happened
 * to wait (what is known as coordinated omission).
 */

/** Timers of a process are late by so much themselves, ms: that is not the server's doing. */
const ownLateMsMax = 2

/** Writes at an even rate. Times are of one clock, ms. */
export class WriteSchedule {
  readonly #startMs: number
  readonly #everyMs: number
  /** How many there are. */
  readonly count: number

  /** @param options.durationMs how long there are new ones; at least one there is */
  constructor(options: {
    readonly startMs: number
    readonly perSecond: number
    readonly durationMs: number
  }) {
    this.#startMs = options.startMs
    this.#everyMs = 1_000 / options.perSecond
    this.count = Math.max(1, wholeOf(options.durationMs / this.#everyMs))
  }

  /** @param index 0 for the first */
  dueAtMs(index: number): number {
    return this.#startMs + index * this.#everyMs
  }

  /** How many are due by now. */
  dueCount(nowMs: number): number {
    if (nowMs < this.#startMs) return 0
    return Math.min(this.count, wholeOf((nowMs - this.#startMs) / this.#everyMs) + 1)
  }

  /** The moment that a write's latency counts from: when it was due, or went out if that was at once. */
  startOfLatencyMs(index: number, sentAtMs: number): number {
    const dueAtMs = this.dueAtMs(index)
    return sentAtMs - dueAtMs > ownLateMsMax ? dueAtMs : sentAtMs
  }
}

/** Without its fraction; what is a whole number but for what a division makes of it is that number. */
const wholeOf = (value: number): number => Math.floor(value + 1e-9)
