import { assert } from './assert.ts'

/**
 * First in, first out, with a stated bound, in a growing circular array: no operation moves what waits.
 *
 * What happens at the bound is the caller's decision, so `push` answers instead of throwing.
 */
export class BoundedQueue<Item> {
  readonly countMax: number
  // Nothing is set aside for a queue in which nothing waits: most of a node's queues are idle.
  #items: (Item | undefined)[] = []
  #head = 0
  #count = 0

  /** @param countMax how many items may wait, at least 1 */
  constructor(countMax: number) {
    assert(countMax >= 1, `a queue holds at least one item, got countMax ${countMax}`)
    this.countMax = countMax
  }

  /** Items that wait. */
  get count(): number {
    return this.#count
  }

  /** Adds an item at the end; false, and nothing added, when the queue is full. */
  push(item: Item): boolean {
    if (this.#count >= this.countMax) return false
    if (this.#count === this.#items.length) this.#grow()
    this.#items[(this.#head + this.#count) % this.#items.length] = item
    this.#count++
    return true
  }

  /** Takes the first item out. */
  shift(): Item | undefined {
    if (this.#count === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) % this.#items.length
    this.#count--
    return item
  }

  /** The first item, left where it is. */
  peek(): Item | undefined {
    return this.at(0)
  }

  /** The item so many places behind the first. */
  at(index: number): Item | undefined {
    if (index < 0 || index >= this.#count) return undefined
    return this.#items[(this.#head + index) % this.#items.length]
  }

  /** Forgets everything, and frees the room it took. */
  clear(): void {
    this.#items = []
    this.#head = 0
    this.#count = 0
  }

  #grow(): void {
    const items: (Item | undefined)[] = new Array(Math.max(8, this.#items.length * 2))
    for (let index = 0; index < this.#count; index++) items[index] = this.at(index)
    this.#items = items
    this.#head = 0
  }
}
