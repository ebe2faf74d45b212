/*
 * The way of one who joins through a tree: it asks a node, which takes it, names others, or refuses.
 *
 * Who was named last is asked first, so a walk goes down before it tries elsewhere; nobody is asked twice, so it
 * ends; and after `asksMax` it ends anyway, to begin anew later, after a wait that is its owner's.
 */
import { assert } from '@fanfold/kernel'

/** Nodes that one walk asks, unless said otherwise. */
export const joinAsksMaxDefault = 16

/** Whom to ask next. */
export class JoinWalk {
  readonly #asksMax: number
  readonly #asked = new Set<string>()
  /** Last to be asked first. */
  #places: string[]

  /** @param places where it begins, best first */
  constructor(places: readonly string[], asksMax: number = joinAsksMaxDefault) {
    assert(asksMax >= 1, `a walk asks somebody, got asksMax ${asksMax}`)
    this.#asksMax = asksMax
    this.#places = places.toReversed()
  }

  /** Nodes that were asked. */
  get askedCount(): number {
    return this.#asked.size
  }

  /** The walk has come to this node, whoever has sent it there: it is asked no more. */
  visited(node: string): void {
    this.#asked.add(node)
  }

  /** The node to ask now; undefined when the walk is over. */
  next(): string | undefined {
    while (this.#asked.size < this.#asksMax) {
      const place = this.#places.pop()
      if (place === undefined) return undefined
      if (this.#asked.has(place)) continue
      this.#asked.add(place)
      return place
    }
    return undefined
  }

  /** The node that was asked names others, best first. */
  redirected(to: readonly string[]): void {
    this.#places = [...this.#places, ...to.toReversed()].slice(-this.#asksMax)
  }
}
