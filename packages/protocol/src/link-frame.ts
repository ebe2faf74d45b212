/*
 * Frames of a link between two nodes: one byte of type, then fields in order, integers big-endian.
 *
 * After the handshake (`hello`, `proof`) the side that wants a document sends `join` and the other
 * answers at once with `welcome` or `refused`. The parent chooses one number per document, the
 * channel, the same for all its children, so that one `records` frame can go to all of them as it is.
 *
 * A receiver ignores bytes after the last field it knows, and whole frames of an unknown type from
 * 128 on; any other unknown type is an error. So a later version can add without breaking this one.
 */
import { unreachable } from '@fanfold/kernel'
import { ByteReader, readUint32 } from './byte-reader.ts'
import { ByteWriter, writeUint32 } from './byte-writer.ts'
import { type DocumentKey, parseDocumentKey } from './document-key.ts'
import { type ErrorCode, isErrorCode } from './error-code.ts'
import { limits } from './limits.ts'
import { LogRecord } from './log-record.ts'
import { type Position, readPosition, writePosition } from './position.ts'
import { badFrame } from './protocol-error.ts'
import { readSignature, readVariant, type SignedVariant, writeVariant } from './signed-variant.ts'
import { readManifest, type SnapshotManifest, writeManifest } from './snapshot-manifest.ts'

/** Types of link frames; the numbers are the wire's. */
export const linkFrameTypes = {
  hello: 1,
  proof: 2,
  ping: 3,
  join: 16,
  leave: 17,
  credit: 18,
  'request-pieces': 19,
  welcome: 32,
  refused: 33,
  records: 34,
  'snapshot-begin': 35,
  'snapshot-piece': 36,
  ended: 37,
  status: 38,
  'request-variant': 128,
  variant: 129,
  'no-variant': 130,
} as const

/** From this type on, a frame that is not known is ignored. */
export const optionalFrameTypeMin = 128

/** How the parent brings a child up to date. */
export type JoinMode = 'tail' | 'snapshot'

/** A frame of a link. */
export type LinkFrame =
  | {
      readonly kind: 'hello'
      readonly versionMin: number
      readonly versionMax: number
      readonly incarnation: string
      readonly token: string
      /** 32 fresh random bytes. */
      readonly nonce: Uint8Array
    }
  | { readonly kind: 'proof'; readonly signature: Uint8Array }
  | { readonly kind: 'ping' }
  | {
      readonly kind: 'join'
      readonly doc: DocumentKey
      readonly have: Position | undefined
      /** Bytes of records the child takes before it gives more credit. */
      readonly credit: number
    }
  | { readonly kind: 'leave'; readonly doc: DocumentKey }
  | { readonly kind: 'credit'; readonly channel: number; readonly bytes: number }
  | {
      readonly kind: 'request-pieces'
      readonly channel: number
      readonly indexes: readonly number[]
    }
  | {
      readonly kind: 'welcome'
      readonly doc: DocumentKey
      readonly channel: number
      readonly mode: JoinMode
      /** The parent's last record at this moment. */
      readonly head: Position
      /** Highest tag of a part that comes on this stream: the least ceiling of all links above. */
      readonly ceiling: number
    }
  | {
      readonly kind: 'refused'
      readonly doc: DocumentKey
      readonly code: ErrorCode
      readonly message: string
      /** 0 when the parent does not say. */
      readonly retryAfterMs: number
    }
  | { readonly kind: 'records'; readonly channel: number; readonly records: readonly LogRecord[] }
  | {
      readonly kind: 'snapshot-begin'
      readonly channel: number
      readonly manifest: SnapshotManifest
    }
  | {
      readonly kind: 'snapshot-piece'
      readonly channel: number
      readonly index: number
      readonly piece: Uint8Array
    }
  | {
      readonly kind: 'ended'
      readonly channel: number
      readonly code: ErrorCode
      readonly message: string
    }
  | {
      readonly kind: 'status'
      readonly channel: number
      /** True while the sender has lost its own parent. */
      readonly stale: boolean
      /** How long the sender has been stale, ms. */
      readonly ageMs: number
    }
  /** A child asks for an edge variant of a definition, which a record or a snapshot has named. */
  | { readonly kind: 'request-variant'; readonly hash: Uint8Array }
  | { readonly kind: 'variant'; readonly variant: SignedVariant }
  /** The parent has no such variant now, and has asked its own parent in vain. */
  | { readonly kind: 'no-variant'; readonly hash: Uint8Array }

