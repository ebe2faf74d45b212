import type { VirtualClock } from './virtual-clock.ts'

/** Problems kept in words; the others are counted. */
const problemsMax = 50

/** What was found to be wrong with a world. */
export class Problems {
  readonly #clock: VirtualClock
  readonly #messages: string[] = []
  #count = 0

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  /** How many there are. */
  get count(): number {
    return this.#count
  }

  /** The first of them in words, with the time at which each was found. */
  get messages(): readonly string[] {
    const rest = this.#count - this.#messages.length
    return rest === 0 ? this.#messages : [...this.#messages, `and ${rest} more`]
  }

  /** Notes a problem; the message names the thing and the numbers. */
  add(message: string): void {
    this.#count++
    if (this.#messages.length < problemsMax) {
      this.#messages.push(`at ${this.#clock.now} µs: ${message}`)
    }
  }
}
