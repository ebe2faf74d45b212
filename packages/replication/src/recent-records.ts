/*
 * How much came of a document lately, in a few numbers: what came in the span of time that runs, and in the one
 * before, of which that share counts which is still within the time.
 */
import { after, between, type Instant, milliseconds } from '@fanfold/kernel'
import { recentMs } from '@fanfold/protocol'

const span = milliseconds(recentMs)

type Amount = { readonly records: number; readonly bytes: number }

const nothing: Amount = { records: 0, bytes: 0 }

/** The records of the last while: about as many as came in it, and no more than twice that. */
export class RecentRecords {
  #since = 0 as Instant
  #before: Amount = nothing
  #now: Amount = nothing

  /** Records have come. */
  took(records: readonly { readonly bytes: Uint8Array }[], at: Instant): void {
    this.#roll(at)
    let bytes = 0
    for (const record of records) bytes += record.bytes.length
    const { records: count, bytes: sum } = this.#now
    this.#now = { records: count + records.length, bytes: sum + bytes }
  }

  /** What came until now. */
  at(now: Instant): { readonly recentRecords: number; readonly recentBytes: number } {
    this.#roll(now)
    const share = 1 - between(this.#since, now) / span
    return {
      recentRecords: Math.round(this.#now.records + this.#before.records * share),
      recentBytes: Math.round(this.#now.bytes + this.#before.bytes * share),
    }
  }

  #roll(now: Instant): void {
    const age = between(this.#since, now)
    if (age < span) return
    const isNext = age < 2 * span
    this.#before = isNext ? this.#now : nothing
    this.#now = nothing
    this.#since = isNext ? after(this.#since, span) : now
  }
}
