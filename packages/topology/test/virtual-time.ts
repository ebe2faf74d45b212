import { after, type Instant, instant, milliseconds } from '@fanfold/kernel'

/** Time that passes when a test says so: tasks in their order, each at its instant. */
export class VirtualTime {
  #now: Instant = instant(1_000_000_000)
  #count = 0
  readonly #tasks = new Map<number, { readonly at: Instant; readonly task: () => void }>()

  readonly now = (): Instant => this.#now

  readonly after = (delayMs: number, task: () => void): (() => void) => {
    const number = this.#count++
    this.#tasks.set(number, { at: after(this.#now, milliseconds(delayMs)), task })
    return () => this.#tasks.delete(number)
  }

  /** Runs the next task, when there is one that is due by `until`; whether there was one. */
  step(until?: Instant): boolean {
    let next: [number, { readonly at: Instant; readonly task: () => void }] | undefined
    for (const entry of this.#tasks) {
      if (next === undefined || entry[1].at < next[1].at) next = entry
    }
    if (next === undefined || (until !== undefined && next[1].at > until)) return false
    this.#tasks.delete(next[0])
    this.#now = next[1].at
    next[1].task()
    return true
  }

  /** Lets so much time pass. */
  pass(ms: number): void {
    const end = after(this.#now, milliseconds(ms))
    while (this.step(end)) {
      // One task after the other.
    }
    this.#now = end
  }
}
