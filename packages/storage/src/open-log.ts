/*
 * Brings a document back: the newest snapshot that is good and belongs to the log, then the records
 * after it. Segments that end before the snapshot are not read.
 *
 * Nothing of the log is changed here: another process may be writing it. A bad tail is left where it
 * is, and becomes void when the next epoch says from where it continues.
 */
import type { Chain, Snapshot } from '@fanfold/document'
import type { Sha256 } from '@fanfold/kernel'
import { describePosition, type LogRecord, type Position, zeroPosition } from '@fanfold/protocol'
import {
  type DocumentDirectory,
  type Listing,
  type SegmentName,
  syncFile,
} from './document-directory.ts'
import { type FileSystem, readAll, writeAll } from './file-system.ts'
import { damaged } from './log-error.ts'
import { findPath } from './log-path.ts'
import { checkMeta } from './meta-file.ts'
import { isSamePosition } from './segment-header.ts'
import { SegmentReader, type SegmentSpan } from './segment-reader.ts'
import { quarantineSnapshot, readSnapshot } from './snapshot-file.ts'
import type { TurnBudget } from './turn-budget.ts'

/** Where a log was when it was opened: what a claim compares with. */
export type OpenedLog = {
  /** The highest epoch of any segment, 0 when there is none. */
  readonly epoch: number
  readonly position: Position
  /** How many segment files there are, whatever they hold. */
  readonly segmentCount: number
  readonly hasMeta: boolean
  /** The segment that the position is in. */
  readonly end: SegmentEnd | undefined
}

/** A segment and where its last good record ends. */
export type SegmentEnd = {
  readonly name: SegmentName
  readonly length: number
  /** Who wrote it. */
  readonly writer: Uint8Array
}

/** What comes out while a log is opened, in order: at most one snapshot, then records. */
export type LogListener = {
  snapshot(snapshot: Snapshot): void
  records(records: readonly LogRecord[]): void
}

/** Attempts to write what could not be synced, and the bytes that go at a time. */
const writeAnewAttemptsMax = 3
const copyBytes = 1_048_576

/** A snapshot that was of no use when its log was opened, and was renamed. */
export type SetAside = {
  /** Its path until then. */
  readonly path: string
  /**
   * What was wrong: it does not verify; the log has another record at its place; or the log ends before
   * it, so that records that were durable are gone.
   */
  readonly reason: 'damaged' | 'of another log' | 'newer than its log'
}

type OpenOptions = {
  readonly directory: DocumentDirectory
  readonly chain: Chain
  readonly sha256: Sha256
  readonly budget: TurnBudget
  readonly listener: LogListener
  readonly setAside: (aside: SetAside) => void
}

const nothing: OpenedLog = {
  epoch: 0,
  position: zeroPosition,
  segmentCount: 0,
  hasMeta: false,
  end: undefined,
}

/** @throws LogError `FANFOLD_LOG_DAMAGED` */
export async function openLog(options: OpenOptions): Promise<OpenedLog> {
  const { directory, sha256 } = options
  const listing = await directory.list()
  if (listing === undefined) return nothing
  if (listing.hasMeta) await checkMeta(directory)
  for (const name of listing.snapshots.toReversed()) {
    const snapshot = await readSnapshot(directory, name, sha256)
    const opened = snapshot ? await replay(options, listing, snapshot) : 'damaged'
    if (typeof opened !== 'string') return opened
    options.setAside({ path: await quarantineSnapshot(directory, name), reason: opened })
  }
  const opened = await replay(options, listing, undefined)
  return typeof opened === 'string' ? nothing : opened
}

