import {
  assert,
  BoundedQueue,
  between,
  copyBytes,
  type Duration,
  type Instant,
} from '@fanfold/kernel'
import { type LogRecord, type Position, zeroPosition } from '@fanfold/protocol'

/** How much of a document's recent past a node keeps; what is older is served by snapshot. */
export type RingLimits = {
  readonly recordsMax: number
  readonly bytesMax: number
  readonly ageMax: Duration
}

/**
 * The recent records of one document, without a gap, bounded by count, bytes and age.
 *
 * Children are cursors into it: what they lack is here, or they need a snapshot.
 */
export class RecordRing {
  readonly #limits: RingLimits
  readonly #records: BoundedQueue<{ readonly record: LogRecord; readonly at: Instant }>
  #bytes = 0
  /** The position before the first record that is still here. */
  #base: Position

  /** @param base the position after which the first record will follow */
  constructor(limits: RingLimits, base: Position = zeroPosition) {
    this.#limits = limits
    this.#records = new BoundedQueue(limits.recordsMax)
    this.#base = base
  }

  /** The position before the oldest record held. */
  get base(): Position {
    return this.#base
  }

  /** Seq of the newest record, or of the base when none is held. */
  get lastSeq(): number {
    return this.#base.seq + this.#records.count
  }

  /** Bytes of records held. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds the next record; the oldest ones go where a limit wants it. */
  push(record: LogRecord, now: Instant): void {
    assert(
      record.seq === this.lastSeq + 1,
      `a ring takes the next record, seq ${this.lastSeq + 1}, got ${record.seq}`,
    )
    if (this.#records.count === this.#limits.recordsMax) this.#dropFirst()
    this.#records.push({ record, at: now })
    this.#bytes += record.bytes.length
    while (this.#bytes > this.#limits.bytesMax && this.#records.count > 1) this.#dropFirst()
    this.dropOld(now)
  }

  /** Drops what is older than the limit; the newest record too. */
  dropOld(now: Instant): void {
    for (let first = this.#records.peek(); first !== undefined; first = this.#records.peek()) {
      if (between(first.at, now) <= this.#limits.ageMax) return
      this.#dropFirst()
    }
  }

  /** Forgets everything; the next record follows `base`. */
  reset(base: Position): void {
    this.#records.clear()
    this.#bytes = 0
    this.#base = base
  }

  /** The record with this seq, if it is here. */
  get(seq: number): LogRecord | undefined {
    return this.#records.at(seq - this.#base.seq - 1)?.record
  }

  /** Bytes of the records after `seq`, which must be the base's or later. */
  bytesAfter(seq: number): number {
    if (seq === this.#base.seq) return this.#bytes
    let bytes = 0
    for (let next = seq + 1; next <= this.lastSeq; next++) {
      bytes += (this.get(next) as LogRecord).bytes.length
    }
    return bytes
  }

  /** Chain hash after the record with this seq, where the ring can tell. */
  hashAt(seq: number): Uint8Array | undefined {
    return seq === this.#base.seq ? this.#base.hash : this.get(seq)?.chainHash
  }

  #dropFirst(): void {
    const first = this.#records.shift()
    if (first === undefined) return
    const { record } = first
    this.#bytes -= record.bytes.length
    this.#base = { epoch: record.epoch, seq: record.seq, hash: copyBytes(record.chainHash) }
  }
}
