/*
 * What the large views of an edge hold in memory.
 *
 * A view of a large document is made once for a cohort, and its frames stay until the slowest viewer
 * that is sent them has taken them. Where many cohorts have slow viewers that is many times the
 * document; so all views of an edge hold at most so many bytes together, and a viewer that needs one
 * more is told to come again. A view that is more than the limit by itself is made while no other is used.
 *
 * Views that nobody waits for or is sent are kept for newcomers, and go first. Of what is used, no
 * document has more than it leaves free, and no tenant more than thrice that, but for the first view of
 * each, which only has to fit. So however slowly the viewers of one read, the others get something: each
 * next document half of what is left.
 */
import { assert } from '@fanfold/kernel'
import { type DocumentKey, documentName } from '@fanfold/protocol'

/** A view that is made, or being made. */
export interface CountedView {
  readonly doc: DocumentKey
  /** It is kept for nobody any more; called while nobody uses it. */
  forget(): void
}

type Count = {
  readonly bytes: number
  /** Whether somebody waits for it or is sent it. */
  readonly isUsed: boolean
}

const nothing: Count = { bytes: 0, isUsed: false }

/** So many times what it leaves free a tenant may have; a document, once. */
const tenantShare = 3

/** The large views of an edge, and whether there is room for one more. */
export class LargeViews {
  readonly #bytesMax: number
  readonly #counts = new Map<CountedView, Count>()
  /** Those that nobody uses, the one that was used longest ago first. */
  readonly #idle = new Set<CountedView>()
  /** Bytes that are used, by document and by tenant. */
  readonly #usedBy = new Map<string, number>()
  #bytes = 0
  #usedBytes = 0

  /** @param bytesMax what all views may hold, but for one that is alone */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** What all hold, or will when they are made. */
  get bytes(): number {
    return this.#bytes
  }

  /** Makes room for one more view of a document, to be used; false when there is none. */
  admit(doc: DocumentKey, bytes: number): boolean {
    if (this.#usedBytes > 0 && !this.#hasRoom(doc, bytes)) return false
    this.#makeRoom(bytes)
    return true
  }

  /** Makes room for a view to hold so many bytes more; false when there is none. */
  grow(view: CountedView, more: number): boolean {
    const { bytes, isUsed } = this.#counts.get(view) ?? nothing
    const others = isUsed ? this.#usedBytes - bytes : this.#usedBytes
    if (others > 0 && others + bytes + more > this.#bytesMax) return false
    this.#makeRoom(more, view)
    return true
  }

  /** Makes room for so many bytes that follow a view: they are no way for a tenant to have more. */
  extend(view: CountedView, more: number): boolean {
    const { bytes, isUsed } = this.#counts.get(view) ?? nothing
    const ofTenant = this.#usedBy.get(documentName(view.doc).tenant) ?? 0
    const free = this.#bytesMax - this.#usedBytes - more
    const isMuch = isUsed && ofTenant > bytes && ofTenant + more > tenantShare * free
    return !isMuch && this.grow(view, more)
  }

  /** Whether a view may be used, by one viewer more: one that was idle takes a share again. */
  mayUse(view: CountedView): boolean {
    const { bytes, isUsed } = this.#counts.get(view) ?? nothing
    return isUsed || this.#usedBytes === 0 || this.#hasRoom(view.doc, bytes)
  }

  /** From now on a view holds so many bytes. */
  count(view: CountedView, bytes: number, isUsed: boolean): void {
    this.#change(view, { bytes, isUsed })
    this.#counts.set(view, { bytes, isUsed })
    if (isUsed) this.#idle.delete(view)
    else this.#idle.add(view)
  }

  /** A view holds nothing any more. */
  forget(view: CountedView): void {
    this.#change(view, nothing)
    this.#counts.delete(view)
    this.#idle.delete(view)
  }

  #hasRoom(doc: DocumentKey, bytes: number): boolean {
    const free = this.#bytesMax - this.#usedBytes - bytes
    if (free < 0) return false
    const ofTenant = this.#usedBy.get(documentName(doc).tenant)
    if (ofTenant === undefined) return true
    if (ofTenant + bytes > tenantShare * free) return false
    const ofDocument = this.#usedBy.get(doc)
    return ofDocument === undefined || ofDocument + bytes <= free
  }

  #makeRoom(bytes: number, except?: CountedView): void {
    for (const view of this.#idle) {
      if (this.#bytes + bytes <= this.#bytesMax) return
      if (view !== except) view.forget()
    }
  }

  #change(view: CountedView, { bytes, isUsed }: Count): void {
    const before = this.#counts.get(view) ?? nothing
    this.#bytes += bytes - before.bytes
    const used = (isUsed ? bytes : 0) - (before.isUsed ? before.bytes : 0)
    if (used === 0) return
    this.#usedBytes += used
    for (const name of [view.doc, documentName(view.doc).tenant]) {
      const sum = (this.#usedBy.get(name) ?? 0) + used
      assert(sum >= 0, `large views of ${name} hold at least nothing, got ${sum} bytes`)
      if (sum === 0) this.#usedBy.delete(name)
      else this.#usedBy.set(name, sum)
    }
  }
}
