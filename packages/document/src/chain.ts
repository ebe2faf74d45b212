/*
 * The hash chain of a log.
 *
 *   digest(n) = SHA-256(part n)
 *   acc(n)    = SHA-256(digest(n) ‖ acc(n + 1)), acc after the last part = 32 zeros
 *   chain     = SHA-256(chain before ‖ header ‖ acc(0))
 *
 * Whoever holds only the first parts gets acc of the dropped ones as `rest` and computes the same
 * chain hash: so it verifies below every trust ceiling, and hashes compare across parents. The salt at
 * the head of each part keeps `rest` from telling what was dropped.
 */
import { equalBytes, type Sha256, sha256Bytes } from '@fanfold/kernel'
import { LogRecord, projectRecord, recordChainOffset, tagOf } from '@fanfold/protocol'

/** Computes chain hashes with one scratch area; belongs to one machine. */
export class Chain {
  readonly #sha256: Sha256
  /** digest(n) ‖ acc(n + 1) */
  readonly #pair = new Uint8Array(2 * sha256Bytes)
  /** chain before ‖ header ‖ acc(0); at most 35 bytes of fields and 255 of key */
  readonly #link = new Uint8Array(2 * sha256Bytes + 320)
  readonly #result = new Uint8Array(sha256Bytes)

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** Fills the chain hash into the bytes of a new record, which then is one. */
  seal(bytes: Uint8Array, before: Uint8Array): LogRecord {
    const record = LogRecord.decode(bytes)
    bytes.set(this.#compute(record, before), recordChainOffset)
    return record
  }

  /** True when the record's chain hash is what its parts, its header and `before` make it. */
  verifies(record: LogRecord, before: Uint8Array): boolean {
    return equalBytes(this.#compute(record, before), record.chainHash)
  }

  /** The record for a subtree that may see parts up to `ceiling`; itself when nothing is dropped. */
  project(record: LogRecord, ceiling: number): LogRecord {
    const dropped = record.parts().filter(part => tagOf(part) > ceiling)
    if (dropped.length === 0) return record
    const rest = this.#accumulate(dropped, record.rest).slice()
    return LogRecord.decode(projectRecord(record, ceiling, rest))
  }

  #compute(record: LogRecord, before: Uint8Array): Uint8Array {
    const header = record.header
    const link = this.#link
    const length = 2 * sha256Bytes + header.length
    link.set(before, 0)
    link.set(header, sha256Bytes)
    link.set(this.#accumulate(record.parts(), record.rest), sha256Bytes + header.length)
    this.#sha256(link.subarray(0, length), this.#result, 0)
    return this.#result
  }

  /** acc of the first of `parts`, behind which `rest` follows. A view of scratch memory. */
  #accumulate(parts: readonly Uint8Array[], rest: Uint8Array): Uint8Array {
    const acc = this.#pair.subarray(sha256Bytes)
    acc.set(rest)
    for (let index = parts.length - 1; index >= 0; index--) {
      this.#sha256(parts[index] as Uint8Array, this.#pair, 0)
      this.#sha256(this.#pair, this.#pair, sha256Bytes)
    }
    return acc
  }
}
