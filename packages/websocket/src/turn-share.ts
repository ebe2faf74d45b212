/*
 * What has come over links may use so much of a turn of the event loop, and no more.
 *
 * A thousand records that come in one go are read in one go, and where each of them costs a millisecond,
 * as where a view is computed for many cohorts, nothing else would happen for a second: no viewer would
 * be sent what is ready, no ping would leave, and peers would take the process for gone. So what is left
 * when the share is spent waits until all else had its turn, and its socket is not read meanwhile.
 */
import type { Clock } from './clock.ts'

/**
 * The share of a turn, ms. Long enough that what leaves a busy node leaves in few writes, short beside
 * the time after which a ping is due.
 */
const shareMs = 50

/** Serves a part of what waits until the share is spent; false when there is more. */
export type ServePart = () => boolean

/** What the links of one role may use of a turn. */
export class TurnShare {
  readonly #clock: Clock
  /** In the order in which they are served: each has a part, and then it is the next one's turn. */
  readonly #waiting = new Set<ServePart>()
  #beganMs: number | undefined
  #isDue = false
  readonly #forget = (): void => {
    this.#beganMs = undefined
  }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True when what comes now has to wait for a later turn: others wait already, or time is up. */
  get isTaken(): boolean {
    return this.#waiting.size > 0 || this.isSpent
  }

  /** True when the turn's time is up. The first time that it is asked for in a turn, time begins. */
  get isSpent(): boolean {
    const nowMs = this.#clock.monotonicMs()
    if (this.#beganMs === undefined) {
      this.#beganMs = nowMs
      setImmediate(this.#forget)
    }
    return nowMs - this.#beganMs >= shareMs
  }

  /** Calls `serve` in later turns until nothing is left. */
  wait(serve: ServePart): void {
    this.#waiting.add(serve)
    this.#goOn()
  }

  #goOn(): void {
    if (this.#isDue || this.#waiting.size === 0) return
    this.#isDue = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#isDue = false
    this.#beganMs = this.#clock.monotonicMs()
    for (const serve of [...this.#waiting]) {
      this.#waiting.delete(serve)
      if (!serve()) this.#waiting.add(serve)
      if (this.isSpent) break
    }
    // What is read until the next turn has a share of its own.
    this.#beganMs = undefined
    this.#goOn()
  }
}
