import type { DocumentKey } from '@fanfold/protocol'

/**
 * Epochs that nodes below may have seen, of documents that are not in memory and whose logs have lost them:
 * given again, an epoch would stand for two histories. The log tells the next epoch of all others.
 *
 * Bounded by a count, beyond which the oldest is forgotten: the nodes below that saw it begin anew by
 * the hash, as after any difference.
 */
export class LostEpochs {
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
