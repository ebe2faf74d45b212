/*
 * One entry of a document's log, in the one form that the disk, every link and every proxy hold:
 *
 *   offset bytes
 *   0      1     flags: bits 0-3 the count of parts that follow, bit 4: `rest` follows, others 0
 *   1      32    chain hash
 *   33     32    rest, where flagged: acc of the parts that were dropped from the end
 *   h      1     version (1)                                   ┐
 *          1     kind, bit 7: a trace id follows               │
 *          1     length of the key, k                          │
 *          4     epoch                                         │ the header, as it goes
 *          6     seq                                           │ into the chain hash
 *          6     commit time, ms                               │
 *          16    trace id, where flagged                       │
 *          k     document key, ASCII                           ┘
 *          …     parts, each: length in 4 bytes, then salt (16), tag (1), payload
 *
 * What changes when a record is projected to a trust ceiling (the flags and `rest`) stands outside
 * the header, so the header's bytes are the same at every hop. How acc, rest and the chain hash
 * follow from the parts is in @fanfold/document. What most records do not have costs no bytes: a
 * full record has no `rest`, and only a write that came with a trace has a trace id of its own.
 *
 * A record is never taken apart to be forwarded: this class is a view of its bytes.
 */
import { assert, encodeUtf8 } from '@fanfold/kernel'
import { readUint32, readUint48 } from './byte-reader.ts'
import { writeUint32, writeUint48 } from './byte-writer.ts'
import type { DocumentKey } from './document-key.ts'
import { limits } from './limits.ts'
import { zeroHash } from './position.ts'
import { badFrame } from './protocol-error.ts'
import { protocolVersion } from './version.ts'

/** What a record does; the numbers are the wire's. */
export const recordKinds = {
  create: 1,
  delta: 2,
  definition: 3,
  claim: 4,
  session: 5,
  delete: 6,
} as const

/** The kind of a record. */
export type RecordKind = keyof typeof recordKinds

/** Tag of a part: labels of the trust ceiling are 0 … 239, in order of secrecy. */
export const partTags = { public: 0, crowd: 240, authority: 255 } as const

/** The highest label: a link with this ceiling lets through all that any viewer may see. */
export const labelMax = 239

/** Bytes of a part's salt. */
export const saltBytes = 16

/** Bytes of a trace id (W3C Trace Context). */
export const traceBytes = 16

const countMask = 0x0f
const restFlag = 0x10
const chainOffset = 1
const chainBytes = 32
/** Where the header begins in a record without `rest`, and the bytes of `rest`. */
const fullHeaderOffset = chainOffset + chainBytes
const restBytes = 32
// Of the header's fields, from where it begins.
const kindOffset = 1
const keyLengthOffset = 2
const epochOffset = 3
const seqOffset = 7
const timeOffset = 13
const traceOffset = 19
const traceFlag = 0x80
/** A header with a key of one byte, and no parts. */
const recordBytesMin = fullHeaderOffset + traceOffset + 1
const partHeadBytes = saltBytes + 1

const kindNames = new Map<number, RecordKind>(
  Object.entries(recordKinds).map(([name, number]) => [number, name as RecordKind]),
)

/** One part, as the encoder takes it. */
export type RecordPart = {
  /** 0 … 239 a label, 240 the crowd's manifest, 255 what only authorities keep. */
  readonly tag: number
  /** 16 random bytes, which keep the digest from being an oracle. */
  readonly salt: Uint8Array
  readonly payload: Uint8Array
}

/** What a new record says; the chain hash comes after. */
export type RecordFields = {
  readonly kind: RecordKind
  readonly key: DocumentKey
  readonly epoch: number
  readonly seq: number
  /** Milliseconds since 1970, from the authority's wall clock. */
  readonly timeMs: number
  /** 16 bytes, of the trace that the write came with; undefined for none. */
  readonly trace: Uint8Array | undefined
  /** In rising order of tags. */
  readonly parts: readonly RecordPart[]
}

/** A record as bytes, with its fields read where they are. */
export class LogRecord {
  /** The whole record; nobody changes it. */
  readonly bytes: Uint8Array
  readonly epoch: number
  readonly seq: number
  readonly #headerOffset: number
  readonly #keyOffset: number

  private constructor(bytes: Uint8Array, headerOffset: number) {
    const ownTrace = ((bytes[headerOffset + kindOffset] as number) & traceFlag) !== 0
    this.bytes = bytes
    this.epoch = readUint32(bytes, headerOffset + epochOffset)
    this.seq = readUint48(bytes, headerOffset + seqOffset)
    this.#headerOffset = headerOffset
    this.#keyOffset = headerOffset + traceOffset + (ownTrace ? traceBytes : 0)
  }

