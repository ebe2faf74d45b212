/** A key in the line, between those who came before and after it. */
type Place<Key> = {
  readonly key: Key
  before: Place<Key> | undefined
  behind: Place<Key> | undefined
}

/**
 * Keys in the order in which they came, each of them once.
 *
 * A `Set` alone would do, but to ask it for its first key again and again costs a walk over all that were
 * deleted before that one; with very many keys that is most of the work.
 */
export class WaitingLine<Key> {
  readonly #places = new Map<Key, Place<Key>>()
  #first: Place<Key> | undefined
  #last: Place<Key> | undefined

  /** Keys that wait. */
  get size(): number {
    return this.#places.size
  }

  /** The key that has waited longest. */
  get first(): Key | undefined {
    return this.#first?.key
  }

  has(key: Key): boolean {
    return this.#places.has(key)
  }

  /** The key comes last, if it does not wait yet. */
  add(key: Key): void {
    if (this.#places.has(key)) return
    const place: Place<Key> = { key, before: this.#last, behind: undefined }
    this.#places.set(key, place)
    if (this.#last === undefined) this.#first = place
    else this.#last.behind = place
    this.#last = place
  }

  /** The key waits no more. */
  delete(key: Key): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    this.#places.delete(key)
    const { before, behind } = place
    if (before === undefined) this.#first = behind
    else before.behind = behind
    if (behind === undefined) this.#last = before
    else behind.before = before
  }
}
