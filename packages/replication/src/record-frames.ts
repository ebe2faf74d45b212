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
  readonly #ceilingMax: number
  #last: (RecordFrame & { readonly from: number; readonly ceiling: number }) | undefined

  /** @param ceilingMax what this node itself may hold of the document */
  constructor(channel: number, ring: RecordRing, chain: Chain, ceilingMax: number) {
    this.#ceilingMax = ceilingMax
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
    assert(ceiling <= this.#ceilingMax, `a ceiling of at most ${this.#ceilingMax}, got ${ceiling}`)
    const records = this.#records(from, to, ceiling)
    const frame = encodeRecordsFrame(this.#channel, records)
    const recordBytes = records.reduce((sum, record) => sum + record.length, 0)
    // What the child checks on its side too (parent-line.ts).
    assert(
      recordBytes <= credit || to === from + 1,
      `a frame of several records is within the credit of ${credit} bytes, got ${recordBytes}`,
    )
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
      assert(record?.seq === seq, `the ring holds the record ${seq}`)
      const projected = this.#chain.project(record, ceiling)
      // What the child checks on its side too (record-check.ts).
      assert(projected.isWithin(ceiling), `record ${seq} has no part above the ceiling ${ceiling}`)
      records.push(projected.bytes)
    }
    return records
  }
}
