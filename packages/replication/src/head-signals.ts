import { after, Deadlines, type Duration, type Instant } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'

/**
 * When the children of each document are told where its head is: once, a while after its last record.
 * A document at rest costs nothing, and one that is busy a look at a map for each record.
 */
export class HeadSignals {
  readonly #wait: Duration
  /** When each document that is not told of yet had its last record. */
  readonly #lastAt = new Map<DocumentKey, Instant>()
  readonly #deadlines = new Deadlines<DocumentKey>()

  /** @param wait from the last record on; 1 s by the protocol */
  constructor(wait: Duration) {
    this.#wait = wait
  }

  /** Documents that are to be told of. */
  get count(): number {
    return this.#lastAt.size
  }

  /** The document has records that its children are sent. */
  published(doc: DocumentKey, now: Instant): void {
    if (!this.#lastAt.has(doc)) this.#deadlines.set(doc, after(now, this.#wait))
    this.#lastAt.set(doc, now)
  }

  /** The document is served no more, or has no children. */
  forget(doc: DocumentKey): void {
    this.#lastAt.delete(doc)
    this.#deadlines.set(doc, undefined)
  }

  wakeAt(): Instant | undefined {
    return this.#deadlines.wakeAt()
  }

  /** The documents whose children are to be told now. */
  *due(now: Instant): IterableIterator<DocumentKey> {
    for (const doc of this.#deadlines.due(now)) {
      const lastAt = this.#lastAt.get(doc)
      if (lastAt === undefined) continue
      const at = after(lastAt, this.#wait)
      if (at > now) {
        this.#deadlines.set(doc, at)
      } else {
        this.#lastAt.delete(doc)
        yield doc
      }
    }
  }
}
