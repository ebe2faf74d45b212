import type { DocumentKey } from '@fanfold/protocol'

/** Documents that one request looks at for one to make room: the next request looks at the next. */
const candidatesMax = 16

/** Documents that may have to leave memory for others, the one longest not looked at first. */
export class SpareDocuments {
  readonly #docs = new Set<DocumentKey>()

  get size(): number {
    return this.#docs.size
  }

  has(doc: DocumentKey): boolean {
    return this.#docs.has(doc)
  }

  add(doc: DocumentKey): void {
    this.#docs.add(doc)
  }

  delete(doc: DocumentKey): void {
    this.#docs.delete(doc)
  }

  /** The first that can go now, if it is one of those longest not looked at. */
  find(canGo: (doc: DocumentKey) => boolean): DocumentKey | undefined {
    let left = candidatesMax
    for (const doc of this.#docs) {
      if (left-- === 0) break
      if (canGo(doc)) return doc
      this.#docs.delete(doc)
      this.#docs.add(doc)
    }
    return undefined
  }
}
