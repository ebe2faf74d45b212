/*
 * A document's log as its files say, read apart from the program that writes them: a segment's header is
 * 81 bytes and the key; a record has its length and its CRC-32C in front, 4 bytes each.
 *
 * The newest segment with a whole header says behind which record it goes on: what older ones hold behind
 * that is void. In the last segment a bad record ends the log.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LogRecord, ProtocolError, partTags } from '@fanfold/protocol'
import { crc32c } from './crc-32c.ts'

const keyLengthOffset = 76
const keyOffset = 77
const fromSeqOffset = 36
const frameHeadBytes = 8

/** A record and the bytes that it takes in its file, its length and checksum among them. */
export type PlacedRecord = {
  readonly record: LogRecord
  readonly path: string
  readonly start: number
  readonly end: number
}

/** The segments of a document's log, oldest first. */
export function segmentPaths(data: string, doc: string): string[] {
  const directory = join(data, 'documents', doc)
  return readdirSync(directory)
    .filter(name => name.endsWith('.log'))
    .sort()
    .map(name => join(directory, name))
}

/** Bytes of a segment's header, and after which seq the segment goes on; undefined when it is not whole. */
function headerOf(
  bytes: Buffer,
): { readonly length: number; readonly fromSeq: number } | undefined {
  if (bytes.length < keyOffset) return undefined
  const keyEnd = keyOffset + bytes.readUInt8(keyLengthOffset)
  if (bytes.length < keyEnd + 4) return undefined
  if (crc32c(bytes.subarray(0, keyEnd)) !== bytes.readUInt32BE(keyEnd)) return undefined
  return { length: keyEnd + 4, fromSeq: Number(bytes.readBigUInt64BE(fromSeqOffset)) }
}

/** The records of one segment, up to the first that is not good. */
function* segmentRecords(path: string, bytes: Buffer, start: number): Generator<PlacedRecord> {
  let at = start
  while (at + frameHeadBytes <= bytes.length) {
    const end = at + frameHeadBytes + bytes.readUInt32BE(at)
    if (end > bytes.length) return
    const body = bytes.subarray(at + frameHeadBytes, end)
    if (crc32c(body) !== bytes.readUInt32BE(at + 4)) return
    let record: LogRecord
    try {
      record = LogRecord.decode(body)
    } catch (error) {
      if (error instanceof ProtocolError) return
      throw error
    }
    yield { record, path, start: at, end }
    at = end
  }
}

/** The good records of a segment, whether they count or not. */
export function* recordsIn(path: string): Generator<PlacedRecord> {
  const bytes = readFileSync(path)
  const header = headerOf(bytes)
  if (header !== undefined) yield* segmentRecords(path, bytes, header.length)
}

/** All records that count, in order. */
export function* logRecords(data: string, doc: string): Generator<PlacedRecord> {
  const segments = segmentPaths(data, doc).flatMap(path => {
    const header = headerOf(readFileSync(path))
    return header === undefined ? [] : [{ path, ...header }]
  })
  let seq = 0
  for (const [index, { path, length }] of segments.entries()) {
    const lastSeq = Math.min(...segments.slice(index + 1).map(({ fromSeq }) => fromSeq))
    for (const placed of segmentRecords(path, readFileSync(path), length)) {
      // A record that was there already is a bad tail; one that is missing is for the judge.
      if (placed.record.seq > lastSeq || placed.record.seq <= seq) break
      seq = placed.record.seq
      yield placed
    }
  }
}

/** The idempotency id behind a record, if it has one. */
export function recordId(record: LogRecord): string | undefined {
  const payload = record.payload(partTags.authority)
  if (payload === undefined) return undefined
  // An origin: the subject and then the id, each behind its length in one byte.
  const idAt = 1 + (payload[0] ?? 0)
  const id = payload.subarray(idAt + 1, idAt + 1 + (payload[idAt] ?? 0))
  return id.length === 0 ? undefined : Buffer.from(id).toString('utf8')
}
