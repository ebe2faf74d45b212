/*
 * Bytes between threads. What crosses is copied into a buffer that then changes hands; a buffer for
 * each record would cost more than the records, and one for a snapshot would stand the loop still. So
 * all that waits goes in slices: many small arrays share a slice, a large parcel takes many.
 */
import { assert } from '@fanfold/kernel'

/** A message: what there is to say of it, and bytes. */
export type Parcel<Head> = { readonly head: Head; readonly arrays: readonly Uint8Array[] }

/** What crosses at a time. */
export type ParcelSlice<Head> = {
  /** Parcels that begin in it, each with its number of arrays, which need not end in it. */
  readonly heads: readonly { readonly head: Head; readonly count: number }[]
  /** Bytes of each array in it, one behind the other. */
  readonly lengths: Uint32Array
  /** To be transferred. */
  readonly bytes: ArrayBuffer
}

/** Bytes of a slice; one array is never cut, and may alone be more. Copied in well under a millisecond. */
const sliceBytesMax = 1_048_576
/** Parcels that begin in a slice. */
const sliceHeadsMax = 1_024

/** What a parcel without bytes counts for. */
export const parcelBytesMin = 256

/** Bytes of a parcel, as bounds count them. */
export function parcelBytes({ arrays }: Parcel<unknown>): number {
  let bytes = parcelBytesMin
  for (const array of arrays) bytes += array.length
  return bytes
}

/** Parcels on their way out, in order. */
export class ParcelSlicer<Head> {
  #waiting: Parcel<Head>[] = []
  /** Arrays of the first one that have gone already; undefined before its head has. */
  #begun: number | undefined
  #bytes = 0

  /** Bytes of all parcels that have not gone whole. */
  get bytes(): number {
    return this.#bytes
  }

  push(parcel: Parcel<Head>): void {
    this.#waiting.push(parcel)
    this.#bytes += parcelBytes(parcel)
  }

  /** Takes back the parcels that have not begun to go and of which this is true. */
  withdraw(isMeant: (head: Head) => boolean): void {
    this.#waiting = this.#waiting.filter((parcel, index) => {
      const stays = (index === 0 && this.#begun !== undefined) || !isMeant(parcel.head)
      if (!stays) this.#bytes -= parcelBytes(parcel)
      return stays
    })
  }

  /** The next slice; undefined when nothing waits. */
  next(): ParcelSlice<Head> | undefined {
    const heads: { head: Head; count: number }[] = []
    const arrays: Uint8Array[] = []
    let size = 0
    let gone = 0
    for (const parcel of this.#waiting) {
      if (this.#begun === undefined) {
        if (heads.length === sliceHeadsMax) break
        heads.push({ head: parcel.head, count: parcel.arrays.length })
      }
      let at = this.#begun ?? 0
      for (; at < parcel.arrays.length; at++) {
        const array = parcel.arrays[at] as Uint8Array
        if (size > 0 && size + array.length > sliceBytesMax) break
        arrays.push(array)
        size += array.length
      }
      this.#begun = at
      if (at < parcel.arrays.length) break
      this.#begun = undefined
      this.#bytes -= parcelBytes(parcel)
      gone++
    }
    if (heads.length === 0 && arrays.length === 0) return undefined
    this.#waiting.splice(0, gone)
    return { heads, ...joined(arrays, size) }
  }
}

function joined(
  arrays: readonly Uint8Array[],
  size: number,
): Pick<ParcelSlice<unknown>, 'lengths' | 'bytes'> {
  const lengths = new Uint32Array(arrays.length)
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const [index, array] of arrays.entries()) {
    lengths[index] = array.length
    bytes.set(array, offset)
    offset += array.length
  }
  return { lengths, bytes: bytes.buffer }
}

/** Makes parcels of slices again, on the other side. */
export class ParcelReader<Head> {
  readonly #heads: { readonly head: Head; readonly count: number }[] = []
  #arrays: Uint8Array[] = []

  /** The parcels that are whole with this slice; their arrays are views of what came. */
  take({ heads, lengths, bytes }: ParcelSlice<Head>): Parcel<Head>[] {
    let offset = 0
    for (const length of lengths) {
      this.#arrays.push(new Uint8Array(bytes, offset, length))
      offset += length
    }
    assert(offset === bytes.byteLength, `a slice of ${offset} bytes, got ${bytes.byteLength}`)
    this.#heads.push(...heads)
    const parcels: Parcel<Head>[] = []
    let used = 0
    for (const { head, count } of this.#heads) {
      if (this.#arrays.length - used < count) break
      parcels.push({ head, arrays: this.#arrays.slice(used, used + count) })
      used += count
    }
    this.#heads.splice(0, parcels.length)
    if (used > 0) this.#arrays = this.#arrays.slice(used)
    return parcels
  }
}
