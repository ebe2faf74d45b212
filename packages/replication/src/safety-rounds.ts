import { after, type Duration, type Instant, milliseconds } from '@fanfold/kernel'

/** What may have been missed, or is kept for nobody, is looked at so often. */
export const safetyEvery: Duration = milliseconds(5_000)
/** Keys looked at in one turn. */
const visitsPerTurnMax = 1_024

/**
 * A slow look at everything that may need one: what has been missed, or is kept for nobody, does not stay
 * so for longer than a round. Nothing is due while there is nothing to look at.
 */
export class SafetyRounds<Key> {
  /** To be looked at in the next rounds. */
  readonly #keys = new Set<Key>()
  /** Still to be looked at in this one. */
  #left: Key[] = []
  #nextAt: Instant | undefined
  #lastNow = 0 as Instant

  /** Keys that are looked at. */
  get count(): number {
    return this.#keys.size
  }

  /** Something may need a look from now on. */
  add(key: Key, now: Instant): void {
    if (this.#keys.size === 0) this.#nextAt = after(now, safetyEvery)
    this.#keys.add(key)
  }

  /** It needs none any more. */
  delete(key: Key): void {
    this.#keys.delete(key)
  }

  wakeAt(): Instant | undefined {
    if (this.#left.length > 0) return this.#lastNow
    return this.#keys.size > 0 ? this.#nextAt : undefined
  }

  /** What is to be looked at in this turn. */
  *due(now: Instant): IterableIterator<Key> {
    this.#lastNow = now
    if (this.#left.length === 0) {
      if (this.#nextAt === undefined || now < this.#nextAt) return
      this.#nextAt = after(now, safetyEvery)
      this.#left = [...this.#keys]
    }
    for (const key of this.#left.splice(-visitsPerTurnMax)) if (this.#keys.has(key)) yield key
  }
}
