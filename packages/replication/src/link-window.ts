/*
 * How much of snapshots a link may hold that its child has not taken: what it carries in two seconds.
 *
 * A child says what it has taken every 64 KiB. Between two times that it does, a link that was full all
 * the while carried that much: so its speed is known as soon as it matters, and only then. The first
 * snapshots get less than later ones on a quick link, which is one round trip more for them.
 */
import { after, between, type Instant, milliseconds } from '@fanfold/kernel'

/** Bounds of what a link may hold. */
export type LinkWindowLimits = {
  /** Before it is known how quick the link is. */
  readonly bytesUnderWayFirst: number
  readonly bytesUnderWayMax: number
}

/** However slow a link is: as much as a child may take before it says so. */
export const bytesUnderWayMin = 65_536
/** For so long the records of other documents may be behind snapshots, on a link that is not slower yet. */
const drainMs = 2_000
/** The speed of what takes less cannot be told; who has not filled the link again by then has not kept it full. */
const measureMs = 50

/** What one link may hold. */
export class LinkWindow {
  readonly #bytesMax: number
  #bytes: number
  /** When the child said that it had taken some, if the link is full since. */
  #since: Instant | undefined
  #isFull = false
  /** Taken since then. */
  #taken = 0

  constructor({ bytesUnderWayFirst, bytesUnderWayMax }: LinkWindowLimits) {
    this.#bytesMax = bytesUnderWayMax
    this.#bytes = Math.min(bytesUnderWayFirst, bytesUnderWayMax)
  }

  /** Bytes that may be under way, but for the frame that goes over it. */
  get bytes(): number {
    return this.#bytes
  }

  /** The link holds so much. */
  full(now: Instant): void {
    this.#isFull = true
    if (this.#since === undefined || now <= after(this.#since, milliseconds(measureMs))) return
    if (this.#taken === 0) this.#since = undefined
  }

  /** The child has taken so many bytes. */
  taken(bytes: number, now: Instant): void {
    if (this.#since === undefined || !this.#isFull) {
      this.#begin(now)
      return
    }
    this.#taken += bytes
    const ms = between(this.#since, now) / 1_000
    if (ms < measureMs) return
    const carried = Math.floor((this.#taken * drainMs) / ms)
    this.#bytes = Math.min(Math.max(carried, bytesUnderWayMin), this.#bytesMax)
    this.#begin(now)
  }

  #begin(now: Instant): void {
    this.#since = now
    this.#isFull = false
    this.#taken = 0
  }
}