const messageBytesMax = 1024
/** Four bytes of length before each record in a `records` frame. */
const recordsHeadBytes = 5

/** The bytes of a frame. */
export function encodeLinkFrame(frame: LinkFrame): Uint8Array {
  const writer = new ByteWriter().uint8(linkFrameTypes[frame.kind])
  switch (frame.kind) {
    case 'hello':
      return writer
        .uint8(frame.versionMin)
        .uint8(frame.versionMax)
        .text(frame.incarnation)
        .text(frame.token)
        .raw(frame.nonce)
        .finish()
    case 'proof':
      return writer.uint16(frame.signature.length).raw(frame.signature).finish()
    case 'ping':
      return writer.finish()
    case 'join':
      writer.text(frame.doc).uint32(frame.credit)
      if (frame.have === undefined) return writer.uint8(0).finish()
      return writePosition(writer.uint8(1), frame.have).finish()
    case 'leave':
      return writer.text(frame.doc).finish()
    case 'credit':
      return writer.uint32(frame.channel).uint32(frame.bytes).finish()
    case 'request-pieces':
      writer.uint32(frame.channel).uint16(frame.indexes.length)
      for (const index of frame.indexes) writer.uint32(index)
      return writer.finish()
    case 'welcome':
      writer
        .text(frame.doc)
        .uint32(frame.channel)
        .uint8(frame.mode === 'tail' ? 0 : 1)
      return writePosition(writer, frame.head).uint8(frame.ceiling).finish()
    case 'refused':
      return writer
        .text(frame.doc)
        .text(frame.code)
        .text(frame.message.slice(0, messageBytesMax / 4))
        .uint32(frame.retryAfterMs)
        .finish()
    case 'records':
      return encodeRecordsFrame(
        frame.channel,
        frame.records.map(record => record.bytes),
      )
    case 'snapshot-begin':
      return writeManifest(writer.uint32(frame.channel), frame.manifest).finish()
    case 'snapshot-piece':
      return writer.uint32(frame.channel).uint32(frame.index).raw(frame.piece).finish()
    case 'ended':
      return writer
        .uint32(frame.channel)
        .text(frame.code)
        .text(frame.message.slice(0, messageBytesMax / 4))
        .finish()
    case 'status':
      return writer
        .uint32(frame.channel)
        .uint8(frame.stale ? 1 : 0)
        .uint32(frame.ageMs)
        .finish()
    case 'request-variant':
    case 'no-variant':
      return writer.raw(frame.hash).finish()
    case 'variant':
      return writeVariant(writer, frame.variant).finish()
    default:
      return unreachable(frame)
  }
}

/** A `records` frame that carries these records' bytes as they are. */
export function encodeRecordsFrame(channel: number, records: readonly Uint8Array[]): Uint8Array {
  let length = recordsHeadBytes
  for (const record of records) length += 4 + record.length
  const bytes = new Uint8Array(length)
  bytes[0] = linkFrameTypes.records
  writeUint32(bytes, 1, channel)
  let offset = recordsHeadBytes
  for (const record of records) {
    writeUint32(bytes, offset, record.length)
    bytes.set(record, offset + 4)
    offset += 4 + record.length
  }
  return bytes
}

/**
 * The frame in `bytes`, or `undefined` for one of a later version that may be ignored. Payloads are
 * views of `bytes`.
 *
 * @throws ProtocolError `FANFOLD_BAD_FRAME`, `FANFOLD_BAD_KEY`
 */
