import { after, between, type Duration, type Instant, milliseconds } from '@fanfold/kernel'
import { crowdLimits } from '@fanfold/reduction'

/** Sessions that one record seals. */
const sealedAtOnceMax = 1_000

/**
 * When something was last counted of each session of a document: its edge may be gone for good. An edge that is
 * not, and comes back to a session that was sealed meanwhile, goes on in another one, and loses nothing. So where
 * there are many, those that were idle for longest make room: nobody who asks for sessions without end keeps
 * others from having one.
 */
export class SessionCare {
  /** The longest idle first. */
  readonly #seenAt = new Map<number, Instant>()
  readonly #idleAfter: Duration

  /** @param idleMs a session of which nothing was counted for so long is counted no further */
  constructor(idleMs: number) {
    this.#idleAfter = milliseconds(idleMs)
  }

  /** Sessions that are looked after. */
  get count(): number {
    return this.#seenAt.size
  }

  /** Something was counted of the session, or it was begun, or found in the log. */
  note(session: number, now: Instant): void {
    this.#seenAt.delete(session)
    this.#seenAt.set(session, now)
  }

  /** The session is sealed. */
  forget(session: number): void {
    this.#seenAt.delete(session)
  }

  /** Sessions that are to be sealed now, not all at once. */
  idle(now: Instant): number[] {
    const idle: number[] = []
    const tooMany = this.#seenAt.size - (crowdLimits.sessionsMax - crowdLimits.sessionsSpare)
    for (const [session, at] of this.#seenAt) {
      const isIdle = idle.length < tooMany || between(at, now) >= this.#idleAfter
      if (!isIdle || idle.length >= sealedAtOnceMax) break
      idle.push(session)
    }
    return idle
  }

  /** When there may be one. */
  wakeAt(): Instant | undefined {
    const [first] = this.#seenAt.values()
    return first === undefined ? undefined : after(first, this.#idleAfter)
  }
}
