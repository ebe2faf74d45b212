import type { RunTrace } from './run-trace.ts'
import type { Tally } from './tally.ts'

/** Problems kept in words; the others are counted. */
const problemsMax = 50

/** What is written down of a world while it runs. */
export class WorldNotes {
  readonly tally: Tally
  readonly trace: RunTrace
  readonly #problems: string[] = []
  #problemCount = 0
  readonly #now: () => number

  /** @param now the disk's time, µs */
  constructor(tally: Tally, trace: RunTrace, now: () => number) {
    this.tally = tally
    this.trace = trace
    this.#now = now
  }

  /** The first of what was found to be wrong, in words. */
  get problems(): readonly string[] {
    const rest = this.#problemCount - this.#problems.length
    return rest === 0 ? this.#problems : [...this.#problems, `and ${rest} more`]
  }

  get problemCount(): number {
    return this.#problemCount
  }

  /** Something is wrong; the message names the thing and the numbers. */
  problem(message: string): void {
    this.#problemCount++
    if (this.#problems.length < problemsMax) {
      this.#problems.push(`at ${this.#now()} µs: ${message}`)
    }
    this.trace.add(this.#now(), `PROBLEM ${message}`)
  }

  /** Something happened that not every world has. */
  count(name: string): void {
    this.tally.add(name)
    this.trace.add(this.#now(), name)
  }
}
