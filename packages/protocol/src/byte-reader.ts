import { decodeUtf8 } from '@fanfold/kernel'
import { badFrame } from './protocol-error.ts'

/** Largest integer that JSON and JavaScript carry exactly. */
const safeHigh = 0x1f_ffff

/**
 * Reads fields of a frame in order, all integers big-endian.
 *
 * Every method throws `ProtocolError` with `FANFOLD_BAD_FRAME` when the bytes end before the field
 * does or the field is not what it must be.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  #offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes
    this.#offset = offset
  }

  /** Where the next field starts. */
  get offset(): number {
    return this.#offset
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.bytes.length - this.#offset
  }

  /** An integer of one byte. */
  uint8(): number {
    return this.bytes[this.#take(1)] as number
  }

  /** An integer of two bytes. */
  uint16(): number {
    const at = this.#take(2)
    return ((this.bytes[at] as number) << 8) | (this.bytes[at + 1] as number)
  }

  /** An integer of four bytes. */
  uint32(): number {
    return readUint32(this.bytes, this.#take(4))
  }

  /** An integer of eight bytes, at most 2⁵³ − 1. */
  uint53(): number {
    const value = readUint53(this.bytes, this.#take(8))
    return value ?? badFrame('an integer of eight bytes is at most 2^53 - 1')
  }

  /** An integer of at most 2⁵³ − 1, as `ByteWriter.varint` writes it: in as few bytes as it takes. */
  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.uint8()
      value += (byte & 0x7f) * scale
      if (scale > 2 ** 49 || value > Number.MAX_SAFE_INTEGER) {
        badFrame('an integer is at most 2^53 - 1')
      }
      if (byte > 0x7f) continue
      if (byte === 0 && scale > 1) badFrame('an integer is in as few bytes as it takes')
      return value
    }
  }

  /** A number as IEEE 754 has it. */
  float64(): number {
    const at = this.#take(8)
    return new DataView(this.bytes.buffer, this.bytes.byteOffset).getFloat64(at)
  }

  /** `count` bytes, as a view of the frame. */
  raw(count: number): Uint8Array {
    const at = this.#take(count)
    return this.bytes.subarray(at, at + count)
  }

  /** Everything that is left, as a view of the frame. */
  rest(): Uint8Array {
    return this.raw(this.remaining)
  }

  /** A text of at most `bytesMax` UTF-8 bytes, behind its length in two bytes. */
  text(bytesMax: number): string {
    const length = this.uint16()
    if (length > bytesMax) badFrame(`a text of at most ${bytesMax} bytes, got ${length}`)
    return decodeUtf8(this.raw(length)) ?? badFrame('a text is well-formed UTF-8')
  }

  #take(count: number): number {
    const at = this.#offset
    if (at + count > this.bytes.length) {
      badFrame(`${count} bytes at ${at}, the frame has ${this.bytes.length}`)
    }
    this.#offset = at + count
    return at
  }
}

/** The big-endian integer of four bytes at `offset`, which must be inside. */
export const readUint32 = (bytes: Uint8Array, offset: number): number =>
  (((bytes[offset] as number) << 24) |
    ((bytes[offset + 1] as number) << 16) |
    ((bytes[offset + 2] as number) << 8) |
    (bytes[offset + 3] as number)) >>>
  0

/** The big-endian integer of eight bytes at `offset`, or `undefined` when it is over 2⁵³ − 1. */
export function readUint53(bytes: Uint8Array, offset: number): number | undefined {
  const high = readUint32(bytes, offset)
  if (high > safeHigh) return undefined
  return high * 0x1_0000_0000 + readUint32(bytes, offset + 4)
}

/** The big-endian integer of six bytes at `offset`, which must be inside. */
export const readUint48 = (bytes: Uint8Array, offset: number): number =>
  (((bytes[offset] as number) << 8) | (bytes[offset + 1] as number)) * 0x1_0000_0000 +
  readUint32(bytes, offset + 2)
