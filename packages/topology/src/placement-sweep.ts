import type { DocumentKey } from '@fanfold/protocol'

/** A document that is somebody else's now. */
export type MovedDocument = {
  readonly doc: DocumentKey
  readonly from: string | undefined
  readonly to: string | undefined
}

/** Whose a document is; by node id. */
export type OwnerOf = (doc: DocumentKey) => string | undefined

/**
 * Which of the documents that a node holds are somebody else's now, found slice by slice: a million
 * documents are not one turn's work.
 *
 * `before` should say what the holder acts upon, document by document. Then a sweep that another change
 * overtakes is given up for one with the new `after`, and whatever the first one found or had not yet
 * looked at comes out right.
 */
export class PlacementSweep {
  readonly #before: OwnerOf
  readonly #after: OwnerOf
  readonly #docs: Iterator<DocumentKey>
  #isDone = false

  /** @param options `docs` may change meanwhile as the iterator of its collection allows */
  constructor(options: {
    readonly docs: Iterable<DocumentKey>
    readonly before: OwnerOf
    readonly after: OwnerOf
  }) {
    this.#before = options.before
    this.#after = options.after
    this.#docs = options.docs[Symbol.iterator]()
  }

  /** True when every document was looked at. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** Looks at the next `countMax` documents; those of them that moved. */
  next(countMax: number): MovedDocument[] {
    const moved: MovedDocument[] = []
    for (let count = 0; count < countMax && !this.#isDone; count++) {
      const { value: doc, done } = this.#docs.next()
      if (done === true) {
        this.#isDone = true
        break
      }
      const from = this.#before(doc)
      const to = this.#after(doc)
      if (from !== to) moved.push({ doc, from, to })
    }
    return moved
  }
}
