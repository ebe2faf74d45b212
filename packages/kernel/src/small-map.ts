/** Entries up to which an array is searched faster, and is smaller, than a hash table. */
const arrayMax = 8

/**
 * A map in order of insertion that costs next to nothing while it holds next to nothing: an array up
 * to 8 entries, a `Map` beyond and from then on.
 *
 * An empty `Map` takes some 250 bytes, which is a lot in each of a million documents.
 */
export class SmallMap<Key, Value> {
  #few: { readonly key: Key; readonly value: Value }[] | undefined
  #many: Map<Key, Value> | undefined

  /** Entries held. */
  get size(): number {
    return this.#many?.size ?? this.#few?.length ?? 0
  }

  get(key: Key): Value | undefined {
    if (this.#many !== undefined) return this.#many.get(key)
    return this.#few?.find(entry => entry.key === key)?.value
  }

  /** Adds an entry at the end, or gives the one that is there another value. */
  set(key: Key, value: Value): void {
    if (this.#many !== undefined) {
      this.#many.set(key, value)
      return
    }
    const few = this.#few
    if (few === undefined) {
      // An array of one, not an empty one that is pushed to, which sets aside room for 17.
      this.#few = [{ key, value }]
      return
    }
    const at = few.findIndex(entry => entry.key === key)
    if (at !== -1) {
      few[at] = { key, value }
    } else if (few.length < arrayMax) {
      few.push({ key, value })
    } else {
      this.#many = new Map(few.map(entry => [entry.key, entry.value]))
      this.#many.set(key, value)
      this.#few = undefined
    }
  }

  /** True when there was such an entry. */
  delete(key: Key): boolean {
    if (this.#many !== undefined) return this.#many.delete(key)
    const at = this.#few?.findIndex(entry => entry.key === key) ?? -1
    if (at === -1) return false
    this.#few?.splice(at, 1)
    return true
  }

  /** The entries in order; the map must not be changed but by deleting the entry at hand. */
  *[Symbol.iterator](): IterableIterator<[Key, Value]> {
    if (this.#many !== undefined) yield* this.#many
    else for (const { key, value } of [...(this.#few ?? [])]) yield [key, value]
  }
}
