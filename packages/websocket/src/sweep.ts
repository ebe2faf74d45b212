/*
 * One timer for many connections, and a clock that stands still while the process does.
 *
 * A process that did not run for two seconds (a long turn, a pause of the machine) finds its timers
 * due before it has read the bytes that came meanwhile. Judged by the real clock every peer would
 * seem silent. So silence is measured in time awake: a sweep that comes late counts as two periods.
 */
import type { Clock } from './clock.ts'

/** Calls `task` every `periodMs` with the time awake. */
export class Sweep {
  readonly #clock: Clock
  readonly #stop: () => void
  #awakeMs = 0
  #sweptAtMs: number

  constructor(options: {
    readonly clock: Clock
    readonly periodMs: number
    readonly task: (awakeMs: number) => void
  }) {
    const { clock, periodMs, task } = options
    this.#clock = clock
    this.#sweptAtMs = clock.monotonicMs()
    this.#stop = clock.every(periodMs, () => {
      const nowMs = this.#clock.monotonicMs()
      this.#awakeMs += Math.min(nowMs - this.#sweptAtMs, 2 * periodMs)
      this.#sweptAtMs = nowMs
      task(this.#awakeMs)
    })
  }

  /** Milliseconds this process was awake, as of the last sweep. */
  get awakeMs(): number {
    return this.#awakeMs
  }

  /** Sweeps no more. May be called twice. */
  stop(): void {
    this.#stop()
  }
}
