import type { Instant } from '@fanfold/kernel'

/** Something that happens at its time. */
export type Event = { readonly at: Instant; readonly run: () => void }

type Entry = Event & { readonly order: number }

/**
 * What is still to happen, by time; what is due at the same time happens in the order in which it
 * was pushed. A binary heap whose entries are never moved once their time is set.
 */
export class EventQueue {
  readonly #heap: Entry[] = []
  #pushed = 0

  /** Events that wait. */
  get count(): number {
    return this.#heap.length
  }

  /** The time of the first event. */
  get nextAt(): Instant | undefined {
    return this.#heap[0]?.at
  }

  /** Adds an event. */
  push(at: Instant, run: () => void): void {
    const entry: Entry = { at, run, order: this.#pushed++ }
    const heap = this.#heap
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent] as Entry
      if (isBefore(above, entry)) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  /** Takes the first event out. */
  pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child] as Entry)) child++
      const below = heap[child] as Entry
      if (isBefore(last, below)) break
      heap[index] = below
      index = child
    }
    heap[index] = last
    return first
  }
}

const isBefore = (a: Entry, b: Entry): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order)
