import type { Instant } from './instant.ts'

/**
 * When each of many keys is due: a binary heap with one live entry per key.
 *
 * An entry that was moved or forgotten stays in the heap until it comes up; at most as many such
 * entries as live ones are kept, then the heap is built anew.
 */
export class Deadlines<Key> {
  readonly #dueAt = new Map<Key, Instant>()
  #heap: { at: Instant; key: Key }[] = []

  /** Keys that are due some time. */
  get count(): number {
    return this.#dueAt.size
  }

  /** `key` is due at `at`, whatever was said before; `undefined` forgets it. */
  set(key: Key, at: Instant | undefined): void {
    if (at === undefined) {
      this.#dueAt.delete(key)
      return
    }
    if (this.#dueAt.get(key) === at) return
    this.#dueAt.set(key, at)
    if (this.#heap.length > 2 * this.#dueAt.size + 16) this.#rebuild()
    else this.#push({ at, key })
  }

  /** When the key is due; undefined for never. */
  get(key: Key): Instant | undefined {
    return this.#dueAt.get(key)
  }

  /** The earliest time any key is due. */
  wakeAt(): Instant | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#dueAt.get(first.key) === first.at) return first.at
      this.#pop()
    }
    return undefined
  }

  /** Takes one key that is due at `now`, and forgets it. */
  #takeDue(now: Instant): Key | undefined {
    const at = this.wakeAt()
    if (at === undefined || at > now) return undefined
    const { key } = this.#pop()
    this.#dueAt.delete(key)
    return key
  }

  /** Takes the keys that are due at `now`, one after the other, those that become due meanwhile too. */
  *due(now: Instant): IterableIterator<Key> {
    for (let key = this.#takeDue(now); key !== undefined; key = this.#takeDue(now)) yield key
  }

  #rebuild(): void {
    this.#heap = []
    for (const [key, at] of this.#dueAt) this.#push({ at, key })
  }

  #push(entry: { at: Instant; key: Key }): void {
    const heap = this.#heap
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent] as { at: Instant; key: Key }
      if (above.at <= entry.at) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  #pop(): { at: Instant; key: Key } {
    const heap = this.#heap
    const first = heap[0] as { at: Instant; key: Key }
    const last = heap.pop() as { at: Instant; key: Key }
    if (heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && right.at < (heap[child] as { at: Instant }).at) child++
      const below = heap[child] as { at: Instant; key: Key }
      if (below.at >= last.at) break
      heap[index] = below
      index = child
    }
    heap[index] = last
    return first
  }
}
