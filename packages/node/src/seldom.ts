/** Different things of which it is known when they were last said; with more all are forgotten. */
const thingsMax = 1_000

/** What happens again and again is said once in a while: of each thing apart. */
export class Seldom {
  readonly #everyMs: number
  readonly #nowMs: () => number
  readonly #saidAtMs = new Map<string, number>()

  /** @param nowMs a clock that never goes back */
  constructor(everyMs: number, nowMs: () => number) {
    this.#everyMs = everyMs
    this.#nowMs = nowMs
  }

  /** True when the thing is to be said now: it was not, for so long. */
  isDue(thing: string): boolean {
    const now = this.#nowMs()
    const at = this.#saidAtMs.get(thing)
    if (at !== undefined && now < at + this.#everyMs) return false
    if (this.#saidAtMs.size >= thingsMax) this.#saidAtMs.clear()
    this.#saidAtMs.set(thing, now)
    return true
  }
}
