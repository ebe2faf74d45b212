import type { DocumentKey } from '@fanfold/protocol'

/**
 * Epochs of documents that are not in memory, where their logs do not tell enough of them.
 *
 * One that nodes below may have seen and the log has lost is kept: given again, it would stand for two histories. So is
 * one that this node has claimed: a document that comes back under it was nobody else's meanwhile.
 *
 * Bounded by a count, beyond which the oldest is forgotten. The nodes below that saw a lost one begin anew then by
 * the hash, as after any difference; one of this node's own costs a claim.
 */
export class KeptEpochs {
  readonly #countMax: number
  readonly #epochs = new Map<DocumentKey, number>()

  /** @param countMax documents whose epochs are kept at most */
  constructor(countMax: number) {
    this.#countMax = countMax
  }

  /** Keeps the epoch of a document that leaves memory; 0 keeps nothing. */
  keep(doc: DocumentKey, epoch: number): void {
    if (epoch === 0) return
    const [oldest] = this.#epochs.keys()
    if (oldest !== undefined && this.#epochs.size >= this.#countMax) this.#epochs.delete(oldest)
    this.#epochs.set(doc, epoch)
  }

  /** The epoch of a document that comes into memory, which keeps it from now on; 0 for none. */
  take(doc: DocumentKey): number {
    const epoch = this.#epochs.get(doc) ?? 0
    this.#epochs.delete(doc)
    return epoch
  }
}
