import { SmallMap } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'

/**
 * What children count of each document below a node: viewers, or edges.
 *
 * Bounded by the documents that children follow: who has left a document counts no more.
 */
export class PresenceSums {
  readonly #byDoc = new Map<DocumentKey, SmallMap<LinkId, number>>()

  /** Documents of which there are any below. */
  get count(): number {
    return this.#byDoc.size
  }

  /** Those of all documents; a viewer that observes two counts twice. */
  get total(): number {
    let sum = 0
    for (const doc of this.#byDoc.keys()) sum += this.of(doc)
    return Math.min(sum, Number.MAX_SAFE_INTEGER)
  }

  /** As one child counts. */
  ofChild(doc: DocumentKey, link: LinkId): number {
    return this.#byDoc.get(doc)?.get(link) ?? 0
  }

  /** Those of a document, over all children. */
  of(doc: DocumentKey): number {
    let sum = 0
    for (const [, count] of this.#byDoc.get(doc) ?? []) sum += count
    return Math.min(sum, Number.MAX_SAFE_INTEGER)
  }

  /** The child counts so many. */
  set(doc: DocumentKey, link: LinkId, count: number): void {
    if (count === 0) {
      this.leave(doc, link)
      return
    }
    let byLink = this.#byDoc.get(doc)
    if (byLink === undefined) {
      byLink = new SmallMap()
      this.#byDoc.set(doc, byLink)
    }
    byLink.set(link, count)
  }

  /** The child has left the document. */
  leave(doc: DocumentKey, link: LinkId): void {
    const byLink = this.#byDoc.get(doc)
    byLink?.delete(link)
    if (byLink?.size === 0) this.#byDoc.delete(doc)
  }
}
