import { assert, encodeUtf8 } from '@fanfold/kernel'

/** Builds a frame field by field, all integers big-endian; the counterpart of `ByteReader`. */
export class ByteWriter {
  #bytes: Uint8Array
  #length = 0

  /** @param sizeHint bytes to set aside; it grows when they do not suffice */
  constructor(sizeHint = 256) {
    this.#bytes = new Uint8Array(sizeHint)
  }

  uint8(value: number): this {
    assert(value >= 0 && value <= 0xff, `an integer of one byte, got ${value}`)
    // The place first: reserving may put another array in the place of this one.
    const at = this.#reserve(1)
    this.#bytes[at] = value
    return this
  }

  uint16(value: number): this {
    assert(value >= 0 && value <= 0xffff, `an integer of two bytes, got ${value}`)
    const at = this.#reserve(2)
    this.#bytes[at] = value >>> 8
    this.#bytes[at + 1] = value
    return this
  }

  uint32(value: number): this {
    const at = this.#reserve(4)
    writeUint32(this.#bytes, at, value)
    return this
  }

  uint53(value: number): this {
    const at = this.#reserve(8)
    writeUint53(this.#bytes, at, value)
    return this
  }

  /** An integer of 0 … 2⁵³ − 1, seven bits a byte, the lowest first; the top bit says that more follow. */
  varint(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, `an integer of 0 to 2^53 - 1, got ${value}`)
    let rest = value
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.uint8((rest % 0x80) | 0x80)
    return this.uint8(rest)
  }

  /** A number as IEEE 754 has it, in eight bytes. */
  float64(value: number): this {
    const at = this.#reserve(8)
    new DataView(this.#bytes.buffer, this.#bytes.byteOffset).setFloat64(at, value)
    return this
  }

  raw(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  /** A text behind its length in two bytes. */
  text(text: string): this {
    const bytes = encodeUtf8(text)
    return this.uint16(bytes.length).raw(bytes)
  }

  /** What was written, as an array of its own. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    return at
  }
}

/** Writes an integer of 0 … 2³² − 1 in four bytes at `offset`. */
export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  assert(value >= 0 && value <= 0xffff_ffff, `an integer of four bytes, got ${value}`)
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

/** Writes an integer of 0 … 2⁵³ − 1 in eight bytes at `offset`. */
export function writeUint53(bytes: Uint8Array, offset: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `an integer of 0 to 2^53 - 1, got ${value}`)
  writeUint32(bytes, offset, Math.floor(value / 0x1_0000_0000))
  writeUint32(bytes, offset + 4, value % 0x1_0000_0000)
}

/** Writes an integer of 0 … 2⁴⁸ − 1 in six bytes at `offset`. */
export function writeUint48(bytes: Uint8Array, offset: number, value: number): void {
  const isInside = Number.isInteger(value) && value >= 0 && value < 2 ** 48
  assert(isInside, `an integer of 0 to 2^48 - 1, got ${value}`)
  const high = Math.floor(value / 0x1_0000_0000)
  bytes[offset] = high >>> 8
  bytes[offset + 1] = high
  writeUint32(bytes, offset + 2, value % 0x1_0000_0000)
}
