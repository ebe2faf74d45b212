/*
 * How many tokens of newcomers are verified at a time.
 *
 * A signature costs about as much as everything else a handshake does. In a storm they would wait for one
 * another until all are too late; so beyond a number newcomers are sent away with a time to come back.
 */
import { randomInt } from 'node:crypto'

/** Tokens of newcomers that are verified at a time, by default: about a second's work. */
export const tokensVerifyingMaxDefault = 4_096

/** A newcomer that finds no room comes back after 1 s to 5 s, by chance, so that not all do at once. */
const retryAfterMs = { min: 1_000, max: 5_000 } as const

/** Counts tokens that are being verified. */
export class TokenGate {
  readonly #tokensMax: number
  #tokens = 0

  constructor(options: {
    /** Tokens that are verified at a time; one more finds no room. */
    readonly tokensMax: number
  }) {
    this.#tokensMax = options.tokensMax
  }

  /** True when there was room; `leave` makes it again. */
  enter(): boolean {
    if (this.#tokens >= this.#tokensMax) return false
    this.#tokens++
    return true
  }

  /** A token that had entered is verified, or not good. */
  leave(): void {
    this.#tokens--
  }
}

/** When one that found no room may come back, ms. */
export function retryAfterStorm(): number {
  return randomInt(retryAfterMs.min, retryAfterMs.max)
}
