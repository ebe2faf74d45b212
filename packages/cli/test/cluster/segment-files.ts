/*
 * The records of a document's log, read from its files apart from the program that writes them:
 * a segment's header is 81 bytes and the key, a record has 8 bytes in front, its length the first 4.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { LogRecord, partTags } from '@fanfold/protocol'

const headBytes = 77
const keyLengthOffset = 76
/** Where a segment's header says after which seq it goes on. */
const fromSeqOffset = 36
const frameHeadBytes = 8

/** The directory of a document's log. */
export const logDirectory = (data: string, doc: string): string => join(data, 'documents', doc)

/** The segments of a document's log, oldest first. */
export const segmentPaths = (data: string, doc: string): string[] => {
  const directory = logDirectory(data, doc)
  return readdirSync(directory)
    .filter(name => name.endsWith('.log'))
    .sort()
    .map(name => join(directory, name))
}

/** Bytes that the log takes. */
export const logBytes = (data: string, doc: string): number =>
  segmentPaths(data, doc).reduce((sum, path) => sum + statSync(path).size, 0)

/** Where each record of a segment begins in its file, and how many bytes it takes there. */
export function recordSpans(bytes: Buffer): { readonly at: number; readonly length: number }[] {
  const spans: { at: number; length: number }[] = []
  let at = headBytes + (bytes[keyLengthOffset] ?? 0) + 4
  while (at + frameHeadBytes <= bytes.length) {
    const length = frameHeadBytes + bytes.readUInt32BE(at)
    if (at + length > bytes.length) break
    spans.push({ at, length })
    at += length
  }
  return spans
}

/** All records that count, in order of seq: a newer segment makes void what it does not continue. */
export function readRecords(data: string, doc: string): LogRecord[] {
  const records: LogRecord[] = []
  for (const path of segmentPaths(data, doc)) {
    const bytes = readFileSync(path)
    // A claim that was cut short by a kill has no whole header yet, and makes nothing void.
    if (bytes.length < headBytes) continue
    const fromSeq = Number(bytes.readBigUInt64BE(fromSeqOffset))
    while ((records.at(-1)?.seq ?? 0) > fromSeq) records.pop()
    for (const { at, length } of recordSpans(bytes)) {
      records.push(LogRecord.decode(bytes.subarray(at + frameHeadBytes, at + length)))
    }
  }
  return records
}

/** What a record's viewers see of it. */
export const publicPayload = (record: LogRecord): Buffer =>
  Buffer.from(record.payload(partTags.public) ?? [])

/** The idempotency id behind a record, if it has one. */
export function recordId(record: LogRecord): string | undefined {
  const payload = record.payload(partTags.authority)
  if (payload === undefined) return undefined
  // An origin: the subject and then the id, each behind its length in one byte.
  const idAt = 1 + (payload[0] ?? 0)
  const id = payload.subarray(idAt + 1, idAt + 1 + (payload[idAt] ?? 0))
  return id.length === 0 ? undefined : Buffer.from(id).toString('utf8')
}
