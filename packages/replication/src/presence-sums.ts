import { SmallMap } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'

/**
 * Viewers of each document below a node, as its children count them.
 *
 * Bounded by the documents that children follow: who has left a document counts no more.
 */
export class PresenceSums {
  readonly #byDoc = new Map<DocumentKey, SmallMap<LinkId, number>>()
  /** Documents whose sum has changed since it was taken last. */
  readonly #changed = new Set<DocumentKey>()

  /** Documents with viewers below. */
  get count(): number {
    return this.#byDoc.size
  }

  /** True when a sum has changed since it was taken last. */
  get hasChanges(): boolean {
    return this.#changed.size > 0
  }

  /** The viewers of a document, over all children. */
  of(doc: DocumentKey): number {
    let sum = 0
    for (const [, viewers] of this.#byDoc.get(doc) ?? []) sum += viewers
    return Math.min(sum, Number.MAX_SAFE_INTEGER)
  }

  /** The child counts so many viewers. */
  set(doc: DocumentKey, link: LinkId, viewers: number): void {
    let byLink = this.#byDoc.get(doc)
    if ((byLink?.get(link) ?? 0) === viewers) return
    this.#changed.add(doc)
    if (viewers === 0) {
      this.#remove(doc, link)
      return
    }
    if (byLink === undefined) {
      byLink = new SmallMap()
      this.#byDoc.set(doc, byLink)
    }
    byLink.set(link, viewers)
  }

  /** The child has left the document. */
  leave(doc: DocumentKey, link: LinkId): void {
    this.set(doc, link, 0)
  }

  /** The documents whose sums have changed, with them; each is told once. */
  *takeChanges(): IterableIterator<[DocumentKey, number]> {
    for (const doc of this.#changed) {
      this.#changed.delete(doc)
      yield [doc, this.of(doc)]
    }
  }

  #remove(doc: DocumentKey, link: LinkId): void {
    const byLink = this.#byDoc.get(doc)
    byLink?.delete(link)
    if (byLink?.size === 0) this.#byDoc.delete(doc)
  }
}