/** Reads the log from the snapshot on; why it cannot, and nothing told, when that is not of this log. */
async function replay(
  options: OpenOptions,
  listing: Listing,
  snapshot: Snapshot | undefined,
): Promise<OpenedLog | SetAside['reason']> {
  const { directory, listener } = options
  const start = snapshot?.manifest.at ?? zeroPosition
  const spans = await findPath(directory, listing.segments, start.seq)
  const [first] = spans
  if (first === undefined && snapshot !== undefined) {
    const { path } = directory
    damaged(path, `a snapshot at ${describePosition(start)} and no log, which has been lost`)
  }
  const gate = new Gate(snapshot, listener)
  let position = first?.header.from ?? zeroPosition
  let end: SegmentEnd | undefined
  if (!gate.reach(position)) return 'of another log'
  for (const span of spans) {
    const read = await readSpan(options, span, gate)
    if (read === undefined) return 'of another log'
    position = read.position
    end = { name: span.name, length: read.length, writer: span.header.writer }
  }
  if (!gate.isOpen) return 'newer than its log'
  const { segments, hasMeta } = listing
  const epoch = segments.at(-1)?.epoch ?? 0
  return { epoch, position, segmentCount: segments.length, hasMeta, end }
}

/** Lets nothing out before the snapshot's position has been reached and is the log's own. */
class Gate {
  readonly #snapshot: Snapshot | undefined
  readonly #listener: LogListener
  readonly #start: Position
  #isOpen = false

  constructor(snapshot: Snapshot | undefined, listener: LogListener) {
    this.#snapshot = snapshot
    this.#listener = listener
    this.#start = snapshot?.manifest.at ?? zeroPosition
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** False when the log holds another record at the snapshot's seq. */
  reach(position: Position): boolean {
    if (position.seq !== this.#start.seq) return true
    this.#isOpen = isSamePosition(position, this.#start)
    if (this.#isOpen && this.#snapshot !== undefined) this.#listener.snapshot(this.#snapshot)
    return this.#isOpen
  }

  /** The next records in order; false as in `reach`. */
  take(records: LogRecord[]): boolean {
    let rest = records
    if (!this.#isOpen) {
      const index = records.findIndex(record => record.seq === this.#start.seq)
      const record = records[index]
      if (record === undefined) return true
      const { epoch, seq, chainHash } = record
      if (!this.reach({ epoch, seq, hash: chainHash })) return false
      rest = records.slice(index + 1)
    }
    if (rest.length > 0) this.#listener.records(rest)
    return true
  }
}

/** Reads a span through the gate; where its last record is and ends, `undefined` when the gate refuses. */
async function readSpan(
  options: OpenOptions,
  span: SegmentSpan,
  gate: Gate,
): Promise<{ readonly position: Position; readonly length: number } | undefined> {
  const { directory, chain, budget } = options
  const path = directory.segment(span.name)
  const file = await directory.files.open(path, 'read')
  try {
    const reader = new SegmentReader({ directory, chain, span, file, budget })
    for (let records = await reader.next(); records !== undefined; records = await reader.next()) {
      if (!gate.take(records)) return undefined
    }
    // What its writer had not synced when it died is told as durable from here on.
    if (span.end === undefined) {
      await syncFile(directory.files, file, path).catch(async error => {
        await writeAnew({ files: directory.files, file, path, length: reader.offset })
        throw error
      })
    }
    const { epoch, seq, hash } = reader.position
    // A copy: the hash is a view of the window it was read through.
    return { position: { epoch, seq, hash: hash.slice() }, length: reader.offset }
  } finally {
    await directory.files.close(file)
  }
}

/**
 * Writes the good part of a segment over itself, when a sync of it has failed: the system takes it for
 * clean now, and whoever opens the log next would believe that. The same bytes hurt no writer.
 */
async function writeAnew(options: {
  readonly files: FileSystem
  readonly file: number
  readonly path: string
  readonly length: number
}): Promise<void> {
  const { files, file, path, length } = options
  for (let attempt = 0; attempt < writeAnewAttemptsMax; attempt++) {
    try {
      const copy = await files.open(path, 'write')
      try {
        for (let position = 0; position < length; position += copyBytes) {
          const target = new Uint8Array(Math.min(copyBytes, length - position))
          const count = await readAll({ files, file, target, position })
          await writeAll({ files, file: copy, bytes: target.subarray(0, count), position })
        }
        await files.syncData(copy)
      } finally {
        await files.close(copy)
      }
      return
    } catch {
      // The disk may be gone for good, and the process ends in any case.
    }
  }
}
