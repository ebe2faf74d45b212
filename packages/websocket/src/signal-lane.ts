/*
 * Where signals wait for one that takes nothing at the moment.
 *
 * Only the latest of each key is worth keeping. Beyond the bound the one that waits longest is dropped:
 * signals are the first to go.
 */

import { SmallMap } from '@fanfold/kernel'

/** Signals that wait, the oldest first; the latest of each key. */
export class SignalLane<Signal> {
  readonly #signalsMax: number
  readonly #signals = new SmallMap<string, Signal>()
  #dropped = 0

  constructor(options: {
    /** Signals that wait at most. */
    readonly signalsMax: number
  }) {
    this.#signalsMax = options.signalsMax
  }

  /** How many wait. */
  get size(): number {
    return this.#signals.size
  }

  /** How many were dropped for want of room. */
  get dropped(): number {
    return this.#dropped
  }

  /** Keeps a signal in place of the last one of its key. */
  put(key: string, signal: Signal): void {
    this.#signals.delete(key)
    this.#signals.set(key, signal)
    if (this.#signals.size <= this.#signalsMax) return
    this.shift()
    this.#dropped++
  }

  /** Lets go of the one of this key: a later one went another way. */
  delete(key: string): void {
    this.#signals.delete(key)
  }

  /** Takes out the one that has waited longest. */
  shift(): Signal | undefined {
    for (const [key, signal] of this.#signals) {
      this.#signals.delete(key)
      return signal
    }
    return undefined
  }

  /** The one that `shift` would take out. */
  peek(): Signal | undefined {
    for (const [, signal] of this.#signals) return signal
    return undefined
  }

  /** Lets go of the signals that `isStale` says so of. */
  drop(isStale: (signal: Signal) => boolean): void {
    for (const [key, signal] of this.#signals) if (isStale(signal)) this.#signals.delete(key)
  }

  /** What waits, with its keys, the oldest first. */
  entries(): Iterable<[string, Signal]> {
    return this.#signals
  }
}
