import { Chain } from '@fanfold/document'
import { copyBytes, encodeUtf8, type Sha256 } from '@fanfold/kernel'
import { type DocumentKey, type LogRecord, type Position, ProtocolError } from '@fanfold/protocol'

/** What records that arrived are worth. */
export type CheckedRecords = {
  /** The ones that follow, verified, up to the first that does not. */
  readonly fresh: readonly LogRecord[]
  /** After the last of them. */
  readonly position: Position
  /** Bytes of all that were looked at, those that were here already too. */
  readonly bytes: number
  /** What is amiss with the first one that does not follow. */
  readonly broken: 'gap' | 'hash' | undefined
}

/** Checks that records follow what is held: the next seq, the same document, the chain hash. */
export class RecordCheck {
  readonly #keyBytes: Uint8Array
  readonly #chain: Chain

  constructor(doc: DocumentKey, sha256: Sha256) {
    this.#keyBytes = encodeUtf8(doc)
    this.#chain = new Chain(sha256)
  }

  /**
   * What of the records follows `held`; those that it holds already are passed over.
   *
   * @throws ProtocolError when one that follows has a part above the ceiling under which it was sent
   */
  check(records: readonly LogRecord[], held: Position, ceiling: number): CheckedRecords {
    let position = held
    let bytes = 0
    let broken: CheckedRecords['broken']
    const fresh: LogRecord[] = []
    for (const record of records) {
      bytes += record.bytes.length
      // Sent twice, by the parent before this one or before a rejoin: covered already.
      if (record.seq <= position.seq) continue
      broken = this.#brokenAt(record, position)
      if (broken !== undefined) break
      // Its hash is right: so it was not damaged on its way.
      if (!record.isWithin(ceiling)) {
        const message = `records without parts above the ceiling ${ceiling}, record ${record.seq} has one`
        throw new ProtocolError('FANFOLD_BAD_FRAME', message)
      }
      position = { epoch: record.epoch, seq: record.seq, hash: record.chainHash }
      fresh.push(record)
    }
    // The hash is a view of the frame, which need not be kept for it.
    if (fresh.length > 0) position = { ...position, hash: copyBytes(position.hash) }
    return { fresh, position, bytes, broken }
  }

  #brokenAt(record: LogRecord, before: Position): CheckedRecords['broken'] {
    if (record.seq !== before.seq + 1) return 'gap'
    const isNext =
      record.epoch >= before.epoch &&
      record.isOf(this.#keyBytes) &&
      this.#chain.verifies(record, before.hash)
    return isNext ? undefined : 'hash'
  }
}
