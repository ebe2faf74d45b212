/*
 * The head of a segment file:
 *
 *   offset bytes
 *   0      7     "FANFOLD"
 *   7      1     format (1)
 *   8      4     epoch
 *   12     4     part
 *   16     16    the store that wrote it: only that one may go on writing in this epoch
 *   32     44    the position it continues from: epoch, seq, chain hash
 *   76     1     length of the key, k
 *   77     k     document key
 *   77+k   4     CRC-32C of all before
 *
 * The position is the fence: whatever an older epoch holds behind it is void.
 */
import { decodeUtf8, encodeUtf8, equalBytes } from '@fanfold/kernel'
import {
  type DocumentKey,
  type Position,
  readUint32,
  readUint53,
  writeUint32,
  writeUint53,
} from '@fanfold/protocol'
import { crc32c } from './crc-32c.ts'
import { damaged } from './log-error.ts'

/** What a segment says about itself. */
export type SegmentHeader = {
  readonly key: DocumentKey
  readonly epoch: number
  readonly part: number
  /** 16 bytes that the store drew when it was made. */
  readonly writer: Uint8Array
  /** The last record before the segment. */
  readonly from: Position
}

/** Bytes of `SegmentHeader.writer`. */
export const writerBytes = 16

const magic = encodeUtf8('FANFOLD')
const format = 1
const keyLengthOffset = 76
const keyOffset = 77

/** Bytes that the header of the longest key takes. */
export const headerBytesMax: number = keyOffset + 255 + 4

/** The header as bytes. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const key = encodeUtf8(header.key)
  const bytes = new Uint8Array(keyOffset + key.length + 4)
  bytes.set(magic)
  bytes[7] = format
  writeUint32(bytes, 8, header.epoch)
  writeUint32(bytes, 12, header.part)
  bytes.set(header.writer, 16)
  writeUint32(bytes, 32, header.from.epoch)
  writeUint53(bytes, 36, header.from.seq)
  bytes.set(header.from.hash, 44)
  bytes[keyLengthOffset] = key.length
  bytes.set(key, keyOffset)
  writeUint32(bytes, keyOffset + key.length, crc32c(bytes, 0, keyOffset + key.length))
  return bytes
}

/** Bytes of the header of this document's segments. */
export const headerBytes = (key: DocumentKey): number => keyOffset + key.length + 4

/**
 * The header at the start of `bytes`, or `undefined` when there is none that is whole.
 *
 * @throws LogError `FANFOLD_LOG_DAMAGED` when it is whole and of another document, place or format
 */
export function decodeSegmentHeader(
  bytes: Uint8Array,
  expected: { readonly key: DocumentKey; readonly epoch: number; readonly part: number },
  path: string,
): SegmentHeader | undefined {
  if (bytes.length < keyOffset || !equalBytes(bytes.subarray(0, magic.length), magic)) {
    return undefined
  }
  const keyEnd = keyOffset + (bytes[keyLengthOffset] as number)
  if (bytes.length < keyEnd + 4) return undefined
  if (crc32c(bytes, 0, keyEnd) !== readUint32(bytes, keyEnd)) return undefined
  if (bytes[7] !== format) damaged(path, `format ${bytes[7]}, this program reads ${format}`)
  const key = decodeUtf8(bytes.subarray(keyOffset, keyEnd))
  if (key !== expected.key) damaged(path, `the log of ${key} in the place of ${expected.key}`)
  const epoch = readUint32(bytes, 8)
  const part = readUint32(bytes, 12)
  if (epoch !== expected.epoch || part !== expected.part) {
    damaged(path, `the segment of epoch ${epoch}, part ${part} under another's name`)
  }
  const from: Position = {
    epoch: readUint32(bytes, 32),
    seq: readUint53(bytes, 36) ?? 0,
    hash: bytes.slice(44, keyLengthOffset),
  }
  return { key: expected.key, epoch, part, writer: bytes.slice(16, 32), from }
}

/** True when both are after the same record. */
export const isSamePosition = (a: Position, b: Position): boolean =>
  a.epoch === b.epoch && a.seq === b.seq && equalBytes(a.hash, b.hash)
