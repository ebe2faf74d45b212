/*
 * Where a node of a world may have documents from, as it would compute it from who is alive: another order of its
 * parents for each document, and other orders and fewer parents after each change of what it knows.
 */
import type { Prng } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import type { Routes } from '@fanfold/replication'

/** The routes of one node. */
export class NodeRoutes implements Routes {
  readonly #parents: readonly string[]
  readonly #prng: Prng
  #shift = 0
  /** Parents of which the node does not know. */
  #unknown = 0

  constructor(parents: readonly string[], prng: Prng) {
    this.#parents = parents
    this.#prng = prng
  }

  routeOf(doc: DocumentKey): readonly string[] {
    const { length } = this.#parents
    const from = (this.#shift + sumOf(doc)) % length
    const order = [...this.#parents.slice(from), ...this.#parents.slice(0, from)]
    return order.slice(0, length - this.#unknown)
  }

  /** What the node knows is otherwise from now on. */
  change(): void {
    const { length } = this.#parents
    this.#shift = this.#prng.below(length)
    this.#unknown = this.#prng.chance(0.3) ? this.#prng.below(length + 1) : 0
  }

  /** The node knows of all its parents. */
  heal(): void {
    this.#unknown = 0
  }
}

const sumOf = (text: string): number => {
  let sum = 0
  for (let index = 0; index < text.length; index++) sum += text.charCodeAt(index)
  return sum
}
