/*
 * So many at a time, and the others in a line: what bounds the commands that are under way.
 */

/** Places that are taken and left, first come first served. */
export class Places {
  #free: number
  readonly #line: (() => void)[] = []

  /** @param count how many there are, at least 1 */
  constructor(count: number) {
    this.#free = count
  }

  /** Does some work in a place of its own, as soon as there is one. */
  async hold<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#line.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#line.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
