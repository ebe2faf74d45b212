/*
 * Who may write: the claim of an epoch, and what a writer does when it finds itself deposed.
 *
 * To claim epoch n is to create its first segment, which the file system lets one process do. A writer
 * of epoch e looks for the segment of e + 1 after each write: so a claim that skips epochs creates
 * those too, empty. Whoever claims reads the log to its end *after* it has created them all: a record
 * is either there by then, in a segment that was known or in one that had no header yet, and the claim
 * fails because the log has moved on; or its writer finds the new segment before it answers.
 *
 * Such a writer cannot tell from that alone whether its batch counts: the next epoch may continue from
 * before or from behind it. The newest header tells. Where there is none yet, the writer makes one, by
 * a claim of its own that continues from before the batch; whatever claim comes later, it is read so.
 */
import type { Position } from '@fanfold/protocol'
import {
  type DocumentDirectory,
  type Listing,
  type SegmentName,
  syncFile,
} from './document-directory.ts'
import { writeAll } from './file-system.ts'
import { DiskFailure, LogError } from './log-error.ts'
import { findHolder, findNewest } from './log-path.ts'
import type { SegmentEnd } from './open-log.ts'
import { encodeSegmentHeader, isSamePosition } from './segment-header.ts'
import { findRecord } from './segment-reader.ts'

/** Rounds in which two deposed writers may outbid each other before one gives up. */
const settleRoundsMax = 8

/** A claim under way, which may be taken up again when there was no room for all of it. */
export type ClaimAttempt = {
  readonly epoch: number
  /** Segments that it has created so far; the first is that of `epoch`. */
  created: number
}

/** What a claimer knows of the log. */
export type KnownLog = {
  readonly position: Position
  readonly segmentCount: number
  readonly end: SegmentEnd | undefined
}

/** An epoch that is now the caller's: its first segment, open and empty. */
export type Claim = { readonly file: number; readonly segmentCount: number }

/**
 * Claims `attempt.epoch`, which is higher than any that the caller has seen but by this attempt.
 *
 * @throws LogError `FANFOLD_FENCED` when another has claimed, or the log is not as the caller knows it
 */
export async function claimEpoch(
  directory: DocumentDirectory,
  attempt: ClaimAttempt,
  known: KnownLog,
): Promise<Claim> {
  const { files } = directory
  // Looking first spares a live writer the fence of a claimer that is out of date.
  await requireUnmoved(directory, known, attempt.created)
  const file = await takeUp(directory, attempt)
  try {
    await closeGaps(directory, attempt)
    const listing = await requireUnmoved(directory, known, attempt.created)
    await directory.sync()
    // Who has these open is deposed, and is refused what they were for.
    for (const name of listing.temporaries) {
      await files.remove(directory.file(name)).catch(() => undefined)
    }
    return { file, segmentCount: known.segmentCount + attempt.created }
  } catch (error) {
    await files.close(file)
    throw error
  }
}

/** The first segment of the epoch, open for writing: created now, or by this attempt before. */
async function takeUp(directory: DocumentDirectory, attempt: ClaimAttempt): Promise<number> {
  const name = { epoch: attempt.epoch, part: 0 }
  if (attempt.created > 0) return await directory.files.open(directory.segment(name), 'write')
  const file = await create(directory, name)
  if (file === undefined) {
    throw new LogError('FANFOLD_FENCED', `another node has claimed epoch ${attempt.epoch}`)
  }
  attempt.created++
  return file
}

/**
 * Whether the batch of a deposed writer counts: true when it is part of the log for good, false when
 * it never will be.
 *
 * @throws DiskFailure when that cannot be found out
 */