  /**
   * A view of `bytes`, which must be exactly one record.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` when they are not. Hashes are not checked here.
   */
  static decode(bytes: Uint8Array): LogRecord {
    if (bytes.length < recordBytesMin) {
      badFrame(`a record has at least ${recordBytesMin} bytes, got ${bytes.length}`)
    }
    if (bytes.length > limits.recordBytesMax.value) {
      badFrame(`a record has at most ${limits.recordBytesMax.value} bytes, got ${bytes.length}`)
    }
    const flags = bytes[0] as number
    if (flags > (restFlag | countMask)) badFrame(`flags that version 1 has, got ${flags}`)
    const hasRest = (flags & restFlag) !== 0
    const headerOffset = hasRest ? fullHeaderOffset + restBytes : fullHeaderOffset
    if (bytes.length <= headerOffset + traceOffset) badFrame('a record that ends in its header')
    const version = bytes[headerOffset]
    if (version !== protocolVersion)
      badFrame(`a record of version ${protocolVersion}, got ${version}`)
    const kind = (bytes[headerOffset + kindOffset] as number) & ~traceFlag
    if (!kindNames.has(kind)) badFrame(`a kind of record, got ${kind}`)
    if (bytes[headerOffset + keyLengthOffset] === 0) badFrame('a key that is not empty')
    const record = new LogRecord(bytes, headerOffset)
    if (record.seq === 0) badFrame('a seq of 1 to 2^48 - 1')
    if (hasRest && isZeros(bytes, fullHeaderOffset, restBytes)) badFrame('a rest that is not zeros')
    record.#checkParts()
    return record
  }

