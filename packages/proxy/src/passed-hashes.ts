import { after, copyBytes, equalBytes, type Instant, milliseconds } from '@fanfold/kernel'
import { noHash, type RecordRing, type StateHash } from '@fanfold/replication'

/** A parent that has not answered for so long is asked again. */
const answerMax = milliseconds(5_000)

/**
 * What the parent says of the state of one document. A proxy has no state to hash: it passes on what it
 * was told while that is of the last record, and asks once for all children that ask meanwhile.
 */
export class PassedHashes {
  readonly #ring: RecordRing
  #last: StateHash | undefined
  /** Until then an answer is awaited. */
  #answerBy: Instant | undefined

  /** @param ring the records that children were, or will be, sent */
  constructor(ring: RecordRing) {
    this.#ring = ring
  }

  /** The answer for children, if there is one now; `ask` asks the parent, and says whether there is one. */
  answer(now: Instant, ask: () => boolean): StateHash | undefined {
    const last = this.#last
    if (last !== undefined && last.at.seq === this.#ring.lastSeq) {
      const hash = this.#ring.hashAt(last.at.seq)
      if (hash !== undefined && equalBytes(hash, last.at.hash)) return last
    }
    if (this.#answerBy !== undefined && now < this.#answerBy) return undefined
    this.#answerBy = undefined
    if (!ask()) return noHash
    this.#answerBy = after(now, answerMax)
    return undefined
  }

  /** The parent has answered. */
  told({ at, ceiling, hashes }: StateHash): void {
    this.#answerBy = undefined
    // The frame that they came in need not be kept for them.
    this.#last = {
      at: { ...at, hash: copyBytes(at.hash) },
      ceiling,
      hashes: hashes.map(({ tag, hash }) => ({ tag, hash: copyBytes(hash) })),
    }
  }

  /** What is known may be kept no more. */
  forget(): void {
    this.#last = undefined
    this.#answerBy = undefined
  }
}
