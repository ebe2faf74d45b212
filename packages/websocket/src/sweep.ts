/*
 * One timer for many connections, and a clock that stands still while the process does.
 *
 * A process that did not run for two seconds (a long turn, a pause of the machine) finds its timers
 * due before it has read the bytes that came meanwhile. Judged by the real clock every peer would
 * seem silent. So silence is measured in time awake: a sweep that comes late counts as two periods.
 */
import type { Clock } from './clock.ts'

/** Calls `task` every `periodMs` with the time awake, while there is something to look at. */
export class Sweep {
  readonly #clock: Clock
  readonly #periodMs: number
  readonly #isNeeded: () => boolean
  readonly #task: (awakeMs: number) => void
  #stop: (() => void) | undefined
  #awakeMs = 0
  #sweptAtMs = 0

  constructor(options: {
    readonly clock: Clock
    readonly periodMs: number
    /** Whether there is a connection: a node without any is not woken for them. */
    readonly isNeeded: () => boolean
    readonly task: (awakeMs: number) => void
  }) {
    this.#clock = options.clock
    this.#periodMs = options.periodMs
    this.#isNeeded = options.isNeeded
    this.#task = options.task
  }

  /** There is a connection: sweeps from now on, if it did not already. */
  start(): void {
    if (this.#stop !== undefined) return
    this.#sweptAtMs = wholeMs(this.#clock)
    this.#stop = this.#clock.every(this.#periodMs, () => this.#sweep())
  }

  /** Whole milliseconds this process was awake, as of the last sweep. */
  get awakeMs(): number {
    return this.#awakeMs
  }

  /** Sweeps no more. May be called twice. */
  stop(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  #sweep(): void {
    if (!this.#isNeeded()) {
      this.stop()
      return
    }
    const nowMs = wholeMs(this.#clock)
    this.#awakeMs += Math.min(nowMs - this.#sweptAtMs, 2 * this.#periodMs)
    this.#sweptAtMs = nowMs
    this.#task(this.#awakeMs)
  }
}

/**
 * Each connection keeps some of these times, which a sweep changes: V8 has a number with a fraction as an object, so each
 * sweep would leave one behind for each connection.
 */
const wholeMs = (clock: Clock): number => Math.floor(clock.monotonicMs())