  get kind(): RecordKind {
    const kind = (this.bytes[this.#headerOffset + kindOffset] as number) & ~traceFlag
    return kindNames.get(kind) as RecordKind
  }

  /** Commit time at the authority, ms since 1970. */
  get timeMs(): number {
    return readUint48(this.bytes, this.#headerOffset + timeOffset)
  }

  /**
   * The trace id: of the trace that the write came with, or else the first 16 bytes of the chain
   * hash, by which the record is known everywhere just as well.
   */
  get trace(): Uint8Array {
    const ownOffset = this.#headerOffset + traceOffset
    const at = this.#keyOffset === ownOffset ? chainOffset : ownOffset
    return this.bytes.subarray(at, at + traceBytes)
  }

  /** The key as its ASCII bytes. */
  get keyBytes(): Uint8Array {
    return this.bytes.subarray(this.#keyOffset, this.#headerEnd)
  }

  /** The bytes that go into the chain hash as they are. */
  get header(): Uint8Array {
    return this.bytes.subarray(this.#headerOffset, this.#headerEnd)
  }

  get chainHash(): Uint8Array {
    return this.bytes.subarray(chainOffset, chainOffset + chainBytes)
  }

  /** acc of the dropped parts, zeros when none was dropped. */
  get rest(): Uint8Array {
    if (this.#headerOffset === fullHeaderOffset) return zeroHash
    return this.bytes.subarray(fullHeaderOffset, fullHeaderOffset + restBytes)
  }

  get partCount(): number {
    return (this.bytes[0] as number) & countMask
  }

  /** Each part with its salt and tag: the bytes that its digest covers, in order of tags. */
  parts(): Uint8Array[] {
    const parts: Uint8Array[] = []
    let offset = this.#headerEnd
    while (offset < this.bytes.length) {
      const length = readUint32(this.bytes, offset)
      parts.push(this.bytes.subarray(offset + 4, offset + 4 + length))
      offset += 4 + length
    }
    return parts
  }

  /** How many bytes the record has for a subtree that may see parts up to `ceiling`. */
  bytesUpTo(ceiling: number): number {
    let offset = this.#headerEnd
    // Tags rise: what is above the ceiling stands behind what is not.
    while (offset < this.bytes.length) {
      if ((this.bytes[offset + 4 + saltBytes] as number) > ceiling) break
      offset += 4 + readUint32(this.bytes, offset)
    }
    const hasRest = this.#headerOffset > fullHeaderOffset
    return offset === this.bytes.length || hasRest ? offset : offset + restBytes
  }

  /** True when the record has no part above the ceiling. */
  isWithin(ceiling: number): boolean {
    let last = -1
    for (let offset = this.#headerEnd; offset < this.bytes.length; ) {
      last = this.bytes[offset + 4 + saltBytes] as number
      offset += 4 + readUint32(this.bytes, offset)
    }
    return last <= ceiling
  }

  /** The payload of the part with `tag`, or `undefined` when the record has none (here). */
  payload(tag: number): Uint8Array | undefined {
    for (const part of this.parts()) {
      if (part[saltBytes] === tag) return part.subarray(partHeadBytes)
    }
    return undefined
  }

  /** True when the record belongs to the document whose key these ASCII bytes are. */
  isOf(keyBytes: Uint8Array): boolean {
    const { bytes } = this
    if (bytes[this.#headerOffset + keyLengthOffset] !== keyBytes.length) return false
    const keyOffset = this.#keyOffset
    for (let index = 0; index < keyBytes.length; index++) {
      if (bytes[keyOffset + index] !== keyBytes[index]) return false
    }
    return true
  }

  get #headerEnd(): number {
    return this.#keyOffset + (this.bytes[this.#headerOffset + keyLengthOffset] as number)
  }

  #checkParts(): void {
    const { bytes } = this
    let offset = this.#headerEnd
    let tagBefore = -1
    let count = 0
    while (offset < bytes.length) {
      if (offset + 4 + partHeadBytes > bytes.length) badFrame('a part that ends inside its head')
      const length = readUint32(bytes, offset)
      if (length < partHeadBytes || offset + 4 + length > bytes.length) {
        badFrame(`a part of ${length} bytes at ${offset}, the record has ${bytes.length}`)
      }
      const tag = bytes[offset + 4 + saltBytes] as number
      if (tag <= tagBefore) badFrame(`parts in rising order of tags, got ${tag} after ${tagBefore}`)
      tagBefore = tag
      count++
      offset += 4 + length
    }
    if (offset !== bytes.length) badFrame('a header that ends after its record')
    if (count !== this.partCount) badFrame(`${this.partCount} parts were said, ${count} are there`)
  }
}

/** The bytes of a new record, its chain hash still zeros: `sealRecord` of @fanfold/document fills it. */
export function encodeRecord(fields: RecordFields): Uint8Array {
  const key = encodeUtf8(fields.key)
  assert(key.length > 0 && key.length <= limits.keyBytesMax.value, `a key, got ${fields.key}`)
  const { trace } = fields
  assert(trace === undefined || trace.length === traceBytes, `a trace id of ${traceBytes} bytes`)
  const partsMax = limits.partsPerRecordMax.value
  assert(fields.parts.length <= partsMax, `${partsMax} parts, got ${fields.parts.length}`)
  assert(fields.seq > 0, 'a seq of at least 1')
  const header = fullHeaderOffset
  const keyOffset = header + traceOffset + (trace === undefined ? 0 : traceBytes)
  let length = keyOffset + key.length
  for (const part of fields.parts) length += 4 + partHeadBytes + part.payload.length
  const bytes = new Uint8Array(length)
  bytes[0] = fields.parts.length
  bytes[header] = protocolVersion
  bytes[header + kindOffset] = recordKinds[fields.kind] | (trace === undefined ? 0 : traceFlag)
  bytes[header + keyLengthOffset] = key.length
  writeUint32(bytes, header + epochOffset, fields.epoch)
  writeUint48(bytes, header + seqOffset, fields.seq)
  writeUint48(bytes, header + timeOffset, fields.timeMs)
  if (trace !== undefined) bytes.set(trace, header + traceOffset)
  bytes.set(key, keyOffset)
  let offset = keyOffset + key.length
  for (const part of fields.parts) {
    assert(part.salt.length === saltBytes, `a salt of ${saltBytes} bytes`)
    writeUint32(bytes, offset, partHeadBytes + part.payload.length)
    bytes.set(part.salt, offset + 4)
    bytes[offset + 4 + saltBytes] = part.tag
    bytes.set(part.payload, offset + 4 + partHeadBytes)
    offset += 4 + partHeadBytes + part.payload.length
  }
  return bytes
}

/** Where the chain hash stands in a record's bytes: 32 bytes from here. */
export const recordChainOffset: number = chainOffset

/**
 * Where the document key may stand in a record's bytes, nearest first: it depends on what the record
 * has. For who looks for records among bytes.
 */
export const recordKeyOffsets: readonly number[] = [
  fullHeaderOffset + traceOffset,
  fullHeaderOffset + traceOffset + traceBytes,
  fullHeaderOffset + restBytes + traceOffset,
  fullHeaderOffset + restBytes + traceOffset + traceBytes,
]

/**
 * The record as a subtree below `ceiling` may see it: parts with a higher tag are dropped and `rest`
 * (their acc, 32 bytes) stands in their place. No part is parsed.
 */
export function projectRecord(record: LogRecord, ceiling: number, rest: Uint8Array): Uint8Array {
  const kept = record.parts().filter(part => (part[saltBytes] as number) <= ceiling)
  const { header } = record
  const headerOffset = fullHeaderOffset + restBytes
  let length = headerOffset + header.length
  for (const part of kept) length += 4 + part.length
  const bytes = new Uint8Array(length)
  bytes[0] = restFlag | kept.length
  bytes.set(record.chainHash, chainOffset)
  bytes.set(rest, fullHeaderOffset)
  bytes.set(header, headerOffset)
  let offset = headerOffset + header.length
  for (const part of kept) {
    writeUint32(bytes, offset, part.length)
    bytes.set(part, offset + 4)
    offset += 4 + part.length
  }
  return bytes
}

/** The tag of a part as `parts()` gives it. */
export const tagOf = (part: Uint8Array): number => part[saltBytes] as number

/** A rest of zeros would be a second form of a record without one. */
function isZeros(bytes: Uint8Array, from: number, count: number): boolean {
  for (let at = from; at < from + count; at++) if (bytes[at] !== 0) return false
  return true
}
