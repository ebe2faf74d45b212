import type { Clock } from './clock.ts'

/**
 * A clock that is read once in a turn of the event loop: where the system's is slow to read, reading it
 * for each of a thousand sockets costs more than it tells.
 */
export class TurnClock implements Clock {
  readonly #clock: Clock
  #nowMs: number | undefined
  readonly #forget = (): void => {
    this.#nowMs = undefined
  }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  monotonicMs(): number {
    if (this.#nowMs !== undefined) return this.#nowMs
    setImmediate(this.#forget)
    this.#nowMs = this.#clock.monotonicMs()
    return this.#nowMs
  }

  wallMs(): number {
    return this.#clock.wallMs()
  }

  every(periodMs: number, task: () => void): () => void {
    return this.#clock.every(periodMs, task)
  }
}
