import { after, between, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'

/** For so long it is added up. */
const measuredFor = milliseconds(1_000)

/** What a node sends of documents to others, second by second; at rest nothing is measured. */
export class SentBytes {
  #since: Instant | undefined
  #bytes = new Map<DocumentKey, number>()
  /** Of the last second, bytes per second. */
  #rates: ReadonlyMap<DocumentKey, number> = new Map()

  /** So many bytes of the document were sent, to all children together. */
  sent(doc: DocumentKey, bytes: number, now: Instant): void {
    if (bytes === 0) return
    this.#since ??= now
    this.#bytes.set(doc, (this.#bytes.get(doc) ?? 0) + bytes)
  }

  wakeAt(): Instant | undefined {
    return this.#since === undefined ? undefined : after(this.#since, measuredFor)
  }

  /** What is sent of all documents, bytes per second, once there is something new to say. */
  measure(now: Instant): number | undefined {
    const dueAt = this.wakeAt()
    if (this.#since === undefined || dueAt === undefined || now < dueAt) return undefined
    const seconds = between(this.#since, now) / 1_000_000
    let sum = 0
    const rates = new Map<DocumentKey, number>()
    for (const [doc, bytes] of this.#bytes) {
      rates.set(doc, bytes / seconds)
      sum += bytes / seconds
    }
    this.#rates = rates
    this.#bytes = new Map()
    // That nothing is sent any more is said once.
    this.#since = sum === 0 ? undefined : now
    return sum
  }

  /** What was sent of the document when it was measured last, bytes per second. */
  rateOf(doc: DocumentKey): number {
    return this.#rates.get(doc) ?? 0
  }

  /** The documents of which most was sent then, at most so many, the first one first. */
  most(count: number): DocumentKey[] {
    const sorted = [...this.#rates].toSorted(([, one], [, other]) => other - one)
    return sorted.slice(0, count).map(([doc]) => doc)
  }
}
