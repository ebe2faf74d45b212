import type { Instant, Prng } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import { Slice } from './slice.ts'
import type { WaitingTally } from './waiting-viewers.ts'

/** The viewers of all documents that wait to be let in, and the slice of now. */
export class JoinQueue {
  readonly slice: Slice
  readonly tally: WaitingTally = { count: 0 }
  /** Documents with viewers that wait for their turn, the next one first. */
  readonly #documents = new Set<DocumentKey>()

  /** @param sliceBytes where a slice ends */
  constructor(sliceBytes: number) {
    this.slice = new Slice(sliceBytes)
  }

  /** True while somebody waits for the next slice. */
  get isDue(): boolean {
    return this.#documents.size > 0
  }

  /** The document's turn is in the next slice. */
  add(doc: DocumentKey): void {
    this.#documents.add(doc)
  }

  /** True until then. */
  has(doc: DocumentKey): boolean {
    return this.#documents.has(doc)
  }

  /** The document is followed no more. */
  delete(doc: DocumentKey): void {
    this.#documents.delete(doc)
  }

  /** The next slice: documents that have had a turn in it may add themselves again. */
  serve(now: Instant, serve: (doc: DocumentKey) => void): void {
    this.slice.renew(now)
    for (const doc of [...this.#documents]) {
      if (this.slice.isSpent) return
      this.#documents.delete(doc)
      serve(doc)
    }
  }
}

const comeAgainMs = { base: 500, spread: 2_000 }

/** Says when one for whom there is no room may come again, ms: to each another time. */
export const comeAgain =
  (prng: Prng): (() => number) =>
  () =>
    comeAgainMs.base + prng.below(comeAgainMs.spread)
