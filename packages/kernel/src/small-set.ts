/** Values up to which an array is searched faster, and is smaller, than a hash table. */
const arrayMax = 8

/**
 * A set in order of insertion that costs next to nothing while it holds next to nothing: an array up to 8
 * values, a `Set` beyond and from then on. An empty `Set` takes some 200 bytes.
 */
export class SmallSet<Value> {
  #few: Value[] | undefined
  #many: Set<Value> | undefined

  /** Values held. */
  get size(): number {
    return this.#many?.size ?? this.#few?.length ?? 0
  }

  has(value: Value): boolean {
    return this.#many?.has(value) ?? this.#few?.includes(value) ?? false
  }

  /** Adds a value at the end, if it is not there. */
  add(value: Value): void {
    if (this.#many !== undefined) {
      this.#many.add(value)
      return
    }
    const few = this.#few
    // An array of one, not an empty one that is pushed to, which sets aside room for 17.
    if (few === undefined) this.#few = [value]
    else if (few.includes(value)) return
    else if (few.length < arrayMax) few.push(value)
    else {
      this.#many = new Set([...few, value])
      this.#few = undefined
    }
  }

  /** True when it was there. */
  delete(value: Value): boolean {
    if (this.#many !== undefined) return this.#many.delete(value)
    const at = this.#few?.indexOf(value) ?? -1
    if (at === -1) return false
    this.#few?.splice(at, 1)
    return true
  }

  /** The values in order; values may be deleted meanwhile. */
  [Symbol.iterator](): IterableIterator<Value> {
    return (this.#many ?? [...(this.#few ?? [])])[Symbol.iterator]()
  }
}
