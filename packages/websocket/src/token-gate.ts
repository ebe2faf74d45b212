/*
 * How many tokens of newcomers are verified at a time.
 *
 * A signature costs about as much as everything else a handshake does. In a storm they would wait for one
 * another until all are too late; so beyond a number newcomers are sent away with a time to come back.
 */

/** Tokens of newcomers that are verified at a time, by default: about a second's work. */
export const tokensVerifyingMaxDefault = 4_096

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
