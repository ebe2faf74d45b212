/* When a client dials again that has lost its connection: the rules and the numbers of the SDK. */
import { type Duration, type Instant, milliseconds, type Prng } from '@fanfold/kernel'

/** A connection that lasted so long worked: the waits start from the beginning. */
const stableAfter: Duration = milliseconds(5_000)
const minMs = 500
const maxMs = 20_000

/** The waits of one client. */
export class ReconnectWaits {
  readonly #prng: Prng
  #failures = 0
  #openedAt: Instant | undefined

  constructor(prng: Prng) {
    this.#prng = prng
  }

  /** The connection is open. */
  opened(now: Instant): void {
    this.#openedAt = now
  }

  /**
   * The connection is lost, or was not to be had.
   *
   * @param endpoints the addresses that are tried in turn
   * @returns when to dial the next of them
   */
  lost(now: Instant, endpoints: number): Duration {
    const isStable = this.#openedAt !== undefined && now - this.#openedAt >= stableAfter
    this.#openedAt = undefined
    this.#failures = isStable ? 0 : this.#failures + 1
    const chance = this.#prng.fraction()
    if (this.#failures === 0) return milliseconds(2 * minMs * chance)
    const rounds = this.#failures / endpoints
    if (!Number.isInteger(rounds)) return 0 as Duration
    const step = Math.min(maxMs, minMs * 2 ** Math.min(rounds - 1, 30))
    return milliseconds(Math.min(maxMs, minMs + step * chance))
  }
}
