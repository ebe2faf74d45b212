/*
 * Which segments make the log.
 *
 * Segments of several epochs may lie side by side: a deposed authority may have written on before it
 * noticed, a claim may have died before its header was out. The newest header decides. It names the
 * position it continues from, the segment that holds that record names its own, and so back to the
 * first: what is not on this path is void, and so is what a segment holds behind the position where
 * the next one continues.
 */
import { describePosition, type Position } from '@fanfold/protocol'
import type { DocumentDirectory, SegmentName } from './document-directory.ts'
import { readAll } from './file-system.ts'
import { damaged } from './log-error.ts'
import { decodeSegmentHeader, headerBytesMax, type SegmentHeader } from './segment-header.ts'
import { findRecord, type SegmentSpan } from './segment-reader.ts'

/**
 * The newest stretches of the log, oldest first, back to the one that holds the record after
 * `floorSeq`. None when no segment has a header.
 *
 * @throws LogError `FANFOLD_LOG_DAMAGED`
 */
export async function findPath(
  directory: DocumentDirectory,
  segments: readonly SegmentName[],
  floorSeq: number,
): Promise<SegmentSpan[]> {
  let first = await findNewest(directory, segments)
  if (first === undefined) return []
  const spans = [first]
  while (first.header.from.seq > floorSeq) {
    first = await findHolder(directory, segments, first)
    spans.unshift(first)
  }
  return spans
}

/**
 * The stretches of the log that hold the records after `floorSeq` up to `end`, oldest first. `end` is a
 * record that counts for good: what is newer is not looked at, so it may be under way meanwhile.
 *
 * @throws LogError `FANFOLD_LOG_DAMAGED`
 */
export async function findPathTo(
  directory: DocumentDirectory,
  segments: readonly SegmentName[],
  range: { readonly floorSeq: number; readonly end: Position },
): Promise<SegmentSpan[]> {
  const { floorSeq, end } = range
  const headers: Headers = new Map()
  let first = await findSegmentWith(directory, segments, end, headers)
  if (first === undefined) {
    return damaged(directory.path, `no segment holds record ${describePosition(end)}`)
  }
  const spans = [first]
  while (first.header.from.seq > floorSeq) {
    first = await findHolder(directory, segments, first, headers)
    spans.unshift(first)
  }
  return spans
}

/** The newest segment with a header. */
export async function findNewest(
  directory: DocumentDirectory,
  segments: readonly SegmentName[],
): Promise<SegmentSpan | undefined> {
  for (const name of segments.toReversed()) {
    const header = await readHeader(directory, name, 'refuse-records')
    if (header !== undefined) return { name, header, end: undefined }
  }
  return undefined
}

/** The segment that holds the record which `next` continues from. */
export async function findHolder(
  directory: DocumentDirectory,
  segments: readonly SegmentName[],
  next: SegmentSpan,
  headers: Headers = new Map(),
): Promise<SegmentSpan> {
  const { from } = next.header
  const span = await findSegmentWith(directory, segments, from, headers)
  if (span !== undefined) return span
  return damaged(
    directory.segment(next.name),
    `it continues from record ${describePosition(from)}, which no segment holds`,
  )
}

/** Headers that were read, so that a long path reads each once. */
type Headers = Map<SegmentName, SegmentHeader | undefined>

/** The segment that holds the record before `end`, read up to there. */
async function findSegmentWith(
  directory: DocumentDirectory,
  segments: readonly SegmentName[],
  end: Position,
  headers: Headers,
): Promise<SegmentSpan | undefined> {
  for (const name of segments.toReversed()) {
    if (name.epoch !== end.epoch) continue
    if (!headers.has(name)) headers.set(name, await readHeader(directory, name, 'any'))
    const header = headers.get(name)
    if (header !== undefined && header.from.seq < end.seq) return { name, header, end }
  }
  return undefined
}

/** With `refuse-records`, a file whose header is not whole must not hold a record either. */
async function readHeader(
  directory: DocumentDirectory,
  name: SegmentName,
  policy: 'refuse-records' | 'any',
): Promise<SegmentHeader | undefined> {
  const { files, key } = directory
  const path = directory.segment(name)
  const file = await files.open(path, 'read')
  try {
    const target = new Uint8Array(headerBytesMax)
    const read = async (): Promise<SegmentHeader | undefined> => {
      const count = await readAll({ files, file, target, position: 0 })
      return decodeSegmentHeader(target.subarray(0, count), { key, ...name }, path)
    }
    const header = await read()
    if (header !== undefined || policy === 'any') return header
    const found = await findRecord({ directory, file, offset: 0, seqAfter: 0 })
    if (found !== undefined) {
      // Its writer may have been writing it since: the header comes first.
      return (await read()) ?? damaged(path, `no header, and a good record at byte ${found}`)
    }
    return undefined
  } finally {
    await files.close(file)
  }
}
