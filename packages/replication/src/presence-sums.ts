import { SmallMap } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'

/**
 * Viewers of each document below a node, as its children count them.
 *
 * Bounded by the documents that children follow: who has left a document counts no more.
 */
export class PresenceSums {
  readonly #byDoc = new Map<DocumentKey, SmallMap<LinkId, number>>()

  /** Documents with viewers below. */
  get count(): number {
    return this.#byDoc.size
  }

  /** The viewers of all documents; who observes two counts twice. */
  get total(): number {
    let sum = 0
    for (const doc of this.#byDoc.keys()) sum += this.of(doc)
    return Math.min(sum, Number.MAX_SAFE_INTEGER)
  }

  /** The viewers of a document, over all children. */
  of(doc: DocumentKey): number {
    let sum = 0
    for (const [, viewers] of this.#byDoc.get(doc) ?? []) sum += viewers
    return Math.min(sum, Number.MAX_SAFE_INTEGER)
  }

  /** The child counts so many viewers. */
  set(doc: DocumentKey, link: LinkId, viewers: number): void {
    if (viewers === 0) {
      this.leave(doc, link)
      return
    }
    let byLink = this.#byDoc.get(doc)
    if (byLink === undefined) {
      byLink = new SmallMap()
      this.#byDoc.set(doc, byLink)
    }
    byLink.set(link, viewers)
  }

  /** The child has left the document. */
  leave(doc: DocumentKey, link: LinkId): void {
    const byLink = this.#byDoc.get(doc)
    byLink?.delete(link)
    if (byLink?.size === 0) this.#byDoc.delete(doc)
  }
}
