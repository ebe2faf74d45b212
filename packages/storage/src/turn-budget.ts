/*
 * How much of logs a turn of the loop checks and tells, over all documents of a store: to check records
 * costs the processor, and whoever is told replays them in the same turn.
 */

/** Bytes of records in a turn: some milliseconds' worth, with replaying them. */
export const turnBytesMax = 131_072
/** What a record costs beside its bytes. */
export const recordBytes = 128

/** The turn that is on, and who waits for the next. */
export class TurnBudget {
  #left = turnBytesMax
  #isNextDue = false
  readonly #waiting: (() => void)[] = []

  /** True when nothing is left of this turn. */
  get isSpent(): boolean {
    return this.#left <= 0
  }

  /** A record of so many bytes was checked. */
  spend(bytes: number): void {
    this.#left -= bytes + recordBytes
    this.#arm()
  }

  /** Resolves when something is left, first come first served; not for long if it is not spent then. */
  async room(): Promise<void> {
    if (!this.isSpent && this.#waiting.length === 0) return
    await new Promise<void>(resolve => {
      this.#waiting.push(resolve)
      this.#arm()
    })
  }

  #arm(): void {
    if (this.#isNextDue) return
    this.#isNextDue = true
    setImmediate(() => this.#next())
  }

  /** One goes on in each turn: what it spends is known only when it has. */
  #next(): void {
    this.#isNextDue = false
    this.#left = turnBytesMax
    this.#waiting.shift()?.()
    if (this.#waiting.length > 0) this.#arm()
  }
}
