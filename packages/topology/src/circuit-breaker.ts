/*
 * Whether a node is worth being tried: a breaker for each that is dialled.
 *
 *   closed ── failures in a row ──▶ open ── cooldown ──▶ half-open: one probe
 *     ▲                              ▲                      │
 *     │                              └──── it fails ◀───────┤
 *     └─────────────────────── it succeeds ◀────────────────┘
 *
 * Failures are those of transport: no connection, a broken one, no answer in time. That a node refuses what it
 * was asked is an answer. While the breaker is not closed nobody's request is spent on finding out: a probe
 * is the breaker's own, and there is one at a time.
 *
 * A success alone ends nothing: only after `stableMs` without a failure are the failures forgotten and is
 * the cooldown the first one again. So a link that comes up every other second is one that fails.
 */
import { after, assert, type Instant, milliseconds, type Prng } from '@fanfold/kernel'

/** A breaker's states, with the numbers that metrics have for them. */
export const breakerStates = { closed: 0, 'half-open': 1, open: 2 } as const

/** One of them. */
export type BreakerState = keyof typeof breakerStates

/** Limits of a breaker. */
export type BreakerOptions = {
  /** Failures in a row that open it; 0 for a breaker that never opens. */
  readonly failuresMax: number
  /** The first cooldown, ms; each in a row is twice as long, and up to half of it more, by chance. */
  readonly cooldownMs: number
  /** No cooldown is longer but for its chance, ms. */
  readonly cooldownMaxMs: number
  /** Without a failure for so long, all is forgotten, ms. */
  readonly stableMs: number
  /** A probe that is not over by then has failed, ms. */
  readonly probeMaxMs: number
}

/** What holds unless an operator says otherwise. */
export const defaultBreakerOptions: BreakerOptions = {
  failuresMax: 5,
  cooldownMs: 15_000,
  cooldownMaxMs: 120_000,
  stableMs: 10_000,
  probeMaxMs: 5_000,
}

/** Whether one node is worth being tried. */
export class CircuitBreaker {
  readonly #options: BreakerOptions
  readonly #prng: Prng
  #state: BreakerState = 'closed'
  #failures = 0
  /** Times that it opened since all was forgotten. */
  #openings = 0
  /** When the first success after the last failure was. */
  #goodSince: Instant | undefined
  /** When the cooldown ends, or the probe's time. */
  #until: Instant | undefined

  constructor(options: BreakerOptions, prng: Prng) {
    const { failuresMax, cooldownMs, cooldownMaxMs, stableMs, probeMaxMs } = options
    assert(
      Number.isInteger(failuresMax) && failuresMax >= 0,
      `failuresMax is an integer of 0 or more, got ${failuresMax}`,
    )
    assert(
      cooldownMs > 0 && cooldownMaxMs >= cooldownMs && stableMs >= 0 && probeMaxMs > 0,
      `0 < cooldownMs <= cooldownMaxMs, 0 <= stableMs, 0 < probeMaxMs, got ${cooldownMs}, ${cooldownMaxMs}, ${stableMs}, ${probeMaxMs}`,
    )
    this.#options = options
    this.#prng = prng
  }

  get state(): BreakerState {
    return this.#state
  }

  /** True when requests may go there. */
  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** When a probe is due, or the one under way has failed; undefined while it is closed. */
  wakeAt(): Instant | undefined {
    return this.#until
  }

  /** A request came through, whatever was answered. */
  succeeded(now: Instant): void {
    // What was begun before it opened says nothing of now.
    if (this.#state !== 'closed') return
    this.#goodSince ??= now
    this.#forget(now)
  }

  /** A request did not come through. */
  failed(now: Instant): void {
    if (this.#state !== 'closed') return
    this.#forget(now)
    this.#goodSince = undefined
    this.#failures++
    const { failuresMax } = this.#options
    if (failuresMax > 0 && this.#failures >= failuresMax) this.#open(now)
  }

  /**
   * True when the caller is to probe now, and to say by `probed` what came of it: the cooldown is over, and
   * nobody probes. Of any number who ask, one is told so.
   */
  mayProbe(now: Instant): boolean {
    if (this.#until === undefined || now < this.#until) return false
    if (this.#state === 'half-open') {
      this.#open(now)
      return false
    }
    this.#state = 'half-open'
    this.#until = after(now, milliseconds(this.#options.probeMaxMs))
    return true
  }

  /** What the probe came to; one that comes after its time says nothing. */
  probed(isGood: boolean, now: Instant): void {
    if (this.#state !== 'half-open') return
    if (!isGood || (this.#until !== undefined && now >= this.#until)) {
      this.#open(now)
      return
    }
    this.#state = 'closed'
    this.#until = undefined
    this.#goodSince = now
    // On probation: until it was stable for long enough, one failure opens it again.
    this.#failures = this.#options.failuresMax - 1
  }

  #open(now: Instant): void {
    const { cooldownMs, cooldownMaxMs } = this.#options
    const step = Math.min(cooldownMaxMs, cooldownMs * 2 ** Math.min(this.#openings, 30))
    this.#openings++
    this.#state = 'open'
    this.#goodSince = undefined
    this.#until = after(now, milliseconds(step + (step / 2) * this.#prng.fraction()))
  }

  /** Forgets all that was bad when it has been good for long enough. */
  #forget(now: Instant): void {
    if (this.#goodSince === undefined) return
    if (now < after(this.#goodSince, milliseconds(this.#options.stableMs))) return
    this.#failures = 0
    this.#openings = 0
  }
}
