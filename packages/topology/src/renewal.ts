/*
 * A member's own announcements: when the next one is due, and until when the last one that was taken holds.
 *
 * An announcement holds from when it was sent, not from when the answer came: whoever hears it last counts
 * from a later moment. So a node stops believing in itself before anybody else does, by its own monotonic
 * clock; a pause of the process is in that time too.
 */
import { after, assert, type Instant, milliseconds, type Prng } from '@fanfold/kernel'
import type { AnnouncementId } from './coordinator.ts'

/** Announcements without an answer that are remembered; later answers to older ones say nothing. */
const unansweredMax = 8

/** When to announce, and what that gives. */
export class Renewal {
  readonly #heartbeatMs: number
  readonly #renewedForMs: number
  readonly #prng: Prng
  readonly #sent = new Map<AnnouncementId, Instant>()
  #count = 0
  #nextAt: Instant | undefined
  #from: Instant | undefined

  constructor(options: {
    readonly heartbeatMs: number
    /** How long a member believes in itself after an announcement, ms. */
    readonly renewedForMs: number
    readonly firstAt: Instant
    readonly prng: Prng
  }) {
    const { heartbeatMs, renewedForMs } = options
    assert(
      renewedForMs >= 2 * heartbeatMs,
      `renewedForMs is at least 2 heartbeats, got ${renewedForMs} and heartbeatMs ${heartbeatMs}`,
    )
    this.#heartbeatMs = heartbeatMs
    this.#renewedForMs = renewedForMs
    this.#prng = options.prng
    this.#nextAt = options.firstAt
  }

  /** When to announce; undefined while there is nobody to announce to. */
  get nextAt(): Instant | undefined {
    return this.#nextAt
  }

  /** When the last announcement that was taken was sent. */
  get from(): Instant | undefined {
    return this.#from
  }

  /** Until when it holds. */
  get until(): Instant | undefined {
    const from = this.#from
    return from === undefined ? undefined : after(from, milliseconds(this.#renewedForMs))
  }

  /** An announcement is sent now. */
  send(now: Instant): AnnouncementId {
    const announcement = ++this.#count as AnnouncementId
    this.#sent.set(announcement, now)
    for (const oldest of this.#sent.keys()) {
      if (this.#sent.size <= unansweredMax) break
      this.#sent.delete(oldest)
    }
    this.#nextAt = after(now, milliseconds(this.#heartbeatMs))
    return announcement
  }

  /** It was taken; when it was sent, if that is later than what is known. */
  answered(announcement: AnnouncementId): Instant | undefined {
    const sentAt = this.#sent.get(announcement)
    for (const id of this.#sent.keys()) if (id <= announcement) this.#sent.delete(id)
    if (sentAt === undefined) return undefined
    this.#from = sentAt
    return sentAt
  }

  /** What it says of itself has changed: the next announcement is due now. */
  hurry(now: Instant): void {
    if (this.#nextAt !== undefined) this.#nextAt = now
  }

  /** Nobody can be announced to. */
  pause(): void {
    this.#sent.clear()
    this.#nextAt = undefined
  }

  /** There is somebody again: all members come back, each at a moment of its own within a heartbeat. */
  resume(now: Instant): void {
    this.#nextAt = after(now, milliseconds(this.#heartbeatMs * this.#prng.fraction()))
  }
}
