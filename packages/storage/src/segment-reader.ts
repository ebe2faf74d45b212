/*
 * Reads the records of one segment and checks each: length, CRC, form, document, epoch, seq, chain.
 *
 * Where the log goes on in a later segment, every record up to there must be good. In the last one a
 * bad record ends the log if nothing good follows it: it was being written when the writer died, or
 * it is the last one again. With a good one behind it, bytes were lost that had been acknowledged.
 */
import type { Chain } from '@fanfold/document'
import {
  describePosition,
  type LogRecord,
  limits,
  type Position,
  recordKeyOffsets,
} from '@fanfold/protocol'
import type { DocumentDirectory, SegmentName } from './document-directory.ts'
import { FileReader } from './file-reader.ts'
import { damaged } from './log-error.ts'
import { decodeFrame, type Frame, frameHeadBytes } from './record-frame.ts'
import { headerBytes, isSamePosition, type SegmentHeader } from './segment-header.ts'
import type { TurnBudget } from './turn-budget.ts'

/** Bytes looked through at a time for a good record behind a bad one. */
const scanBytes = 4 * 1_048_576

const frameBytesMax = frameHeadBytes + limits.recordBytesMax.value

/** From a frame's start to where its record's key may stand. */
const keyOffsets = recordKeyOffsets.map(offset => frameHeadBytes + offset)
const keyOffsetMin = Math.min(...keyOffsets)
const keyOffsetMax = Math.max(...keyOffsets)

/** A stretch of the log: a segment from its start, to its end or to where a later one goes on. */
export type SegmentSpan = {
  readonly name: SegmentName
  readonly header: SegmentHeader
  /** The last record that counts; `undefined` in the last segment. */
  readonly end: Position | undefined
}

/** Reads one span. */
export class SegmentReader {
  readonly #directory: DocumentDirectory
  readonly #chain: Chain | undefined
  readonly #name: SegmentName
  #end: Position | undefined
  readonly #path: string
  readonly #file: number
  readonly #reader: FileReader
  readonly #budget: TurnBudget
  #position: Position
  #isAtEnd = false
  /** Where it was read a second time, because something good stood behind. */
  #readAgainAt: number | undefined

  /**
   * @param options.file the segment, open for reading; stays the caller's
   * @param options.chain undefined when chain hashes are checked by whoever is given the records
   */
  constructor(options: {
    readonly directory: DocumentDirectory
    readonly chain: Chain | undefined
    readonly span: SegmentSpan
    readonly file: number
    readonly budget: TurnBudget
  }) {
    const { directory, chain, span, file } = options
    this.#directory = directory
    this.#chain = chain
    this.#name = span.name
    this.#end = span.end
    this.#file = file
    this.#path = directory.segment(span.name)
    this.#budget = options.budget
    this.#position = span.header.from
    this.#reader = new FileReader(directory.files, file, headerBytes(directory.key))
  }

  /** After the last record read. */
  get position(): Position {
    return this.#position
  }

  /** Where in the file that record ends. */
  get offset(): number {
    return this.#reader.offset
  }

  /** The span has been read to its end, and reaches further by now. */
  extend(end: Position): void {
    // What stood behind the end may have been cut and written anew.
    this.#reader.forget()
    this.#isAtEnd = false
    this.#end = end
  }

