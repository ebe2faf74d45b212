import { after, Deadlines, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'

/** Documents that nobody below wants any more, and when each of them is unused. */
export class Lingering {
  readonly #ms: number
  readonly #due = new Deadlines<DocumentKey>()

  /** @param ms how long a document stays after it was released */
  constructor(ms: number) {
    this.#ms = ms
  }

  /** The document does not linger: somebody wants it, or it is gone. */
  keep(doc: DocumentKey): void {
    this.#due.set(doc, undefined)
  }

  /**
   * Nobody wants the document now: it is unused unless somebody does soon, or before `until`. Said again,
   * it is not soon from then on: else it might be followed for ever for nobody.
   */
  release(doc: DocumentKey, now: Instant, until: Instant): void {
    const lingers = this.#due.get(doc) ?? after(now, milliseconds(this.#ms))
    this.#due.set(doc, until > lingers ? until : lingers)
  }

  wakeAt(): Instant | undefined {
    return this.#due.wakeAt()
  }

  /** The documents that are unused. */
  due(now: Instant): IterableIterator<DocumentKey> {
    return this.#due.due(now)
  }
}

/** Those that come first; the others are still due in the next turn. */
export function* firstOf(
  due: IterableIterator<DocumentKey>,
  count: number,
): IterableIterator<DocumentKey> {
  let left = count
  for (const doc of due) {
    yield doc
    if (--left === 0) return
  }
}
