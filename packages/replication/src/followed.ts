import { earliest, type Instant } from '@fanfold/kernel'
import type { DocumentKey, LogRecord } from '@fanfold/protocol'
import type { Follower } from './follower.ts'
import type { Parent } from './parents.ts'
import { RecentRecords } from './recent-records.ts'

/** A document that a node follows: who serves it, and since when it may be old. */
export class Followed {
  readonly doc: DocumentKey
  readonly follower: Follower
  /** Since when the stream is interrupted; undefined while it is joined, and before it ever was. */
  #interruptedSince: Instant | undefined
  /** Since when the parent itself is stale, as it says. */
  #parentStaleSince: Instant | undefined
  /** What came lately; undefined while nothing ever has. */
  #recent: RecentRecords | undefined
  #lagMs: number | undefined
  /** What the parent that serves the document calls it. */
  #channel: { readonly parent: Parent; readonly channel: number } | undefined

  constructor(doc: DocumentKey, follower: Follower) {
    this.doc = doc
    this.follower = follower
  }

  /** Since when what is held may be old; undefined while it is fresh. */
  get staleSince(): Instant | undefined {
    return earliest(this.#interruptedSince, this.#parentStaleSince)
  }

  /** How long after its commit the last record came, ms; undefined where that is not known. */
  get lagMs(): number | undefined {
    return this.#lagMs
  }

  /** What came lately. */
  recentAt(now: Instant): ReturnType<RecentRecords['at']> {
    return this.#recent?.at(now) ?? { recentRecords: 0, recentBytes: 0 }
  }

  /** Records have come, by this time of the wall where that is known. */
  took(records: readonly LogRecord[], wallMs: number | undefined, now: Instant): void {
    this.#recent ??= new RecentRecords()
    this.#recent.took(records, now)
    const timeMs = records.at(-1)?.timeMs
    if (wallMs === undefined || timeMs === undefined) return
    this.#lagMs = Math.max(0, Math.round(wallMs - timeMs))
  }

  /** The stream is interrupted. False when it was before. */
  interrupt(now: Instant): boolean {
    if (this.#interruptedSince !== undefined) return false
    this.#interruptedSince = this.#parentStaleSince ?? now
    this.#parentStaleSince = undefined
    return true
  }

  /** What is held was given up: until something comes it is as old as it was. */
  giveUp(now: Instant): void {
    this.#interruptedSince ??= this.#parentStaleSince ?? now
  }

  /** The stream is joined. */
  join(): void {
    this.#interruptedSince = undefined
  }

  /** The parent says how it is. */
  parentIs(stale: boolean, ageMs: number, now: Instant): void {
    this.#parentStaleSince = stale ? ((now - ageMs * 1_000) as Instant) : undefined
  }

  /** The parent begins anew: it says again if it is stale, and calls the document by this channel. */
  welcome(parent: Parent, channel: number): void {
    this.unroute()
    parent.channels.set(channel, this.doc)
    this.#channel = { parent, channel }
    this.#parentStaleSince = undefined
  }

  /** What comes on the document's channel is nobody's. */
  unroute(): void {
    this.#channel?.parent.channels.delete(this.#channel.channel)
    this.#channel = undefined
  }
}
