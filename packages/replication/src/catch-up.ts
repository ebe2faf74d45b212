import { between, type Instant } from '@fanfold/kernel'
import type { Rung, UpstreamEvent } from './upstream-event.ts'

const rungs: readonly Rung[] = ['tail', 'snapshot', 'snapshot-elsewhere', 'replay']

/** How one stream catches up with its parent: since when, by what, and up to where. */
export class CatchUp {
  #since: Instant | undefined
  #rung: Rung = 'tail'
  /** Seq of the parent's last record when it was joined. */
  #headSeq = Number.POSITIVE_INFINITY

  /** True until it has caught up. */
  get isUnderWay(): boolean {
    return this.#since !== undefined
  }

  /** The stream is not where its parent is; no news when it was not before. */
  begin(now: Instant): void {
    this.#headSeq = Number.POSITIVE_INFINITY
    if (this.#since !== undefined) return
    this.#since = now
    this.#rung = 'tail'
  }

  /** It gets on by this: the costliest one counts. */
  by(rung: Rung): void {
    if (rungs.indexOf(rung) > rungs.indexOf(this.#rung)) this.#rung = rung
  }

  /** The parent has records up to here. */
  aim(headSeq: number): void {
    this.#headSeq = headSeq
  }

  /** A live stream is at `seq`: what is to be told if it has caught up. */
  reached(seq: number, now: Instant): UpstreamEvent[] {
    if (this.#since === undefined || seq < this.#headSeq) return []
    const tookMs = between(this.#since, now) / 1_000
    this.#since = undefined
    return [{ kind: 'caught-up', rung: this.#rung, tookMs }]
  }
}
