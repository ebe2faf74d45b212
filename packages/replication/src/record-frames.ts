import type { Chain } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import { encodeRecordsFrame, limits } from '@fanfold/protocol'
import type { RecordRing } from './record-ring.ts'

/** A frame of records. */
export type RecordFrame = {
  readonly frame: Uint8Array
  /** Seq of its last record. */
  readonly to: number
  /** The records' own bytes, as credit counts them. */
  readonly recordBytes: number
}

/**
 * Frames of a ring's records, as long as the ring stays as it is. The one that was made last is kept: the
 * next child probably wants it too.
 */
export class RecordFrames {
  readonly #channel: number
  readonly #ring: RecordRing
  readonly #chain: Chain
  #last: (RecordFrame & { readonly from: number; readonly ceiling: number }) | undefined

  constructor(channel: number, ring: RecordRing, chain: Chain) {
    this.#channel = channel
    this.#ring = ring
    this.#chain = chain
  }

  /** The records after `from` that fit in one frame and the credit, under this ceiling; at least one. */
  after(
    from: number,
    { credit, ceiling }: { readonly credit: number; readonly ceiling: number },
  ): RecordFrame {
    const to = this.#lastFitting(from, credit, ceiling)
    const last = this.#last
    if (last?.from === from && last.to === to && last.ceiling === ceiling) return last
    const records = this.#records(from, to, ceiling)
    const frame = encodeRecordsFrame(this.#channel, records)
    const recordBytes = records.reduce((sum, record) => sum + record.length, 0)
    this.#last = { frame, from, to, ceiling, recordBytes }
    return this.#last
  }

  /** Records count as they are sent: what frames begin and end with tells nothing of what is left out. */
  #lastFitting(from: number, credit: number, ceiling: number): number {
    let bytes = 0
    let to = from
    while (to < this.#ring.lastSeq) {
      const record = this.#ring.get(to + 1)
      assert(record !== undefined, `the ring holds the record ${to + 1}`)
      bytes += record.bytesUpTo(ceiling) + 4
      if (to > from && (bytes > limits.recordsFrameBytesTarget.value || bytes > credit)) break
      to++
    }
    return to
  }

  #records(from: number, to: number, ceiling: number): Uint8Array[] {
    const records: Uint8Array[] = []
    for (let seq = from + 1; seq <= to; seq++) {
      const record = this.#ring.get(seq)
      assert(record !== undefined, `the ring holds the record ${seq}`)
      records.push(this.#chain.project(record, ceiling).bytes)
    }
    return records
  }
}
