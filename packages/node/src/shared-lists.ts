/** Lists kept for others to have in common; beyond it all are forgotten, and it begins anew. */
const listsMax = 1_024

/**
 * Lists of texts of which there are few, in values of which there are many: what the tokens of ten thousand
 * viewers allow is mostly the same.
 */
export class SharedLists<Text extends string> {
  readonly #lists = new Map<string, readonly Text[]>()

  /** A list with the same texts, which others may have too: it must not be changed. */
  share(list: readonly Text[]): readonly Text[] {
    const name = JSON.stringify(list)
    const known = this.#lists.get(name)
    if (known !== undefined) return known
    if (this.#lists.size === listsMax) this.#lists.clear()
    // A copy: a list that grew by being pushed to has room that it does not need.
    const kept = Object.freeze([...list])
    this.#lists.set(name, kept)
    return kept
  }
}