export function decodeLinkFrame(bytes: Uint8Array): LinkFrame | undefined {
  if (bytes.length > limits.linkFrameBytesMax.value) {
    badFrame(`a frame of at most ${limits.linkFrameBytesMax.value} bytes, got ${bytes.length}`)
  }
  const reader = new ByteReader(bytes)
  const type = reader.uint8()
  switch (type) {
    case linkFrameTypes.hello:
      return {
        kind: 'hello',
        versionMin: reader.uint8(),
        versionMax: reader.uint8(),
        incarnation: reader.text(limits.helloTextBytesMax.value),
        token: reader.text(limits.helloTextBytesMax.value),
        nonce: reader.raw(32),
      }
    case linkFrameTypes.proof:
      return { kind: 'proof', signature: readSignature(reader) }
    case linkFrameTypes.ping:
      return { kind: 'ping' }
    case linkFrameTypes.join: {
      const doc = readKey(reader)
      const credit = reader.uint32()
      return {
        kind: 'join',
        doc,
        credit,
        have: reader.uint8() === 0 ? undefined : readPosition(reader),
      }
    }
    case linkFrameTypes.leave:
      return { kind: 'leave', doc: readKey(reader) }
    case linkFrameTypes.credit:
      return { kind: 'credit', channel: reader.uint32(), bytes: reader.uint32() }
    case linkFrameTypes['request-pieces']: {
      const channel = reader.uint32()
      const indexes: number[] = []
      for (let count = reader.uint16(); count > 0; count--) indexes.push(reader.uint32())
      return { kind: 'request-pieces', channel, indexes }
    }
    case linkFrameTypes.welcome: {
      const doc = readKey(reader)
      const channel = reader.uint32()
      const mode = reader.uint8() === 0 ? 'tail' : 'snapshot'
      return {
        kind: 'welcome',
        doc,
        channel,
        mode,
        head: readPosition(reader),
        ceiling: reader.uint8(),
      }
    }
    case linkFrameTypes.refused: {
      const doc = readKey(reader)
      const code = readErrorCode(reader)
      const message = reader.text(messageBytesMax)
      return { kind: 'refused', doc, code, message, retryAfterMs: reader.uint32() }
    }
    case linkFrameTypes.records:
      return { kind: 'records', channel: reader.uint32(), records: readRecords(bytes) }
    case linkFrameTypes['snapshot-begin']:
      return { kind: 'snapshot-begin', channel: reader.uint32(), manifest: readManifest(reader) }
    case linkFrameTypes['snapshot-piece']: {
      const channel = reader.uint32()
      const index = reader.uint32()
      if (reader.remaining > limits.snapshotPieceBytesMax.value) {
        badFrame(`a piece of at most ${limits.snapshotPieceBytesMax.value} bytes`)
      }
      return { kind: 'snapshot-piece', channel, index, piece: reader.rest() }
    }
    case linkFrameTypes.ended: {
      const channel = reader.uint32()
      const code = readErrorCode(reader)
      return { kind: 'ended', channel, code, message: reader.text(messageBytesMax) }
    }
    case linkFrameTypes.status: {
      const channel = reader.uint32()
      const stale = reader.uint8() !== 0
      return { kind: 'status', channel, stale, ageMs: reader.uint32() }
    }
    case linkFrameTypes['request-variant']:
      return { kind: 'request-variant', hash: reader.raw(32) }
    case linkFrameTypes['no-variant']:
      return { kind: 'no-variant', hash: reader.raw(32) }
    case linkFrameTypes.variant:
      return { kind: 'variant', variant: readVariant(reader) }
    default:
      if (type >= optionalFrameTypeMin) return undefined
      return badFrame(`a known type of link frame, got ${type}`)
  }
}

function readKey(reader: ByteReader): DocumentKey {
  return parseDocumentKey(reader.text(limits.keyBytesMax.value))
}

function readErrorCode(reader: ByteReader): ErrorCode {
  const code = reader.text(64)
  // A later version may know more codes than this one; what they have in common is that it is refused.
  return isErrorCode(code) ? code : 'FANFOLD_OVERLOADED'
}

function readRecords(bytes: Uint8Array): LogRecord[] {
  const records: LogRecord[] = []
  let offset = recordsHeadBytes
  while (offset < bytes.length) {
    if (offset + 4 > bytes.length) badFrame('a record that ends inside its length')
    const length = readUint32(bytes, offset)
    const end = offset + 4 + length
    if (end > bytes.length) badFrame(`a record of ${length} bytes at ${offset} of ${bytes.length}`)
    records.push(LogRecord.decode(bytes.subarray(offset + 4, end)))
    offset = end
  }
  return records
}
