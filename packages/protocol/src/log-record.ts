/*
 * One entry of a document's log, in the one form that the disk, every link and every proxy hold:
 *
 *   offset bytes
 *   0      1     count of parts that follow
 *   1      32    rest: acc of the parts that were dropped from the end, zeros when none was
 *   33     32    chain hash
 *   65     1     version (1)              ┐
 *   66     1     kind                     │
 *   67     1     length of the key, k     │
 *   68     4     epoch                    │ the header, as it goes into the chain hash
 *   72     8     seq                      │
 *   80     8     commit time, ms          │
 *   88     16    trace id                 │
 *   104    k     document key, ASCII      ┘
 *          …     parts, each: length in 4 bytes, then salt (16), tag (1), payload
 *
 * What changes when a record is projected to a trust ceiling (the count and `rest`) stands outside
 * the header, so the header's bytes are the same at every hop. How acc, rest and the chain hash
 * follow from the parts is in @fanfold/document.
 *
 * A record is never taken apart to be forwarded: this class is a view of its bytes.
 */
import { assert, encodeUtf8 } from '@fanfold/kernel'
import { readUint32, readUint53 } from './byte-reader.ts'
import { writeUint32, writeUint53 } from './byte-writer.ts'
import type { DocumentKey } from './document-key.ts'
import { limits } from './limits.ts'
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

/** Bytes of a part's salt. */
export const saltBytes = 16

/** Bytes of a trace id (W3C Trace Context). */
export const traceBytes = 16

const restOffset = 1
const chainOffset = 33
const headerOffset = 65
const kindOffset = 66
const keyLengthOffset = 67
const epochOffset = 68
const seqOffset = 72
const timeOffset = 80
const traceOffset = 88
const keyOffset = 104
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
  /** 16 bytes. */
  readonly trace: Uint8Array
  /** In rising order of tags. */
  readonly parts: readonly RecordPart[]
}

/** A record as bytes, with its fields read where they are. */
export class LogRecord {
  /** The whole record; nobody changes it. */
  readonly bytes: Uint8Array
  readonly epoch: number
  readonly seq: number

  private constructor(bytes: Uint8Array, epoch: number, seq: number) {
    this.bytes = bytes
    this.epoch = epoch
    this.seq = seq
  }

  /**
   * A view of `bytes`, which must be exactly one record.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` when they are not. Hashes are not checked here.
   */
  static decode(bytes: Uint8Array): LogRecord {
    if (bytes.length <= keyOffset)
      badFrame(`a record has over ${keyOffset} bytes, got ${bytes.length}`)
    if (bytes.length > limits.recordBytesMax.value) {
      badFrame(`a record has at most ${limits.recordBytesMax.value} bytes, got ${bytes.length}`)
    }
    const version = bytes[headerOffset]
    if (version !== protocolVersion)
      badFrame(`a record of version ${protocolVersion}, got ${version}`)
    const kind = bytes[kindOffset] as number
    if (!kindNames.has(kind)) badFrame(`a kind of record, got ${kind}`)
    const seq = readUint53(bytes, seqOffset)
    if (seq === undefined || seq === 0) badFrame('a seq of 1 to 2^53 - 1')
    if (readUint53(bytes, timeOffset) === undefined) badFrame('a commit time of at most 2^53 - 1')
    if (bytes[keyLengthOffset] === 0) badFrame('a key that is not empty')
    const record = new LogRecord(bytes, readUint32(bytes, epochOffset), seq)
    record.#checkParts()
    return record
  }

  get kind(): RecordKind {
    return kindNames.get(this.bytes[kindOffset] as number) as RecordKind
  }

  /** Commit time at the authority, ms since 1970. */
  get timeMs(): number {
    return readUint53(this.bytes, timeOffset) ?? 0
  }

  get trace(): Uint8Array {
    return this.bytes.subarray(traceOffset, keyOffset)
  }

  /** The key as its ASCII bytes. */
  get keyBytes(): Uint8Array {
    return this.bytes.subarray(keyOffset, this.#headerEnd)
  }

  /** The bytes that go into the chain hash as they are. */
  get header(): Uint8Array {
    return this.bytes.subarray(headerOffset, this.#headerEnd)
  }

  get chainHash(): Uint8Array {
    return this.bytes.subarray(chainOffset, headerOffset)
  }

  /** acc of the dropped parts, zeros when none was dropped. */
  get rest(): Uint8Array {
    return this.bytes.subarray(restOffset, chainOffset)
  }

  get partCount(): number {
    return this.bytes[0] as number
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

  /** The payload of the part with `tag`, or `undefined` when the record has none (here). */
  payload(tag: number): Uint8Array | undefined {
    for (const part of this.parts()) {
      if (part[saltBytes] === tag) return part.subarray(partHeadBytes)
    }
    return undefined
  }

  /** True when the record belongs to the document whose key these ASCII bytes are. */
  isOf(keyBytes: Uint8Array): boolean {
    if (this.bytes[keyLengthOffset] !== keyBytes.length) return false
    for (let index = 0; index < keyBytes.length; index++) {
      if (this.bytes[keyOffset + index] !== keyBytes[index]) return false
    }
    return true
  }

  get #headerEnd(): number {
    return keyOffset + (this.bytes[keyLengthOffset] as number)
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
    if (count !== bytes[0] || count > limits.partsPerRecordMax.value) {
      badFrame(`${bytes[0]} parts were said, ${count} are there`)
    }
  }
}

/** The bytes of a new record, its chain hash still zeros: `sealRecord` of @fanfold/document fills it. */
export function encodeRecord(fields: RecordFields): Uint8Array {
  const key = encodeUtf8(fields.key)
  assert(key.length > 0 && key.length <= limits.keyBytesMax.value, `a key, got ${fields.key}`)
  assert(fields.trace.length === traceBytes, `a trace id of ${traceBytes} bytes`)
  let length = keyOffset + key.length
  for (const part of fields.parts) length += 4 + partHeadBytes + part.payload.length
  const bytes = new Uint8Array(length)
  bytes[0] = fields.parts.length
  bytes[headerOffset] = protocolVersion
  bytes[kindOffset] = recordKinds[fields.kind]
  bytes[keyLengthOffset] = key.length
  writeUint32(bytes, epochOffset, fields.epoch)
  writeUint53(bytes, seqOffset, fields.seq)
  writeUint53(bytes, timeOffset, fields.timeMs)
  bytes.set(fields.trace, traceOffset)
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
 * The record as a subtree below `ceiling` may see it: parts with a higher tag are dropped and `rest`
 * (their acc, 32 bytes) stands in their place. No part is parsed.
 */
export function projectRecord(record: LogRecord, ceiling: number, rest: Uint8Array): Uint8Array {
  const kept = record.parts().filter(part => (part[saltBytes] as number) <= ceiling)
  const headerEnd = headerOffset + record.header.length
  let length = headerEnd
  for (const part of kept) length += 4 + part.length
  const bytes = new Uint8Array(length)
  bytes.set(record.bytes.subarray(0, headerEnd))
  bytes[0] = kept.length
  bytes.set(rest, restOffset)
  let offset = headerEnd
  for (const part of kept) {
    writeUint32(bytes, offset, part.length)
    bytes.set(part, offset + 4)
    offset += 4 + part.length
  }
  return bytes
}

/** The tag of a part as `parts()` gives it. */
export const tagOf = (part: Uint8Array): number => part[saltBytes] as number
