import { assert } from './assert.ts'
import type { Duration } from './instant.ts'
import type { Prng } from './prng.ts'

/** How long to wait between attempts. */
export type BackoffOptions = {
  /** The first wait. */
  base: Duration
  /** No wait is longer. */
  max: Duration
}

/**
 * The waits between attempts: doubling from `base` to `max`, each drawn between half and whole of
 * its step, so that many that failed together do not come back together.
 */
export class Backoff {
  readonly #options: BackoffOptions
  readonly #prng: Prng
  #attempts = 0

  constructor(options: BackoffOptions, prng: Prng) {
    assert(
      options.base > 0 && options.max >= options.base,
      `0 < base <= max, got base ${options.base}, max ${options.max}`,
    )
    this.#options = options
    this.#prng = prng
  }

  /** Attempts since the last `reset`. */
  get attempts(): number {
    return this.#attempts
  }

  /** The wait before the next attempt; each call counts as one attempt that failed. */
  next(): Duration {
    const { base, max } = this.#options
    // The exponent stops growing where the step has long reached `max`.
    const step = Math.min(max, base * 2 ** Math.min(this.#attempts, 40))
    this.#attempts++
    return Math.round(step / 2 + (step / 2) * this.#prng.fraction()) as Duration
  }

  /** Something worked: the next wait is `base` again. */
  reset(): void {
    this.#attempts = 0
  }
}
