/* How many bytes a node sends at most, and how long it waits before it sends children on for that, or for their number. */
import { after, assert, type Duration, type Instant, milliseconds } from '@fanfold/kernel'
import { doublingsMax, type FanOutOptions } from './fan-out-budget.ts'

/** So long a node has too much to do before it sends children on that it has. */
const reliefAfter = milliseconds(3_000)
/** Over its budget of bytes a node is until it sends so much of it, 0 … 1. */
const wellBelowShare = 0.8
/** A tier that comes up is to leave so much of the budget free, 0 … 1. */
const roomShare = 0.5

/** Whether a node sends as many bytes as it may: from the budget on, until it is a fifth below it. */
export class ByteBudget {
  readonly #bytesPerSecondMax: number
  readonly #patience = new ReliefPatience()
  #isOver = false
  #bytesPerSecond = 0

  constructor({ bytesPerSecondMax }: Pick<FanOutOptions, 'bytesPerSecondMax'>) {
    assert(bytesPerSecondMax > 0, `a budget of bytes is positive, got ${bytesPerSecondMax}`)
    this.#bytesPerSecondMax = bytesPerSecondMax
  }

  /** True from the budget on, until it is well below. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** What the node sends now. Told is what of it is to be had elsewhere, bytes per second: 0 while that can wait. */
  measured(bytesPerSecond: number, now: Instant): number {
    const wellBelow = this.#bytesPerSecondMax * wellBelowShare
    this.#bytesPerSecond = bytesPerSecond
    this.#isOver = bytesPerSecond >= (this.#isOver ? wellBelow : this.#bytesPerSecondMax)
    return this.#patience.isDue(this.#isOver, now) ? bytesPerSecond - wellBelow : 0
  }

  /** True when the node may send so much more and has as much left: a tier that comes up is not to go down again. */
  hasRoomFor(bytesPerSecond: number): boolean {
    return (
      !this.#isOver && this.#bytesPerSecond + bytesPerSecond <= this.#bytesPerSecondMax * roomShare
    )
  }
}

/** How long a node that has too much to do waits before it sends children on, and again when it still has. */
export class ReliefPatience {
  #since: Instant | undefined
  #times = 0

  /** Whether children are to be sent on now. */
  isDue(isTooMuch: boolean, now: Instant): boolean {
    if (!isTooMuch) {
      this.#since = undefined
      this.#times = 0
      return false
    }
    this.#since ??= now
    if (now < after(this.#since, (reliefAfter * 2 ** this.#times) as Duration)) return false
    this.#since = now
    this.#times = Math.min(this.#times + 1, doublingsMax)
    return true
  }
}
