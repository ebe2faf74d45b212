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
    const filled = this.#tokens + (nowMs - this.#filledAtMs) * this.#perMs
    this.#tokens = Math.min(this.#burst, filled)
    this.#filledAtMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** How long until there is a token, ms, as things stand after the last `take`; 0 while there is one. */
  get waitMs(): number {
    return Math.max(0, Math.ceil((1 - this.#tokens) / this.#perMs))
  }
}
