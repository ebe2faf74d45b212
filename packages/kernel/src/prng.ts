import { assert } from './assert.ts'

/**
 * Chance from a seed: xoshiro128** (Blackman, Vigna), in 32-bit arithmetic only, so that the same
 * seed gives the same stream on every machine.
 *
 * `fork` makes a stream of its own for each concern: a draw more in one place does not shift the
 * draws of another, which keeps failing runs shrinkable.
 */
export class Prng {
  #a: number
  #b: number
  #c: number
  #d: number

  /** @param seed any text; equal texts give equal streams */
  constructor(seed: string) {
    // FNV-1a over the text feeds splitmix32, whose outputs are never all zero.
    let hash = 0x811c9dc5
    for (let index = 0; index < seed.length; index++) {
      hash = Math.imul(hash ^ seed.charCodeAt(index), 0x01000193)
    }
    const next = (): number => {
      hash = (hash + 0x9e3779b9) | 0
      let mixed = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad)
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
      return (mixed ^ (mixed >>> 15)) >>> 0
    }
    this.#a = next()
    this.#b = next()
    this.#c = next()
    this.#d = next() | 1
  }

  /** An integer of 0 … 2³² − 1. */
  uint32(): number {
    const scaled = Math.imul(this.#b, 5)
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result
  }

  /** A number of 0 (included) … 1 (excluded), with 32 bits. */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000
  }

  /** An integer of 0 … `bound` − 1. */
  below(bound: number): number {
    assert(Number.isInteger(bound) && bound > 0, `a bound is a positive integer, got ${bound}`)
    return Math.floor(this.fraction() * bound)
  }

  /** True with the given probability, 0 … 1. */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** One of `items`, which must not be empty. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }

  /** `count` bytes. */
  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let index = 0; index < count; index++) bytes[index] = this.uint32() & 0xff
    return bytes
  }

  /** A stream of its own for `concern`; takes one draw from this one. */
  fork(concern: string): Prng {
    return new Prng(`${this.uint32()}/${concern}`)
  }
}
