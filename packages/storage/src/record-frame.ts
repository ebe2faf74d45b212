/*
 * A record in a segment: its length (4 bytes), its CRC-32C (4 bytes), its bytes as everywhere.
 */
import { LogRecord, limits, ProtocolError, readUint32 } from '@fanfold/protocol'
import { crc32c } from './crc-32c.ts'

/** Bytes before each record. */
export const frameHeadBytes = 8

/** What stands at a place in a segment. */
export type Frame =
  | { readonly kind: 'record'; readonly record: LogRecord; readonly bytes: number }
  /** More bytes are needed to say what it is. */
  | { readonly kind: 'short'; readonly bytesNeeded: number }
  | { readonly kind: 'bad'; readonly what: string }

/** The bytes of a batch, behind the segment's header where it has none yet. */
export function encodeFrames(
  head: Uint8Array | undefined,
  records: readonly LogRecord[],
): Uint8Array {
  let length = head?.length ?? 0
  for (const { bytes } of records) length += frameHeadBytes + bytes.length
  const frames = Buffer.allocUnsafe(length)
  if (head !== undefined) frames.set(head)
  let at = head?.length ?? 0
  for (const { bytes } of records) {
    frames.writeUInt32BE(bytes.length, at)
    frames.writeUInt32BE(crc32c(bytes), at + 4)
    frames.set(bytes, at + frameHeadBytes)
    at += frameHeadBytes + bytes.length
  }
  return frames
}

/** What stands at `at`; the record, if one, is a view of `bytes`. */
export function decodeFrame(bytes: Uint8Array, at: number, keyBytes: Uint8Array): Frame {
  const start = at + frameHeadBytes
  if (start > bytes.length) return { kind: 'short', bytesNeeded: frameHeadBytes }
  const length = readUint32(bytes, at)
  if (length > limits.recordBytesMax.value) {
    return { kind: 'bad', what: `a record of ${length} bytes` }
  }
  const end = start + length
  if (end > bytes.length) return { kind: 'short', bytesNeeded: frameHeadBytes + length }
  if (crc32c(bytes, start, end) !== readUint32(bytes, at + 4)) {
    return { kind: 'bad', what: 'a record whose checksum does not match' }
  }
  try {
    const record = LogRecord.decode(bytes.subarray(start, end))
    if (!record.isOf(keyBytes)) return { kind: 'bad', what: "another document's record" }
    return { kind: 'record', record, bytes: frameHeadBytes + length }
  } catch (error) {
    if (error instanceof ProtocolError) return { kind: 'bad', what: error.message }
    throw error
  }
}
