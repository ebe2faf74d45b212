/*
 * One consumer's changes. A consumer that is slower than the changes must cost no memory: over the
 * limit all that waits is dropped, and the next change it takes is one that replaces the whole view.
 */
import type { Change } from './change.ts'
import { type Deferred, deferred } from './deferred.ts'

/** Changes that wait for one `for await` loop, at most `countMax`. */
export class ChangeQueue implements AsyncIterableIterator<Change> {
  readonly #countMax: number
  /** A change that replaces the whole view with the one of now; undefined while there is none. */
  readonly #snapshot: (from: number) => Change | undefined
  readonly #stopped: () => void
  #waiting: Change[] = []
  /** True when the next change must be a snapshot. */
  #isBehind = true
  #seq = 0
  #end: { readonly error: Error | undefined } | undefined
  #takers: Deferred<IteratorResult<Change>>[] = []

  constructor(options: {
    readonly countMax: number
    readonly snapshot: (from: number) => Change | undefined
    /** The consumer has left its loop. */
    readonly stopped: () => void
  }) {
    this.#countMax = options.countMax
    this.#snapshot = options.snapshot
    this.#stopped = options.stopped
  }

  /** Adds the change that has just led to the view of now. */
  push(change: Change): void {
    if (this.#end !== undefined) return
    if (!this.#isBehind) {
      if (this.#waiting.length < this.#countMax) {
        this.#waiting.push(change)
      } else {
        this.#waiting = []
        this.#isBehind = true
      }
    }
    this.#serve()
  }

  /** No more changes come: loops end when they have taken what waits, with `error` if there is one. */
  end(error: Error | undefined): void {
    this.#end ??= { error }
    this.#serve()
  }

  next(): Promise<IteratorResult<Change>> {
    const taker = deferred<IteratorResult<Change>>()
    this.#takers.push(taker)
    this.#serve()
    return taker.promise
  }

  return(): Promise<IteratorResult<Change>> {
    this.#waiting = []
    this.#isBehind = false
    this.end(undefined)
    this.#stopped()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #serve(): void {
    while (this.#takers.length > 0) {
      const change = this.#take()
      if (change !== undefined) {
        this.#takers.shift()?.resolve({ done: false, value: change })
      } else if (this.#end === undefined) {
        return
      } else if (this.#end.error === undefined) {
        this.#takers.shift()?.resolve({ done: true, value: undefined })
      } else {
        // The loop throws once, as generators do, and is at its end afterwards.
        this.#takers.shift()?.reject(this.#end.error)
        this.#end = { error: undefined }
      }
    }
  }

  #take(): Change | undefined {
    const change = this.#isBehind ? this.#snapshot(this.#seq) : this.#waiting.shift()
    if (change === undefined) return undefined
    this.#isBehind = false
    this.#seq = change.seq
    return change
  }
}
