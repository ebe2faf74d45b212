/** What happened how often in a world, by name. */
export class Tally {
  readonly #counts = new Map<string, number>()

  /** How often it happened. */
  count(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  /** Every name with its count, in alphabetical order. */
  get entries(): readonly (readonly [name: string, count: number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  add(name: string, count = 1): void {
    this.#counts.set(name, this.count(name) + count)
  }

  /** A fact that a machine told: its event, and each word that says more of it. */
  note(fact: { readonly event: string }): void {
    this.add(fact.event)
    for (const name of wordFields) {
      const word: unknown = Reflect.get(fact, name)
      if (typeof word === 'string') this.add(`${fact.event} ${word}`)
    }
  }
}

/** Fields of facts that have few values. */
const wordFields = ['reason', 'rung', 'answer', 'outcome', 'way', 'code'] as const
