/*
 * Frames of a link, from their bytes: every field is checked, and a payload is a view of the frame.
 */
import { ByteReader, readUint32 } from './byte-reader.ts'
import { type DocumentKey, parseDocumentKey } from './document-key.ts'
import { type ErrorCode, isErrorCode } from './error-code.ts'
import { limits } from './limits.ts'
import {
  type LabelHash,
  type LinkFrame,
  linkFrameTypes,
  messageBytesMax,
  optionalFrameTypeMin,
  recordsHeadBytes,
  replayHeadBytes,
  type TreePlace,
} from './link-frame.ts'
import { LogRecord } from './log-record.ts'
import { type Position, readPosition } from './position.ts'
import { badFrame } from './protocol-error.ts'
import { isSignalNumber, signalKindOf } from './signal.ts'
import { readSignature, readVariant } from './signed-variant.ts'
import { readManifest } from './snapshot-manifest.ts'
import { readTree } from './tree-entry.ts'

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
        ...readConfiguredView(reader),
      }
    case linkFrameTypes.proof:
      return { kind: 'proof', signature: readSignature(reader) }
    case linkFrameTypes.ping:
      return { kind: 'ping' }
    case linkFrameTypes.join: {
      const doc = readKey(reader)
      const credit = reader.uint32()
      const have = readHave(reader)
      const take = reader.uint8() === 0 ? 'any' : 'tail'
      const codecs = reader.uint32()
      const isMovable = lastUint8(reader) !== 0
      return { kind: 'join', doc, credit, have, take, codecs, ...(isMovable ? { isMovable } : {}) }
    }
    case linkFrameTypes.leave:
      return { kind: 'leave', doc: readKey(reader) }
    case linkFrameTypes.left:
      return { kind: 'left', doc: readKey(reader) }
    case linkFrameTypes.credit:
      return { kind: 'credit', channel: reader.uint32(), bytes: reader.uint32() }
    case linkFrameTypes['request-pieces']: {
      const channel = reader.uint32()
      const indexes: number[] = []
      for (let count = reader.uint16(); count > 0; count--) indexes.push(reader.uint32())
      return { kind: 'request-pieces', channel, indexes }
    }
    case linkFrameTypes['pieces-taken']:
      return { kind: 'pieces-taken', bytes: reader.uint32(), answers: lastUint32(reader) }
    case linkFrameTypes['request-taken']:
      return { kind: 'request-taken', number: reader.uint32() }
    case linkFrameTypes['request-replay']: {
      const doc = readKey(reader)
      const replay = reader.uint32()
      const credit = reader.uint32()
      return { kind: 'request-replay', doc, replay, credit, have: readHave(reader) }
    }
    case linkFrameTypes['replay-credit']:
      return { kind: 'replay-credit', replay: reader.uint32(), bytes: reader.uint32() }
    case linkFrameTypes['leave-replay']:
      return { kind: 'leave-replay', replay: reader.uint32() }
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
        ...readPlace(reader),
      }
    }
    case linkFrameTypes.refused: {
      const doc = readKey(reader)
      const code = readErrorCode(reader)
      const message = reader.text(messageBytesMax)
      return { kind: 'refused', doc, code, message, retryAfterMs: reader.uint32() }
    }
    case linkFrameTypes.records:
      return {
        kind: 'records',
        channel: reader.uint32(),
        records: readRecords(bytes, recordsHeadBytes),
      }
    case linkFrameTypes['snapshot-begin']:
      return { kind: 'snapshot-begin', channel: reader.uint32(), manifest: readManifest(reader) }
    case linkFrameTypes['snapshot-piece']: {
      const channel = reader.uint32()
      const index = reader.uint32()
      const codec = reader.uint8()
      if (reader.remaining > limits.snapshotPieceBytesMax.value) {
        badFrame(`a piece of at most ${limits.snapshotPieceBytesMax.value} bytes`)
      }
      return { kind: 'snapshot-piece', channel, index, codec, piece: reader.rest() }
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
    case linkFrameTypes.replay: {
      const replay = reader.uint32()
      const ceiling = reader.uint8()
      return { kind: 'replay', replay, ceiling, records: readRecords(bytes, replayHeadBytes) }
    }
    case linkFrameTypes['replay-ended']: {
      const replay = reader.uint32()
      const code = reader.text(64)
      const message = reader.text(messageBytesMax)
      const retryAfterMs = reader.uint32()
      const isWhole = code === ''
      return {
        kind: 'replay-ended',
        replay,
        code: isWhole ? undefined : knownCode(code),
        message,
        retryAfterMs,
      }
    }
    case linkFrameTypes.signal: {
      const kind = reader.uint8()
      const doc = reader.text(limits.keyBytesMax.value)
      const value = reader.uint53()
      // Kinds may come: what is not known is worth nothing here.
      if (!isSignalNumber(kind)) return undefined
      return {
        kind: 'signal',
        signal: signalKindOf(kind),
        doc: doc === '' ? undefined : parseDocumentKey(doc),
        value,
      }
    }
    case linkFrameTypes['request-variant']:
      return { kind: 'request-variant', hash: reader.raw(32) }
    case linkFrameTypes['no-variant']:
      return { kind: 'no-variant', hash: reader.raw(32) }
    case linkFrameTypes.variant:
      return { kind: 'variant', variant: readVariant(reader) }
    case linkFrameTypes['request-state-hash']:
      return { kind: 'request-state-hash', doc: readKey(reader) }
    case linkFrameTypes['state-hash']: {
      const [doc, ceiling, at] = [readKey(reader), reader.uint8(), readPosition(reader)]
      return { kind: 'state-hash', doc, ceiling, at, hashes: readHashes(reader) }
    }
    case linkFrameTypes.redirect: {
      const doc = readKey(reader)
      const to = readNodes(reader)
      return to.length === 0 ? badFrame('a redirect to somebody') : { kind: 'redirect', doc, to }
    }
    case linkFrameTypes.path:
      return { kind: 'path', channel: reader.uint32(), path: readNodes(reader) }
    case linkFrameTypes['request-tree']:
      return readTreeRequest(reader)
    case linkFrameTypes.tree:
      return { kind: 'tree', number: reader.uint32(), entries: readTree(reader) }
    case linkFrameTypes.crowd: {
      const [doc, number, asked] = [readKey(reader), reader.uint53(), reader.uint16()]
      return { kind: 'crowd', doc, number, asked, aggregate: reader.rest() }
    }
    case linkFrameTypes['crowd-answer']: {
      const [doc, number, waitMs] = [readKey(reader), reader.uint53(), reader.uint32()]
      const sessions = Array.from({ length: reader.uint16() }, () => reader.uint53())
      return { kind: 'crowd-answer', doc, number, waitMs, sessions, standings: reader.rest() }
    }
    default:
      if (type >= optionalFrameTypeMin) return undefined
      return badFrame(`a known type of link frame, got ${type}`)
  }
}

