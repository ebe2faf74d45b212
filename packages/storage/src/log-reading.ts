/*
 * One reading of a log: a cursor that goes over the segments of the log's path, so that each batch
 * costs its own bytes. It goes no further than the last record that counts for good, which the
 * document's writer knows; what the disk holds behind it may be half written, refused or void.
 *
 * Checksums, epochs and seqs are checked here, and that each segment ends with the record that the next
 * one continues from; the chain is checked by whoever is given the records.
 */
import type { LogRecord, Position } from '@fanfold/protocol'
import type { DocumentDirectory, SegmentName } from './document-directory.ts'
import { findPathTo } from './log-path.ts'
import { SegmentReader, type SegmentSpan } from './segment-reader.ts'
import type { TurnBudget } from './turn-budget.ts'

/** The span in hand. */
type OpenSpan = {
  readonly name: SegmentName
  readonly file: number
  readonly reader: SegmentReader
}

/** Reads one document's log from front to back. */
export class LogReading {
  readonly #directory: DocumentDirectory
  readonly #budget: TurnBudget
  /** Seq of the last record that was given out; undefined before the first batch. */
  #seq: number | undefined
  /** Records that were read and did not fit into the last batch, the next one first. */
  #held: LogRecord[] = []
  #open: OpenSpan | undefined
  /** Spans behind the one in hand, as of when the path was looked for. */
  #later: SegmentSpan[] = []

  constructor(directory: DocumentDirectory, budget: TurnBudget) {
    this.#directory = directory
    this.#budget = budget
  }

  /**
   * The next records after the one with seq `after`, up to `bytesMax` bytes or one that is larger; none
   * at the end. Another place than where the last batch ended is found by going over its segment.
   *
   * @param options.end the last record that counts for good
   * @throws LogError `FANFOLD_LOG_DAMAGED`
   */
  async next(options: {
    readonly after: number
    readonly bytesMax: number
    readonly end: Position
  }): Promise<LogRecord[]> {
    const { after, bytesMax, end } = options
    if (this.#seq !== after) {
      await this.close()
      this.#seq = after
    }
    const batch: LogRecord[] = []
    let bytes = 0
    while (this.#held.length > 0 || (await this.#fill(after, end))) {
      let taken = 0
      for (const record of this.#held) {
        if (bytes > 0 && bytes + record.bytes.length > bytesMax) break
        bytes += record.bytes.length
        batch.push(record)
        taken++
      }
      this.#held = this.#held.slice(taken)
      if (this.#held.length > 0) break
    }
    this.#seq = batch.at(-1)?.seq ?? after
    return batch
  }

  /** Frees what it holds; the next batch finds its place anew. */
  async close(): Promise<void> {
    this.#seq = undefined
    this.#held = []
    this.#later = []
    await this.#closeSpan()
  }

  /** Reads on; false at the end of what counts. */
  async #fill(after: number, end: Position): Promise<boolean> {
    for (;;) {
      const records = await this.#open?.reader.next()
      if (records === undefined) {
        if (!(await this.#goOn(after, end))) return false
        continue
      }
      // Only at the start of a reading is there something before its place.
      this.#held =
        (records[0]?.seq ?? 0) > after ? records : records.filter(record => record.seq > after)
      if (this.#held.length > 0) return true
    }
  }

  /** Goes to the next span, or on in this one when more of it counts by now. */
  async #goOn(after: number, end: Position): Promise<boolean> {
    if (this.#later.length === 0) {
      const floorSeq = Math.max(after, this.#open?.reader.position.seq ?? 0)
      if (floorSeq >= end.seq) return false
      const listing = await this.#directory.list()
      this.#later = await findPathTo(this.#directory, listing?.segments ?? [], { floorSeq, end })
    }
    const span = this.#later.shift()
    if (span === undefined) return false
    const open = this.#open
    if (open !== undefined && isSameSegment(open.name, span.name) && span.end !== undefined) {
      open.reader.extend(span.end)
      return true
    }
    await this.#closeSpan()
    const [directory, budget] = [this.#directory, this.#budget]
    const file = await directory.files.open(directory.segment(span.name), 'read')
    const reader = new SegmentReader({ directory, chain: undefined, span, file, budget })
    this.#open = { name: span.name, file, reader }
    return true
  }

  async #closeSpan(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    if (open !== undefined) await this.#directory.files.close(open.file)
  }
}

const isSameSegment = (a: SegmentName, b: SegmentName): boolean =>
  a.epoch === b.epoch && a.part === b.part
