import { assert, type Instant } from '@fanfold/kernel'
import type { Cohort } from './cohort.ts'
import type { EdgeEffect, EdgeFact } from './edge-effect.ts'

/** One call of the machine, as its parts see it: what time it is, and where effects go. */
export class Turn {
  #now = 0 as Instant
  #effects: EdgeEffect[] | undefined

  /** When this turn is. */
  get now(): Instant {
    return this.#now
  }

  /** Where effects of this turn go. */
  get effects(): EdgeEffect[] {
    assert(this.#effects !== undefined, 'effects come out of a turn')
    return this.#effects
  }

  begin(now: Instant, effects: EdgeEffect[]): void {
    this.#now = now
    this.#effects = effects
  }

  push(effect: EdgeEffect): void {
    this.effects.push(effect)
  }

  /** Sends a cohort's viewers the frame with which they stand where it does. */
  sendAll({ id, mark, isUnmixed }: Cohort, frame: Uint8Array): void {
    this.push({ kind: 'cohort-send', cohort: id, frame, mark, mayCompress: isUnmixed })
  }

  fact(fact: EdgeFact): void {
    this.push({ kind: 'fact', fact })
  }
}
