/*
 * Appends to one document's log: one batch at a time, written, synced, and then checked for a later
 * epoch before it counts.
 *
 * Three failures, three treatments. No room: the file is cut back to its last good byte and the batch
 * is refused. A later epoch: see claim.ts. Anything else, above all a failed sync: what the disk holds
 * cannot be known, so `DiskFailure` ends the process. The pages of a failed sync may be clean in
 * memory and lost on disk; a second sync would succeed and mean nothing.
 */
import { assert, equalBytes } from '@fanfold/kernel'
import { describePosition, type LogRecord, type Position } from '@fanfold/protocol'
import { type ClaimAttempt, claimEpoch, settleBatch } from './claim.ts'
import { type DocumentDirectory, type SegmentName, syncFile } from './document-directory.ts'
import { writeAll } from './file-system.ts'
import { DiskFailure, isNoRoom, LogError } from './log-error.ts'
import { writeMeta } from './meta-file.ts'
import type { OpenedLog, SegmentEnd } from './open-log.ts'
import { encodeFrames } from './record-frame.ts'
import { encodeSegmentHeader, isSamePosition } from './segment-header.ts'

/** What a disk writes as a whole. */
const sectorBytes = 512

/** What all documents of a store have in common. */
export type WriterOptions = {
  /** Names the store in the segments it writes: 16 bytes, drawn once. */
  readonly writer: Uint8Array
  readonly nodeId: string
  readonly segmentBytesMax: number
}

/** A batch of records of one epoch. */
export type Batch = {
  readonly epoch: number
  readonly after: Position
  readonly records: readonly LogRecord[]
}

/** A batch as it goes to the file. */
type EncodedBatch = {
  readonly bytes: Uint8Array
  /** Bytes up to the end of its first record. */
  readonly firstEnd: number
  /** After its last record. */
  readonly position: Position
}

/** The segment that is being written. */
type Tail = {
  readonly name: SegmentName
  /** Bytes that count; 0 before the header is out. */
  length: number
  /** True while bytes behind `length` wait to be cut. */
  isDirty: boolean
}

/** The writer of one document, made when its log has been opened. */
export class LogWriter {
  readonly #directory: DocumentDirectory
  readonly #options: WriterOptions
  // The position without an object for each of its parts: most writers wait for months.
  #positionEpoch = 0
  #positionSeq = 0
  #positionHash = ''
  /** The highest epoch seen, and whether it is this store's. */
  #epoch: number
  #tail: Tail | undefined
  /** A claim for which there was no room. */
  #attempt: ClaimAttempt | undefined
  #isFenced = false
  /** Where the log ended before the segment that is being written; what a claim compares with. */
  #end: SegmentEnd | undefined
  #segmentCount: number
  #hasMeta: boolean
  #file: number | undefined

  constructor(directory: DocumentDirectory, opened: OpenedLog, options: WriterOptions) {
    this.#directory = directory
    this.#options = options
    this.#end = opened.end
    this.#moveTo(opened.position)
    this.#epoch = opened.epoch
    this.#segmentCount = opened.segmentCount
    this.#hasMeta = opened.hasMeta
    const { end } = opened
    if (end?.name.epoch === opened.epoch && equalBytes(end.writer, options.writer)) {
      // What stands behind the good end is a refused batch of our own.
      this.#tail = { name: end.name, length: end.length, isDirty: true }
    }
  }

