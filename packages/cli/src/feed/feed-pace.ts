import type { Clock } from '../terminal.ts'

/**
 * Lines a second at full speed. A node closes writers that send more than 10,000 frames a second, and
 * lines that are sent again count too.
 */
const linesPerSecondMax = 9_000

/** A wait shorter than this is left to the next line, ms. */
const waitMsMin = 5

/** Says when each line is due: by the recording's own times, or as fast as a node takes them. */
export class FeedPace {
  readonly #clock: Clock
  readonly #speed: number | 'max'
  #startedAt: number | undefined
  #originMs: number | undefined
  #dueAt = 0

  /** @param speed how many times as fast as it was recorded, or `max` */
  constructor(clock: Clock, speed: number | 'max') {
    this.#clock = clock
    this.#speed = speed
  }

  /**
   * Resolves when the line is due. A line without a time, or with one before that of the line before
   * it, plays with that line.
   */
  async waitFor(ms: number | undefined, signal: AbortSignal): Promise<void> {
    const now = this.#clock.now()
    if (this.#speed === 'max') {
      this.#dueAt = Math.max(this.#dueAt, now) + 1_000 / linesPerSecondMax
    } else if (ms !== undefined) {
      this.#startedAt ??= now
      this.#originMs ??= ms
      const dueAt = this.#startedAt + (ms - this.#originMs) / this.#speed
      this.#dueAt = Math.max(this.#dueAt, dueAt)
    }
    const waitMs = this.#dueAt - now
    if (waitMs >= waitMsMin) await this.#clock.wait(waitMs, signal)
  }
}
