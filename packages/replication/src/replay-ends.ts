import { equalBytes } from '@fanfold/kernel'
import type { Position } from '@fanfold/protocol'

/** So many replays in a row that end where they began are enough. */
const idleMax = 3

/**
 * Where the replays of one stream have ended. A log that has nothing after what is held, again and again, while no
 * parent has the tail for it either, may have another history: it has lost what is held, and goes on otherwise. Who
 * takes no snapshots would never hear of that.
 */
export class ReplayEnds {
  #at: Position | undefined
  /** How many in a row have ended there without anything new. */
  #idle = 0
  #isTold = false

  /** A replay has ended here. */
  ended(at: Position): void {
    if (this.#at !== undefined && equalBytes(this.#at.hash, at.hash)) {
      this.#idle++
      return
    }
    this.#at = at
    this.#idle = 0
    this.#isTold = false
  }

  /** True once for a place where replays end and nothing goes on: what is held is to be replayed from the first record. */
  takeDoubt(): boolean {
    if (this.#isTold || this.#idle < idleMax) return false
    this.#isTold = true
    return true
  }

  /** A parent goes on from there. */
  reset(): void {
    this.#at = undefined
    this.#idle = 0
    this.#isTold = false
  }
}
