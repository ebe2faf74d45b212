import type { Clock } from '@fanfold/websocket'

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #nowMs = 0
  #tasks: { periodMs: number; dueMs: number; task: () => void }[] = []

  monotonicMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return 1_800_000_000_000 + this.#nowMs
  }

  every(periodMs: number, task: () => void): () => void {
    const entry = { periodMs, dueMs: this.#nowMs + periodMs, task }
    this.#tasks.push(entry)
    return () => {
      this.#tasks = this.#tasks.filter(other => other !== entry)
    }
  }

  /** Goes on by `ms`, calling what is due on the way. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const next = this.#tasks.toSorted((a, b) => a.dueMs - b.dueMs)[0]
      if (next === undefined || next.dueMs > endMs) break
      this.#nowMs = next.dueMs
      next.dueMs += next.periodMs
      next.task()
    }
    this.#nowMs = endMs
  }

  /** Goes on by `ms` in one leap, as a process finds it that did not run meanwhile. */
  leap(ms: number): void {
    this.#nowMs += ms
    for (const entry of this.#tasks) {
      if (entry.dueMs > this.#nowMs) continue
      entry.dueMs = this.#nowMs + entry.periodMs
      entry.task()
    }
  }
}
