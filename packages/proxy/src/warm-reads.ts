import type { WarmEffect } from '@fanfold/document'
import { after, Deadlines, type EffectSink, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'
import type { JoinRequest } from '@fanfold/replication'

/** How long a document may be looked for in the store before it is followed without. */
const readMaxMs = 1_000

/** Documents that children ask for, and that are looked for in the warm store first. */
export class WarmReads {
  /** Who waits for each; of one link only the last join counts. */
  readonly #waiting = new Map<DocumentKey, Map<LinkId, JoinRequest>>()
  readonly #deadlines = new Deadlines<DocumentKey>()

  /** Documents that are looked for. */
  get count(): number {
    return this.#waiting.size
  }

  wakeAt(): Instant | undefined {
    return this.#deadlines.wakeAt()
  }

  /** The child waits for the document; it is looked for once. */
  wait(
    doc: DocumentKey,
    request: JoinRequest,
    now: Instant,
    effects: EffectSink<WarmEffect>,
  ): void {
    let waiting = this.#waiting.get(doc)
    if (waiting === undefined) {
      waiting = new Map()
      this.#waiting.set(doc, waiting)
      this.#deadlines.set(doc, after(now, milliseconds(readMaxMs)))
      effects.push({ kind: 'warm-read', doc })
    }
    waiting.set(request.link, request)
  }

  /** The child does not want the document any more; when nobody does, it is not waited for. */
  leave(doc: DocumentKey, link: LinkId): void {
    const waiting = this.#waiting.get(doc)
    if (waiting?.delete(link) === true && waiting.size === 0) this.take(doc)
  }

  /** Who waits for the document, and then waits no more. */
  take(doc: DocumentKey): readonly JoinRequest[] {
    const waiting = [...(this.#waiting.get(doc)?.values() ?? [])]
    this.#waiting.delete(doc)
    this.#deadlines.set(doc, undefined)
    return waiting
  }

  /** The documents that have been looked for long enough. */
  overdue(now: Instant): IterableIterator<DocumentKey> {
    return this.#deadlines.due(now)
  }
}
