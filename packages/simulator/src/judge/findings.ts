/** Findings of one kind that are kept in words; the others are counted. */
const wordsMax = 20

/** What a judge found to be wrong, counted by kind, the first of each kind in words. */
export class Findings<Kind extends string> {
  readonly #counts = new Map<Kind, number>()
  readonly #words: string[] = []

  /** Notes one; the message names the thing and the numbers. */
  add(kind: Kind, message: string): void {
    const count = this.count(kind) + 1
    this.#counts.set(kind, count)
    if (count <= wordsMax) this.#words.push(`${kind}: ${message}`)
  }

  /** How many there are of a kind. */
  count(kind: Kind): number {
    return this.#counts.get(kind) ?? 0
  }

  /** The first of each kind in words, in the order in which they were found. */
  get words(): readonly string[] {
    return this.#words
  }
}
