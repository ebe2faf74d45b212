import type { DocumentKey, LogRecord } from '@fanfold/protocol'
import type { Following } from '@fanfold/replication'
import type { Turn } from './turn.ts'

/** What an edge tells its parents of the documents that it shows. */
export class ParentReports {
  readonly #turn: Turn
  readonly #following: Following
  readonly #wallClockMs: () => number
  /** Viewers of each document, as the parent was told. */
  readonly #viewers = new Map<DocumentKey, number>()

  constructor(options: {
    readonly turn: Turn
    readonly following: Following
    /** The wall's time, ms since 1970. */
    readonly wallClockMs: () => number
  }) {
    this.#turn = options.turn
    this.#following = options.following
    this.#wallClockMs = options.wallClockMs
  }

  /** A document has so many viewers. */
  presence(doc: DocumentKey, viewers: number): void {
    if (this.#viewers.get(doc) === viewers) return
    this.#viewers.set(doc, viewers)
    this.#following.presence(doc, viewers, this.#turn.now, this.#turn.effects)
  }

  /** Records have come: how long after they were committed. */
  lag(doc: DocumentKey, records: readonly LogRecord[]): void {
    const timeMs = records.at(-1)?.timeMs
    if (timeMs === undefined) return
    const lagMs = Math.max(0, this.#wallClockMs() - timeMs)
    this.#following.lag(doc, lagMs, this.#turn.now, this.#turn.effects)
  }

  /** The document is followed no more. */
  forget(doc: DocumentKey): void {
    this.#viewers.delete(doc)
  }
}
