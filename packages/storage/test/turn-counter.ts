/** Counts turns of the loop, and what is done in each. */
export class TurnCounter {
  /** Turns that have passed. */
  turns = 0
  readonly #done = new Map<number, number>()
  #immediate: NodeJS.Immediate

  constructor() {
    const next = (): void => {
      this.turns++
      this.#immediate = setImmediate(next)
    }
    this.#immediate = setImmediate(next)
  }

  /** So much is done in this turn. */
  note(amount: number): void {
    this.#done.set(this.turns, (this.#done.get(this.turns) ?? 0) + amount)
  }

  /** What was done in the turn that did most. */
  get most(): number {
    return Math.max(0, ...this.#done.values())
  }

  stop(): void {
    clearImmediate(this.#immediate)
  }
}
