import { assert } from '@fanfold/kernel'

const none: readonly Uint8Array[] = []

/**
 * Signals that wait until those before them have left: the latest of each key, and of too many keys
 * the one that waits longest is dropped.
 */
export class SignalLane {
  readonly #frames = new Map<string, Uint8Array>()
  readonly #countMax: number
  #dropped = 0

  constructor(countMax: number) {
    assert(countMax > 0, `a lane has room for a signal, got ${countMax}`)
    this.#countMax = countMax
  }

  /** Signals that wait. */
  get count(): number {
    return this.#frames.size
  }

  /** Signals that gave way to one of another key. */
  get dropped(): number {
    return this.#dropped
  }

  /** Keeps a signal, in place of an earlier one with its key. */
  put(key: string, frame: Uint8Array): void {
    this.#frames.delete(key)
    this.#frames.set(key, frame)
    if (this.#frames.size <= this.#countMax) return
    const [oldest] = this.#frames.keys()
    if (oldest !== undefined) this.#frames.delete(oldest)
    this.#dropped++
  }

  /** Lets go of the one of this key. */
  delete(key: string): void {
    this.#frames.delete(key)
  }

  /** Takes all out, in the order in which they were kept. */
  takeAll(): readonly Uint8Array[] {
    if (this.#frames.size === 0) return none
    const frames = [...this.#frames.values()]
    this.#frames.clear()
    return frames
  }
}
