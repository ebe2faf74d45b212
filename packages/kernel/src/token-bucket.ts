/** Lets `burst` through at once and `perSecondMax` on average; time is an argument. */
export class TokenBucket {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #filledAtMs: number

  constructor(options: {
    readonly perSecondMax: number
    /** At least one. */
    readonly burst: number
    readonly nowMs: number
  }) {
    this.#perMs = options.perSecondMax / 1000
    this.#burst = options.burst
    this.#tokens = options.burst
    this.#filledAtMs = options.nowMs
  }

  /** Takes one token; false when none is left. */
  take(nowMs: number): boolean {
    return this.takeUpTo(1, nowMs) === 1
  }

  /** Takes so many tokens, or those that there are: how many that is. */
  takeUpTo(count: number, nowMs: number): number {
    const filled = this.#tokens + (nowMs - this.#filledAtMs) * this.#perMs
    this.#tokens = Math.min(this.#burst, filled)
    this.#filledAtMs = nowMs
    const taken = Math.min(count, Math.floor(this.#tokens))
    this.#tokens -= taken
    return taken
  }

  /** How long until there is a token, ms, as things stand after the last `take`; 0 while there is one. */
  get waitMs(): number {
    return Math.max(0, Math.ceil((1 - this.#tokens) / this.#perMs))
  }
}
