/*
 * The latest records of a log that is read in. Who comes from the authority that had the document before lacks the last
 * of them at most, and is led on by these: it needs no snapshot, and its viewers miss no change.
 */
import { BoundedQueue, copyBytes, type Instant } from '@fanfold/kernel'
import { LogRecord, type Position } from '@fanfold/protocol'
import type { RecordRing } from '@fanfold/replication'

/** So many of them are kept, and so many bytes: of very many documents that are read in at a time. */
const recordsMax = 1_024
const bytesMax = 262_144
/** What was committed longer before the last one than this, every child has, ms. */
const spanMsMax = 5_000

/** The latest records of one log. */
export class LogTail {
  readonly #records = new BoundedQueue<LogRecord>(recordsMax + 1)
  #bytes = 0
  /** The position before the first of them. */
  #base: Position

  /** @param base the position before the first record to come */
  constructor(base: Position) {
    this.#base = base
  }

  /** Takes the next record; those go that are too many, or too old beside it. */
  push(record: LogRecord): void {
    this.#records.push(record)
    this.#bytes += record.bytes.length
    for (let first = this.#records.peek(); first !== undefined; first = this.#records.peek()) {
      const isOld = record.timeMs - first.timeMs > spanMsMax
      if (!isOld && this.#records.count <= recordsMax && this.#bytes <= bytesMax) return
      this.#records.shift()
      this.#bytes -= first.bytes.length
      this.#base = { epoch: first.epoch, seq: first.seq, hash: copyBytes(first.chainHash) }
    }
  }

  /** The ring holds them from now on, and nothing else. */
  fill(ring: RecordRing, now: Instant): void {
    ring.reset(this.#base)
    for (let index = 0; index < this.#records.count; index++) {
      const record = this.#records.at(index)
      // What was read holds on to all that was read with it.
      if (record !== undefined) ring.push(LogRecord.decode(copyBytes(record.bytes)), now)
    }
  }
}
