/*
 * Weighted rendezvous hashing: who of several candidates a key belongs to, computed by everybody alone.
 *
 * Each candidate draws a number for the key: an exponential one whose rate is its weight. The lowest wins,
 * so a candidate's share of all keys is its share of all weight, and the draw of one does not depend on who
 * else is there: a candidate that comes takes keys to itself alone, one that goes gives up only its own.
 *
 * Key and name are hashed each by itself and their lanes are mixed, so no text is ever joined of two. A
 * candidate's name is its identity; where it is dialled is not part of it, and may change at will.
 */
import { assert, finalize, hashText } from '@fanfold/kernel'
import { exponential } from './exponential.ts'

/** One that keys may belong to. */
export type Candidate = {
  /** Its identity, unique among the candidates; never an address. */
  readonly name: string
  /** Its share: 0 for never, up to 1,000,000; need not be an integer. */
  readonly weight: number
}

/** No weight is larger. */
export const weightMax = 1_000_000

/** The candidates of one moment. */
export class Rendezvous {
  // In the order of the names, so that the first of equal draws is the one with the least name.
  readonly #names: readonly string[]
  readonly #seedsA: Int32Array
  readonly #seedsB: Int32Array
  readonly #weights: Float64Array

  /** @param candidates in any order; names are unique */
  constructor(candidates: Iterable<Candidate>) {
    const able = [...candidates].filter(({ name, weight }) => {
      assert(
        weight >= 0 && weight <= weightMax,
        `a weight of 0 … ${weightMax}, got ${weight} of ${name}`,
      )
      return weight > 0
    })
    able.sort((one, other) => (one.name < other.name ? -1 : 1))
    this.#names = able.map(({ name }) => name)
    for (const [index, name] of this.#names.entries()) {
      assert(name !== this.#names[index + 1], `each candidate is named once, got ${name} twice`)
    }
    const seeds = able.map(({ name }) => hashText(name))
    this.#seedsA = Int32Array.from(seeds, ({ a }) => a)
    this.#seedsB = Int32Array.from(seeds, ({ b }) => b)
    this.#weights = Float64Array.from(able, ({ weight }) => weight)
  }

  /** Candidates that may win. */
  get count(): number {
    return this.#names.length
  }

  /** Whose the key is; undefined when no candidate has a weight. */
  owner(key: string): string | undefined {
    const { a, b } = hashText(key)
    let best = -1
    let least = Number.POSITIVE_INFINITY
    for (let index = 0; index < this.#names.length; index++) {
      const drawn = this.#draw(index, a, b)
      if (drawn >= least) continue
      least = drawn
      best = index
    }
    return this.#names[best]
  }

  /** The first `count` of those whose the key is: the owner, then who takes over, in order. */
  owners(key: string, count: number): string[] {
    const { a, b } = hashText(key)
    const draws = this.#names.map((name, index) => ({ name, drawn: this.#draw(index, a, b) }))
    // A sort that is stable keeps the order of the names among equal draws.
    draws.sort((one, other) => one.drawn - other.drawn)
    return draws.slice(0, count).map(({ name }) => name)
  }

  #draw(index: number, a: number, b: number): number {
    const crossed = finalize(a ^ (this.#seedsA[index] as number))
    const low = finalize((b ^ (this.#seedsB[index] as number)) + crossed)
    const high = Math.imul(crossed ^ ((low << 16) | (low >>> 16)), 0x9e3779b1)
    return exponential(high ^ (high >>> 15), low) / (this.#weights[index] as number)
  }
}
