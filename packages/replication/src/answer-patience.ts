/*
 * How long answers of one parent may take, as its link shows.
 *
 * A parent from which something comes is not silent: what it was asked for is behind that, on the link or
 * in its own line. So an answer is overdue when nothing has come for a while, and else only after many
 * times as long: then it was forgotten. To ask again sooner would be one more thing to wait behind.
 *
 * How long the while is, the link says: on a slow one a single frame takes seconds. The longest time
 * between two frames counts twice, and is forgotten by and by.
 */
import { after, between, type Instant, milliseconds } from '@fanfold/kernel'

/** However slow a link was, a while is no longer than this. */
const patienceMaxMs = 32_000
/** How many times as long an answer may take while others come. */
const busyFactor = 8
/** In so long most of what a link was like is forgotten. */
const memoryMs = 60_000

/** How long to wait for answers that come over one link. */
export class AnswerPatience {
  readonly #minMs: number
  #ms: number
  #heardAt = 0 as Instant
  /** Streams that wait for something. */
  #awaited = 0

  /** @param minMs how long an answer may take on a link of which nothing is known */
  constructor(minMs: number) {
    this.#minMs = minMs
    this.#ms = minMs
  }

  /** How long an answer may take while nothing comes. */
  get ms(): number {
    return this.#ms
  }

  /** A stream waits from now on, until `end`. */
  begin(now: Instant): void {
    // Before that nothing had to come.
    if (this.#awaited++ === 0) this.#heardAt = now
  }

  /** A stream waits no more. */
  end(): void {
    this.#awaited--
  }

  /** Something came over the link. */
  heard(now: Instant): void {
    const gapMs = between(this.#heardAt, now) / 1_000
    this.#heardAt = now
    this.#ms -= (this.#ms - this.#minMs) * Math.min(1, gapMs / memoryMs)
    if (this.#awaited > 0) this.#ms = Math.min(Math.max(this.#ms, 2 * gapMs), patienceMaxMs)
  }

  /** True when nothing has come for as long as an answer may take. */
  isQuiet(now: Instant): boolean {
    return between(this.#heardAt, now) >= milliseconds(this.#ms)
  }

  /** When an answer is overdue that is waited for since then and may take so long while nothing comes. */
  overdueAt(since: Instant, ms: number): Instant {
    const heardAt = this.#heardAt > since ? this.#heardAt : since
    const quiet = after(heardAt, milliseconds(ms))
    const forgotten = after(since, milliseconds(busyFactor * ms))
    return quiet < forgotten ? quiet : forgotten
  }
}
