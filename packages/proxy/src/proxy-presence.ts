import type { DocumentKey, LinkId } from '@fanfold/protocol'
import { PresenceSums } from '@fanfold/replication'
import type { ProxyDocument } from './proxy-document.ts'

/** How many viewers the documents have below, as children say; the parent is told when it changes. */
export class ProxyPresence {
  readonly #documents: ReadonlyMap<DocumentKey, ProxyDocument>
  readonly #tell: (doc: DocumentKey, viewers: number) => void
  readonly #sums = new PresenceSums()

  constructor(
    documents: ReadonlyMap<DocumentKey, ProxyDocument>,
    tell: (doc: DocumentKey, viewers: number) => void,
  ) {
    this.#documents = documents
    this.#tell = tell
  }

  /** Viewers of all documents. */
  get total(): number {
    return this.#sums.total
  }

  /** Viewers of one document. */
  of(doc: DocumentKey): number {
    return this.#sums.of(doc)
  }

  /** A child says how many the document has at it and below. */
  set(doc: DocumentKey, link: LinkId, viewers: number): void {
    if (!this.#documents.has(doc)) return
    this.#sums.set(doc, link, viewers)
    this.settle(doc)
  }

  /** The child has left the document. */
  leave(doc: DocumentKey, link: LinkId): void {
    this.#sums.leave(doc, link)
  }

  /** The parent is told, if it does not know. */
  settle(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    const viewers = this.#sums.of(doc)
    if (document === undefined || document.viewersTold === viewers) return
    document.viewersTold = viewers
    this.#tell(doc, viewers)
  }
}
