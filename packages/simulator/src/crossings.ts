/*
 * Which effects were performed while which faults were on: a machine that is right when nothing is
 * amiss has shown nothing about what it does amid a fault.
 *
 * A fault is at the nodes that it names, at all when it names none, from its beginning to its end.
 * It counts for what is performed there and at their neighbours in the tree. Each node has a bit per
 * kind of fault, so that an effect costs a comparison where nothing is amiss.
 */
import { assert } from '@fanfold/kernel'
import type { Fault, FaultKind } from './fault.ts'

/** Kinds of faults in one world at most: the bits of a mask. */
const kindsMax = 31

/** An effect and a kind of fault that met, and how often. */
export type Crossing = readonly [effect: string, fault: FaultKind, count: number]

/** A node, with the faults that are on there and around it. */
export type Surroundings = { readonly mask: number }

type Node = {
  /** Bits of the kinds that are on here or at a neighbour. */
  mask: number
  /** How many of each kind are on, by bit. */
  readonly on: number[]
  readonly neighbours: Node[]
}

/** The effects of one world, counted by the faults around them. */
export class Crossings {
  /** By bit. */
  readonly #kinds: readonly FaultKind[]
  readonly #nodes = new Map<string, Node>()
  /** Counts of an effect by bit. */
  readonly #counts = new Map<string, number[]>()

  /** @param faults all that will be on in the world */
  constructor(faults: readonly Fault[]) {
    this.#kinds = [...new Set(faults.map(({ kind }) => kind))].sort()
    assert(this.#kinds.length <= kindsMax, `faults of at most ${kindsMax} kinds`)
  }

  /** All effects that met a fault, in alphabetical order. */
  get entries(): readonly Crossing[] {
    return [...this.#counts]
      .flatMap(([effect, counts]) =>
        this.#kinds.map((kind, bit): Crossing => [effect, kind, counts[bit] ?? 0]),
      )
      .filter(([, , count]) => count > 0)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  }

  /** These two are linked, or may be. */
  join(above: string, below: string): void {
    const parent = this.#node(above)
    const child = this.#node(below)
    parent.neighbours.push(child)
    child.neighbours.push(parent)
  }

  /** What is on around a node, now and later. */
  around(node: string): Surroundings {
    return this.#node(node)
  }

  /** An effect is performed where something is on. */
  count(effect: string, { mask }: Surroundings): void {
    let counts = this.#counts.get(effect)
    if (counts === undefined) {
      counts = this.#kinds.map(() => 0)
      this.#counts.set(effect, counts)
    }
    for (let bit = 0; bit < counts.length; bit++) {
      if ((mask >> bit) & 1) counts[bit] = (counts[bit] ?? 0) + 1
    }
  }

  begin(fault: Fault): void {
    this.#change(fault, 1)
  }

  end(fault: Fault): void {
    this.#change(fault, -1)
  }

  #change(fault: Fault, by: 1 | -1): void {
    const bit = this.#kinds.indexOf(fault.kind)
    assert(bit >= 0, `${fault.kind} is a fault of this world`)
    for (const node of this.#placesOf(fault)) {
      const count = (node.on[bit] ?? 0) + by
      assert(count >= 0, `a ${fault.kind} ends after it began`)
      node.on[bit] = count
      for (const one of [node, ...node.neighbours]) one.mask = maskOf(one)
    }
  }

  #placesOf(fault: Fault): Iterable<Node> {
    const named = new Set<Node>()
    for (const value of Object.values(fault).flat()) {
      const node = typeof value === 'string' ? this.#nodes.get(value) : undefined
      if (node !== undefined) named.add(node)
    }
    return named.size > 0 ? named : this.#nodes.values()
  }

  #node(name: string): Node {
    let node = this.#nodes.get(name)
    if (node === undefined) {
      node = { mask: 0, on: [], neighbours: [] }
      this.#nodes.set(name, node)
    }
    return node
  }
}

function maskOf({ on, neighbours }: Node): number {
  let mask = 0
  for (const counts of [on, ...neighbours.map(neighbour => neighbour.on)]) {
    for (let bit = 0; bit < counts.length; bit++) if ((counts[bit] ?? 0) > 0) mask |= 1 << bit
  }
  return mask
}
