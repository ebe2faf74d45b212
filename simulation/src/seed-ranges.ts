/** From the first number to the last one, both included. */
export type SeedRange = readonly [first: number, last: number]

/** Numbers of seeds that were run, as ranges: they come nearly in order, so there are few. */
export class SeedRanges {
  #ranges: SeedRange[] = []

  constructor(ranges: readonly SeedRange[] = []) {
    for (const range of ranges) this.merge(range)
  }

  /** In order, none next to another. */
  get list(): readonly SeedRange[] {
    return this.#ranges
  }

  add(number: number): void {
    this.merge([number, number])
  }

  /** Adds a range of which it has nothing yet. */
  merge(range: SeedRange): void {
    const all = [...this.#ranges, range].sort(([a], [b]) => a - b)
    const joined: SeedRange[] = []
    for (const [first, last] of all) {
      const before = joined.at(-1)
      if (before !== undefined && first <= before[1]) {
        throw new RangeError(`seeds ${first} to ${Math.min(last, before[1])} are counted twice`)
      }
      if (before === undefined || first > before[1] + 1) joined.push([first, last])
      else joined[joined.length - 1] = [before[0], last]
    }
    this.#ranges = joined
  }
}