export async function settleBatch(options: {
  readonly directory: DocumentDirectory
  /** The epoch of the batch. */
  readonly epoch: number
  readonly writer: Uint8Array
  /** The last record before the batch, and its own last. */
  readonly before: Position
  readonly last: Position
}): Promise<boolean> {
  const { directory, epoch, before, last } = options
  try {
    for (let round = 0; round < settleRoundsMax; round++) {
      const segments = (await directory.list())?.segments ?? []
      const from = await findContinuation(directory, segments, epoch)
      if (from === undefined) {
        await claimFrom(options, (segments.at(-1)?.epoch ?? epoch) + 1)
        continue
      }
      if (from.epoch < epoch || from.seq <= before.seq) return false
      if (isSamePosition(from, last)) return true
      throw new Error(`the log continues from ${from.epoch}:${from.seq}, inside the batch`)
    }
    throw new Error(`no claim stood after ${settleRoundsMax} rounds`)
  } catch (cause) {
    const batch = `${epoch}:${before.seq + 1} to ${last.seq}`
    throw new DiskFailure(`${directory.path}: whether ${batch} count cannot be told`, { cause })
  }
}

/** Where the log leaves `epoch` or passes it by; `undefined` when no later epoch has a header. */
async function findContinuation(
  directory: DocumentDirectory,
  segments: readonly SegmentName[],
  epoch: number,
): Promise<Position | undefined> {
  let span = await findNewest(directory, segments)
  if (span === undefined || span.name.epoch <= epoch) return undefined
  while (span.header.from.epoch > epoch) span = await findHolder(directory, segments, span)
  return span.header.from
}

async function claimFrom(
  options: {
    readonly directory: DocumentDirectory
    readonly writer: Uint8Array
    readonly before: Position
  },
  epoch: number,
): Promise<void> {
  const { directory, writer, before } = options
  const { files, key } = directory
  const name = { epoch, part: 0 }
  const file = await create(directory, name)
  if (file === undefined) return
  try {
    const bytes = encodeSegmentHeader({ key, ...name, writer, from: before })
    await writeAll({ files, file, bytes, position: 0 })
    await syncFile(files, file, directory.segment(name))
  } finally {
    await files.close(file)
  }
  await directory.sync()
}

/** @param created how many segments the caller has made since it read the log */
async function requireUnmoved(
  directory: DocumentDirectory,
  known: KnownLog,
  created: number,
): Promise<Listing> {
  const listing = await directory.list()
  const count = listing?.segments.length ?? 0
  if (listing === undefined || count !== known.segmentCount + created) {
    throw new LogError(
      'FANFOLD_FENCED',
      `the log has ${count} segments, it had ${known.segmentCount} when it was opened`,
    )
  }
  const { end, position } = known
  // A claim may have been under way when the log was opened, and its records be out since.
  const newest = await findNewest(directory, listing.segments)
  if (newest?.name.epoch !== end?.name.epoch || newest?.name.part !== end?.name.part) {
    throw new LogError('FANFOLD_FENCED', `the log goes on behind record ${position.seq}`)
  }
  if (end === undefined) return listing
  const file = await directory.files.open(directory.segment(end.name), 'read')
  try {
    const offset = end.length
    if ((await directory.files.read(file, new Uint8Array(1), offset - 1)) === 0) {
      throw new LogError('FANFOLD_FENCED', `the log was cut before byte ${offset}`)
    }
    const found = await findRecord({ directory, file, offset, seqAfter: position.seq })
    if (found === undefined) return listing
    throw new LogError('FANFOLD_FENCED', `the log has moved on from record ${position.seq}`)
  } finally {
    await directory.files.close(file)
  }
}

/** Makes an empty segment of e + 1 for each epoch e that has none. */
async function closeGaps(directory: DocumentDirectory, attempt: ClaimAttempt): Promise<void> {
  const segments = (await directory.list())?.segments ?? []
  const epochs = new Set(segments.map(name => name.epoch))
  const newest = segments.at(-1)?.epoch
  for (const epoch of epochs) {
    if (epoch === newest || epochs.has(epoch + 1)) continue
    const file = await create(directory, { epoch: epoch + 1, part: 0 })
    if (file === undefined) continue
    attempt.created++
    await directory.files.close(file)
  }
}

/** A new segment, open for writing; `undefined` when somebody else has made it. */
async function create(
  directory: DocumentDirectory,
  name: SegmentName,
): Promise<number | undefined> {
  try {
    return await directory.files.open(directory.segment(name), 'create')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined
    throw error
  }
}
