import { between, type Instant } from '@fanfold/kernel'
import type { Staleness } from '@fanfold/replication'
import type { Owners } from './owners.ts'

/**
 * Whether an authority may be sure that its documents are still its own. While it writes nothing because it is
 * not, another one may write: what nodes below have of it may be old, and they are told.
 */
export class Doubt {
  readonly #owners: Owners
  #since: Instant | undefined

  constructor(owners: Owners) {
    this.#owners = owners
  }

  /** Looks again; true when doubt has begun or is over. */
  look(now: Instant): boolean {
    const isStalled = this.#owners.stall !== undefined
    if (isStalled === (this.#since !== undefined)) return false
    this.#since = isStalled ? now : undefined
    return true
  }

  /** What nodes below are told of all documents. */
  staleness(now: Instant): Staleness {
    const since = this.#since
    if (since === undefined) return { stale: false, ageMs: 0 }
    return { stale: true, ageMs: Math.floor(between(since, now) / 1_000) }
  }
}
