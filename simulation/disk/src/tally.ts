/** What happened how often, by name. */
export class Tally {
  readonly #counts = new Map<string, number>()

  /** Every name with its count, in alphabetical order. */
  get entries(): readonly (readonly [name: string, count: number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }
}
