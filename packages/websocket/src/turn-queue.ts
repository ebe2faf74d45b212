/** Turns without service while more come, at most. */
const skippedMax = 3

/**
 * Serves what comes in its order, so many in one turn of the event loop at most. When thousands come
 * together, what else there is to do has its share of every turn; and while more come, most turns only
 * take them in: one connection is accepted in a turn, and beyond some thousands that wait to be accepted
 * the operating system drops them.
 */
export class TurnQueue<Item> {
  readonly #perTurn: number
  readonly #itemsMax: number
  readonly #serve: (item: Item) => void
  readonly #waiting: Item[] = []
  #isDue = false
  #hasNew = false
  #skipped = 0

  constructor(options: {
    /** Items served in a turn. */
    readonly perTurn: number
    /** Items that wait; one more finds no room. */
    readonly itemsMax: number
    readonly serve: (item: Item) => void
  }) {
    this.#perTurn = options.perTurn
    this.#itemsMax = options.itemsMax
    this.#serve = options.serve
  }

  /** True when one more finds no room. */
  get isFull(): boolean {
    return this.size >= this.#itemsMax
  }

  /** Items that wait. */
  get size(): number {
    return this.#waiting.length
  }

  /** Serves an item when its turn has come; false when there is no room for it. */
  add(item: Item): boolean {
    if (this.isFull) return false
    this.#waiting.push(item)
    this.#hasNew = true
    this.#goOn()
    return true
  }

  #goOn(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#isDue = false
    if (this.#hasNew && this.#skipped < skippedMax) {
      this.#hasNew = false
      this.#skipped++
      this.#goOn()
      return
    }
    this.#skipped = 0
    // What is served is let go of: in a storm that lasts this is never empty.
    const items = this.#waiting.splice(0, this.#perTurn)
    if (this.#waiting.length > 0) this.#goOn()
    for (const item of items) this.#serve(item)
  }
}
