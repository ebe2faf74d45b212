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

/** What stays beyond the limits, for who is about to need it. */
export type RingHold = {
  /** Records after this seq stay. */
  readonly after: number
  /** As long as all that is held takes so many bytes, `recordOverhead` for each record included. */
  readonly bytesMax: number
}

type Kept = {
  readonly record: LogRecord
  readonly at: Instant
  /** Bytes of all records that were ever added, up to this one. */
  readonly bytesAdded: number
}

/** What a record takes beside its bytes, about. */
const recordOverhead = 256

/**
 * The recent records of one document, without a gap, bounded by count, bytes and age.
 *
 * Children are cursors into it: what they lack is here, or they need a snapshot.
 */
export class RecordRing {
  readonly #limits: RingLimits
  readonly #records: BoundedQueue<Kept>
  #bytes = 0
  /** Bytes of all records that were ever added. */
  #bytesAdded = 0
  #hold: RingHold | undefined
  /** The position before the first record that is still here. */
  #base: Position

  /** @param base the position after which the first record will follow */
  constructor(limits: RingLimits, base: Position = zeroPosition) {
    this.#limits = limits
    // The limits are kept here, and what is held beyond them is bounded by its bytes.
    this.#records = new BoundedQueue(Number.MAX_SAFE_INTEGER)
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
    const lastEpoch = this.#records.at(this.#records.count - 1)?.record.epoch ?? this.#base.epoch
    assert(
      record.epoch >= lastEpoch,
      `record ${record.seq} has at least the epoch ${lastEpoch} of the one before, got ${record.epoch}`,
    )
    this.#bytes += record.bytes.length
    this.#bytesAdded += record.bytes.length
    this.#records.push({ record, at: now, bytesAdded: this.#bytesAdded })
    this.dropOld(now)
  }

  /** What stays beyond the limits from now on; what they want gone goes with the next record or look. */
  hold(hold: RingHold | undefined): void {
    this.#hold = hold
  }

  /** Drops what a limit wants gone; for its age the newest record too. */
  dropOld(now: Instant): void {
    for (let first = this.#records.peek(); first !== undefined; first = this.#records.peek()) {
      if (!this.#isOver(between(first.at, now)) || this.#isHeld(first.record)) return
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
    // Not counted: what is held may be very many records, and each child that begins asks.
    const kept = this.#records.at(seq - this.#base.seq - 1)
    return kept === undefined ? 0 : this.#bytesAdded - kept.bytesAdded
  }

  /** Chain hash after the record with this seq, where the ring can tell. */
  hashAt(seq: number): Uint8Array | undefined {
    return seq === this.#base.seq ? this.#base.hash : this.get(seq)?.chainHash
  }

  #isOver(age: Duration): boolean {
    const { recordsMax, bytesMax, ageMax } = this.#limits
    const { count } = this.#records
    return count > recordsMax || (count > 1 && this.#bytes > bytesMax) || age > ageMax
  }

  #isHeld({ seq }: LogRecord): boolean {
    const hold = this.#hold
    if (hold === undefined || seq <= hold.after) return false
    return this.#bytes + this.#records.count * recordOverhead <= hold.bytesMax
  }

  #dropFirst(): void {
    const first = this.#records.shift()
    if (first === undefined) return
    const { record } = first
    this.#bytes -= record.bytes.length
    this.#base = { epoch: record.epoch, seq: record.seq, hash: copyBytes(record.chainHash) }
  }
}
