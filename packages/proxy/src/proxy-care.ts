import { earliest, type Instant } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import { HeadSignals, type PassedReplays, SafetyRounds } from '@fanfold/replication'

/** What is done by and by, without anything that asks for it; nothing while there is nothing to do. */
export class ProxyCare {
  readonly #heads = new HeadSignals()
  readonly #documents = new SafetyRounds<DocumentKey>()
  readonly #replays = new SafetyRounds<PassedReplays>()

  wakeAt(): Instant | undefined {
    const rounds = earliest(this.#documents.wakeAt(), this.#replays.wakeAt())
    return earliest(rounds, this.#heads.wakeAt())
  }

  /** The document may need a look. */
  note(doc: DocumentKey, now: Instant): void {
    this.#documents.add(doc, now)
  }

  /** Replays may be under way. */
  noteReplays(replays: PassedReplays, now: Instant): void {
    if (replays.count > 0) this.#replays.add(replays, now)
  }

  /** Children of the document were sent records. */
  published(doc: DocumentKey, now: Instant): void {
    this.#heads.published(doc, now)
  }

  /** The document needs no look any more. */
  rests(doc: DocumentKey): void {
    this.#documents.delete(doc)
  }

  /** The document is not served any more. */
  forget(doc: DocumentKey): void {
    this.#heads.forget(doc)
    this.#documents.delete(doc)
  }

  /** Documents whose children are to be told where the head is. */
  headsDue(now: Instant): IterableIterator<DocumentKey> {
    return this.#heads.due(now)
  }

  /** Documents to be looked at. */
  documentsDue(now: Instant): IterableIterator<DocumentKey> {
    return this.#documents.due(now)
  }

  /** Replays to be looked at. */
  *replaysDue(now: Instant): IterableIterator<PassedReplays> {
    for (const replays of this.#replays.due(now)) {
      yield replays
      if (replays.count === 0) this.#replays.delete(replays)
    }
  }
}