  /**
   * The next records, at least one and no more than a turn may check, or `undefined` at the end.
   *
   * @throws LogError `FANFOLD_LOG_DAMAGED`
   */
  async next(): Promise<LogRecord[] | undefined> {
    while (!this.#isAtEnd) {
      await this.#budget.room()
      const records: LogRecord[] = []
      const stop = this.#takeWhole(records)
      if (records.length > 0 || stop.kind === 'full') return records
      if (stop.kind === 'end') this.#isAtEnd = true
      else if (stop.kind === 'bad') await this.#endAtBad(stop.what)
      else if (!(await this.#reader.fill(stop.bytesNeeded))) await this.#endAtShort()
    }
    return undefined
  }

  /** Takes the good records in the window, as far as the turn goes; what stopped it. */
  #takeWhole(records: LogRecord[]): Stop {
    const reader = this.#reader
    for (;;) {
      if (this.#isEndReached()) return { kind: 'end' }
      if (records.length > 0 && this.#budget.isSpent) return { kind: 'full' }
      const frame = decodeFrame(reader.window, reader.at, this.#directory.keyBytes)
      if (frame.kind !== 'record') return frame
      const what = this.#misfit(frame.record)
      if (what !== undefined) return { kind: 'bad', what }
      const { epoch, seq, chainHash } = frame.record
      this.#position = { epoch, seq, hash: chainHash }
      records.push(frame.record)
      reader.skip(frame.bytes)
      this.#budget.spend(frame.bytes)
    }
  }

  #isEndReached(): boolean {
    const end = this.#end
    if (end === undefined || this.#position.seq < end.seq) return false
    if (!isSamePosition(end, this.#position)) {
      damaged(
        this.#path,
        `record ${describePosition(this.#position)} is not the one that the next segment continues`,
      )
    }
    return true
  }

  /** Why a whole record cannot be the next one, if it cannot. */
  #misfit(record: LogRecord): string | undefined {
    const { seq, hash } = this.#position
    if (record.epoch !== this.#name.epoch) return `a record of epoch ${record.epoch}`
    if (record.seq !== seq + 1) return `record ${record.seq} after record ${seq}`
    const isGood = this.#chain?.verifies(record, hash) ?? true
    return isGood ? undefined : `record ${seq + 1} of another chain`
  }

  async #endAtShort(): Promise<void> {
    if (this.#reader.available > 0 || this.#end !== undefined) {
      await this.#endAtBad('the file ends inside a record')
    } else this.#isAtEnd = true
  }

  async #endAtBad(what: string): Promise<void> {
    const at = `${what} at byte ${this.offset}`
    const end = this.#end
    if (end !== undefined) damaged(this.#path, `${at}, the log goes on to ${describePosition(end)}`)
    const later = await findRecord({
      directory: this.#directory,
      file: this.#file,
      offset: this.offset,
      seqAfter: this.#position.seq,
    })
    if (later === undefined) this.#isAtEnd = true
    else if (this.#readAgainAt === this.offset) {
      damaged(this.#path, `${at}, and a good record at byte ${later}`)
    } else {
      // What its writer was writing while it was read is whole by now.
      this.#readAgainAt = this.offset
      this.#reader.forget()
    }
  }
}

type Stop =
  | { readonly kind: 'end' }
  | { readonly kind: 'full' }
  | Exclude<Frame, { kind: 'record' }>

/**
 * Where in a file, from `offset` on, a good record of the document with a seq over `seqAfter` stands.
 *
 * A record holds the document's key, so the search is one for the key's bytes.
 */
export async function findRecord(options: {
  readonly directory: DocumentDirectory
  readonly file: number
  readonly offset: number
  readonly seqAfter: number
}): Promise<number | undefined> {
  const { directory, file, offset, seqAfter } = options
  const reader = new FileReader(directory.files, file, offset)
  if (!(await reader.fill(1))) return undefined
  for (;;) {
    const isLast = !(await reader.fill(scanBytes + frameBytesMax))
    const window = Buffer.from(reader.window.buffer, reader.window.byteOffset + reader.at)
    const bytes = window.subarray(0, reader.available)
    let hit = bytes.indexOf(directory.keyBytes, keyOffsetMin)
    while (hit !== -1 && (isLast || hit - keyOffsetMax < scanBytes)) {
      for (const keyOffset of keyOffsets) {
        const at = hit - keyOffset
        // Before the window's start there is none: the window before held it whole.
        if (at < 0) continue
        const frame = decodeFrame(bytes, at, directory.keyBytes)
        if (frame.kind === 'record' && frame.record.seq > seqAfter) return reader.offset + at
      }
      hit = bytes.indexOf(directory.keyBytes, hit + 1)
    }
    if (isLast) return undefined
    reader.skip(scanBytes)
  }
}