/** A last field that not all peers send. */
const lastUint32 = (reader: ByteReader): number => (reader.remaining === 0 ? 0 : reader.uint32())

const lastUint8 = (reader: ByteReader): number => (reader.remaining === 0 ? 0 : reader.uint8())

function readConfiguredView(reader: ByteReader): { readonly configuredView?: string } {
  if (reader.remaining === 0) return {}
  const configuredView = reader.text(limits.helloTextBytesMax.value)
  return configuredView === '' ? {} : { configuredView }
}

function readPlace(reader: ByteReader): { readonly place?: TreePlace } {
  if (lastUint8(reader) === 0) return {}
  const path = readNodes(reader)
  return { place: { path, others: readNodes(reader) } }
}

function readTreeRequest(reader: ByteReader): Extract<LinkFrame, { kind: 'request-tree' }> {
  const number = reader.uint32()
  const doc = readKey(reader)
  const isWhole = reader.uint8() !== 0
  const withinMs = reader.uint32()
  const entriesMax = reader.uint16()
  const { value: most } = limits.treeEntriesMax
  if (entriesMax < 1 || entriesMax > most) badFrame(`1 to ${most} entries, got ${entriesMax}`)
  return { kind: 'request-tree', number, doc, isWhole, withinMs, entriesMax }
}

function readNodes(reader: ByteReader): string[] {
  const nodes: string[] = []
  const count = reader.uint8()
  const { value: countMax } = limits.pathNodesMax
  if (count > countMax) badFrame(`at most ${countMax} nodes, got ${count}`)
  while (nodes.length < count) nodes.push(reader.text(limits.nodeNameBytesMax.value))
  return nodes
}

function readKey(reader: ByteReader): DocumentKey {
  return parseDocumentKey(reader.text(limits.keyBytesMax.value))
}

function readErrorCode(reader: ByteReader): ErrorCode {
  return knownCode(reader.text(64))
}

/** A later version may know more codes than this one; what they have in common is that it is refused. */
const knownCode = (code: string): ErrorCode => (isErrorCode(code) ? code : 'FANFOLD_OVERLOADED')

const readHave = (reader: ByteReader): Position | undefined =>
  reader.uint8() === 0 ? undefined : readPosition(reader)

function readHashes(reader: ByteReader): LabelHash[] {
  const hashes: LabelHash[] = []
  let before = -1
  for (let count = reader.uint8(); count > 0; count--) {
    const tag = reader.uint8()
    if (tag <= before) badFrame(`hashes in rising order of tags, got ${tag} after ${before}`)
    hashes.push({ tag, hash: reader.raw(32) })
    before = tag
  }
  return hashes
}

function readRecords(bytes: Uint8Array, first: number): LogRecord[] {
  const records: LogRecord[] = []
  let offset = first
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
