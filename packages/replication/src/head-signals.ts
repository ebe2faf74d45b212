import { after, Deadlines, type Duration, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'

/** From the last record to the head, by the protocol. */
export const headAfter: Duration = milliseconds(1_000)

/**
 * When the children of each document are told where its head is: once, a while after its last record.
 * A document at rest costs nothing, and one that is busy a look at a map for each record.
 */
export class HeadSignals {
  /** When each document that is not told of yet had its last record. */
  readonly #lastAt = new Map<DocumentKey, Instant>()
  readonly #deadlines = new Deadlines<DocumentKey>()

  /** Documents that are to be told of. */
  get count(): number {
    return this.#lastAt.size
  }

  /** The document has records that its children are sent. */
  published(doc: DocumentKey, now: Instant): void {
    if (!this.#lastAt.has(doc)) this.#deadlines.set(doc, after(now, headAfter))
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
      const at = after(lastAt, headAfter)
      if (at > now) {
        this.#deadlines.set(doc, at)
      } else {
        this.#lastAt.delete(doc)
        yield doc
      }
    }
  }
}