  /** After the last record that counts. */
  get position(): Position {
    return {
      epoch: this.#positionEpoch,
      seq: this.#positionSeq,
      hash: Buffer.from(this.#positionHash, 'latin1'),
    }
  }

  /** True while a file is open. */
  get holdsFile(): boolean {
    return this.#file !== undefined
  }

  /** Closes the file until the next append. */
  async release(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    this.#directory.forget()
    if (file !== undefined) await this.#directory.files.close(file)
  }

  /**
   * Makes a batch durable.
   *
   * @throws LogError when nothing of it is in the log nor ever will be
   * @throws DiskFailure when nobody can know
   */
  async append(batch: Batch): Promise<void> {
    this.#requireMayWrite(batch)
    if (this.#tail?.isDirty) await this.#cutLate(this.#tail)
    if (batch.epoch > this.#epoch) await this.#claim(batch.epoch)
    const tail = await this.#tailWithRoom()
    const encoded = this.#encode(tail, batch)
    const { bytes, position } = encoded
    await this.#write(tail, encoded)
    await this.#requireCounts(tail, position)
    tail.length += bytes.length
    this.#moveTo(position)
  }

  #moveTo({ epoch, seq, hash }: Position): void {
    this.#positionEpoch = epoch
    this.#positionSeq = seq
    this.#positionHash = Buffer.from(hash).toString('latin1')
  }

  #requireMayWrite({ epoch, after }: Batch): void {
    if (this.#isFenced) {
      throw new LogError('FANFOLD_FENCED', 'another node has claimed the document')
    }
    if (!isSamePosition(after, this.position)) {
      const at = describePosition(this.position)
      throw new LogError('FANFOLD_FENCED', `after ${describePosition(after)}, the log is at ${at}`)
    }
    if (epoch > this.#epoch || (epoch === this.#epoch && this.#tail !== undefined)) return
    throw new LogError(
      'FANFOLD_FENCED',
      `epoch ${epoch} is not this node's, the log has seen ${this.#epoch}`,
    )
  }

  async #claim(epoch: number): Promise<void> {
    const directory = this.#directory
    if (!this.#hasMeta) {
      await directory.make()
      await writeMeta(directory, { nodeId: this.#options.nodeId, suffix: suffixOf(this.#options) })
      this.#hasMeta = true
    }
    const { name, length } = this.#tail ?? { length: 0 }
    if (name !== undefined && length > 0) {
      this.#end = { name, length, writer: this.#options.writer }
    }
    const position = this.position
    const attempt = this.#attempt?.epoch === epoch ? this.#attempt : { epoch, created: 0 }
    this.#attempt = attempt
    const known = { position, segmentCount: this.#segmentCount, end: this.#end }
    const claim = await claimEpoch(directory, attempt, known)
    this.#attempt = undefined
    await this.release()
    this.#file = claim.file
    this.#segmentCount = claim.segmentCount
    this.#epoch = epoch
    this.#tail = { name: { epoch, part: 0 }, length: 0, isDirty: false }
  }

  /** The segment to write to, the next one when it is full. */
  async #tailWithRoom(): Promise<Tail> {
    const tail = this.#tail
    assert(tail !== undefined, 'an epoch was claimed before it is written')
    if (tail.length < this.#options.segmentBytesMax) return tail
    const name = { epoch: tail.name.epoch, part: tail.name.part + 1 }
    const next = { name, length: 0, isDirty: false }
    // The epoch is ours, and so is a file of this name that an earlier attempt has left.
    const file = await this.#directory.files.open(this.#directory.segment(name), 'replace')
    await this.release()
    this.#file = file
    this.#tail = next
    this.#segmentCount++
    await this.#directory.sync()
    return next
  }

  #encode(tail: Tail, { records }: Batch): EncodedBatch {
    const last = records.at(-1)
    assert(last !== undefined, 'a batch has at least one record')
    const { key } = this.#directory
    const { writer } = this.#options
    const head =
      tail.length === 0
        ? encodeSegmentHeader({ key, ...tail.name, writer, from: this.position })
        : undefined
    return {
      bytes: encodeFrames(head, records),
      firstEnd: encodeFrames(head, records.slice(0, 1)).length,
      position: { epoch: last.epoch, seq: last.seq, hash: last.chainHash },
    }
  }

  async #write(tail: Tail, { bytes, firstEnd, position: last }: EncodedBatch): Promise<void> {
    const { files } = this.#directory
    const file = await this.#openFile(tail)
    let written = 0
    const onWritten = (count: number): void => {
      written += count
    }
    try {
      await writeAll({ files, file, bytes, position: tail.length, onWritten })
    } catch (cause) {
      if (!isNoRoom(cause))
        throw new DiskFailure(`${this.#directory.segment(tail.name)}: cannot be written`, { cause })
      tail.isDirty = true
      // Whole records of the batch may be in the file, and a claimer may have read them. So nothing
      // is cut that a later epoch continues from, and for one that comes while it is cut it is put back.
      await this.#requireCounts(tail, last)
      const hasWhole = written >= firstEnd
      await this.#cut(tail).catch(error => {
        // What is no whole record counts for nobody, and may be cut before the next append.
        if (!isLogFull(error)) throw error
        if (hasWhole) {
          const path = this.#directory.segment(tail.name)
          throw new DiskFailure(`${path}: a part of a batch cannot be cut`, { cause: error })
        }
      })
      if (hasWhole) await this.#putBack(tail, file, bytes.subarray(0, written))
      await this.#requireCounts(tail, last)
      throw new LogError(
        'FANFOLD_LOG_FULL',
        `${this.#directory.segment(tail.name)}: ${cause.message}`,
        { cause },
      )
    }
    try {
      await syncFile(files, file, this.#directory.segment(tail.name))
    } catch (error) {
      await this.#hide(tail, file, bytes).catch(() => undefined)
      throw error
    }
  }

  /**
   * The system may show what it has failed to write for as long as it has it in memory, and the next
   * process would take it for durable: the next sync succeeds. So it is cut, unless others count it;
   * where there is no room even for that, nothing good is left of it.
   */
  async #hide(tail: Tail, file: number, bytes: Uint8Array): Promise<void> {
    const { files } = this.#directory
    if (await this.#isDeposed(tail)) return
    await files.truncate(file, tail.length).catch(async () => {
      // From the back: whatever of it is on the disk after a power cut, nothing good is behind it.
      for (let end = tail.length + bytes.length; end > tail.length; ) {
        const position = Math.max(tail.length, Math.floor((end - 1) / sectorBytes) * sectorBytes)
        await writeAll({ files, file, bytes: new Uint8Array(end - position), position })
        end = position
      }
    })
    await this.#putBack(tail, file, bytes)
  }

  /**
   * Who claimed the log while a batch was cut may have read it before, and go on from it: then it is
   * written again. Where the log goes on from before it, it hurts nobody.
   */
  async #putBack(tail: Tail, file: number, bytes: Uint8Array): Promise<void> {
    if (!(await this.#isDeposed(tail))) return
    const { files } = this.#directory
    const path = this.#directory.segment(tail.name)
    try {
      await writeAll({ files, file, bytes, position: tail.length })
    } catch (cause) {
      throw new DiskFailure(`${path}: what was cut cannot be put back`, { cause })
    }
    await syncFile(files, file, path)
  }

  /** Cuts what an earlier append could not. */
  async #cutLate(tail: Tail): Promise<void> {
    if (await this.#isDeposed(tail)) {
      this.#isFenced = true
      throw new LogError('FANFOLD_FENCED', `a later epoch than ${tail.name.epoch} was claimed`)
    }
    await this.#cut(tail)
  }

  /** Cuts the file back to what counts, durably: a refused record must not come back. */
  async #cut(tail: Tail): Promise<void> {
    const { files } = this.#directory
    const file = await this.#openFile(tail)
    try {
      await files.truncate(file, tail.length)
    } catch (cause) {
      if (!isNoRoom(cause))
        throw new DiskFailure(`${this.#directory.segment(tail.name)}: cannot be cut`, { cause })
      throw new LogError(
        'FANFOLD_LOG_FULL',
        `${this.#directory.segment(tail.name)}: ${cause.message}`,
        { cause },
      )
    }
    await syncFile(files, file, this.#directory.segment(tail.name))
    tail.isDirty = false
  }

  /**
   * Looks for a later epoch; if there is one, whether the batch that ends with `last` counts.
   *
   * @throws LogError `FANFOLD_FENCED` when it does not
   */
  async #requireCounts(tail: Tail, last: Position): Promise<void> {
    if (!(await this.#isDeposed(tail))) return
    this.#isFenced = true
    const { epoch } = tail.name
    const { writer } = this.#options
    const before = this.position
    const counts = await settleBatch({ directory: this.#directory, epoch, writer, before, last })
    if (!counts) throw new LogError('FANFOLD_FENCED', `a later epoch than ${epoch} was claimed`)
  }

  async #isDeposed(tail: Tail): Promise<boolean> {
    // The first segment of the next epoch is the fence.
    const successor = this.#directory.segment({ epoch: tail.name.epoch + 1, part: 0 })
    try {
      return await this.#directory.files.exists(successor)
    } catch (cause) {
      throw new DiskFailure(`${successor}: cannot be looked for`, { cause })
    }
  }

  async #openFile(tail: Tail): Promise<number> {
    this.#file ??= await this.#directory.files.open(this.#directory.segment(tail.name), 'write')
    return this.#file
  }
}

const isLogFull = (error: unknown): boolean =>
  error instanceof LogError && error.code === 'FANFOLD_LOG_FULL'

/** How this store's half-written files are told from those of others. */
export const suffixOf = ({ writer }: WriterOptions): string =>
  Buffer.from(writer).toString('hex').slice(0, 16)
