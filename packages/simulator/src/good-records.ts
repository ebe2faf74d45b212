import { equalBytes } from '@fanfold/kernel'
import type { DocumentKey, LogRecord } from '@fanfold/protocol'

/** What is known of a record that is the log's, whole or cut to a ceiling. */
export type GoodRecord = {
  readonly bytes: Uint8Array
  readonly doc: DocumentKey
  /** The highest tag of a part that it has; -1 for none. */
  readonly tagMax: number
}

/**
 * Records that were looked at and found to be the log's. Many links carry the same bytes: what has the
 * bytes of such a one is one, as the log only grows.
 */
export class GoodRecords {
  /** Of each seq those of all documents, as they are under the ceilings that there are. */
  readonly #bySeq = new Map<number, GoodRecord[]>()

  /** What is known of a record with these bytes. */
  find({ seq, bytes }: LogRecord): GoodRecord | undefined {
    const known = this.#bySeq.get(seq)
    if (known === undefined) return undefined
    for (const one of known) if (equalBytes(one.bytes, bytes)) return one
    return undefined
  }

  /** The record was looked at, and is the log's. */
  add({ seq }: LogRecord, record: GoodRecord): void {
    const known = this.#bySeq.get(seq)
    if (known === undefined) this.#bySeq.set(seq, [record])
    else known.push(record)
  }
}
