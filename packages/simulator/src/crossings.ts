/*
 * Which effects were performed while which faults were on: a machine that is right when nothing is
 * amiss has shown nothing about what it does amid a fault.
 *
 * A fault is at the nodes that it names, at all when it names none, from its beginning until a while
 * after its end, for what it did is felt then. It counts for what is performed there and at their
 * neighbours in the tree. Each node has a bit per kind of fault, so that an effect costs a comparison
 * where nothing is amiss.
 */
import { assert, type Instant } from '@fanfold/kernel'
import type { Fault, FaultKind } from './fault.ts'

/** Kinds of faults in one world at most: the bits of a mask. */
const kindsMax = 31

/** How long a fault is felt after its end, ms. */
const feltMs = 1_000

/** An effect and a kind of fault that met, and how often. */
export type Crossing = readonly [effect: string, fault: FaultKind, count: number]

/** A node, with the faults that are on there and around it. */
export type Surroundings = { readonly mask: number }

type Node = {
  /** Bits of the kinds that were on here or at a neighbour, and may be still. */
  mask: number
  /** Until when each kind is felt, by bit, µs. */
  readonly until: number[]
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

  /** A fault begins. */
  begin(fault: Fault, now: Instant): void {
    const bit = this.#kinds.indexOf(fault.kind)
    assert(bit >= 0, `${fault.kind} is a fault of this world`)
    const lastingMs = 'forMs' in fault ? fault.forMs : 0
    const until = now + (lastingMs + feltMs) * 1000
    for (const place of this.#placesOf(fault)) {
      for (const node of [place, ...place.neighbours]) {
        node.until[bit] = Math.max(node.until[bit] ?? 0, until)
        node.mask |= 1 << bit
      }
    }
  }

  /** An effect is performed where something may be on. */
  count(effect: string, name: string, now: Instant): void {
    const node = this.#node(name)
    let counts = this.#counts.get(effect)
    if (counts === undefined) {
      counts = this.#kinds.map(() => 0)
      this.#counts.set(effect, counts)
    }
    for (let bit = 0; bit < counts.length; bit++) {
      if (((node.mask >> bit) & 1) === 0) continue
      if (now < (node.until[bit] ?? 0)) counts[bit] = (counts[bit] ?? 0) + 1
      else node.mask &= ~(1 << bit)
    }
  }

  #placesOf(fault: Fault): Iterable<Node> {
    const named = new Set<Node>()
    const values: readonly unknown[] = Object.values(fault).flat()
    for (const value of values) {
      const node = typeof value === 'string' ? this.#nodes.get(value) : undefined
      if (node !== undefined) named.add(node)
    }
    if (named.size > 0) return named
    // A viewer may be at any edge.
    const isOfViewer = values.some(value => typeof value === 'string' && /^viewer-/.test(value))
    return [...this.#nodes].flatMap(([name, node]) =>
      !isOfViewer || name.startsWith('edge-') ? [node] : [],
    )
  }

  #node(name: string): Node {
    let node = this.#nodes.get(name)
    if (node === undefined) {
      node = { mask: 0, until: [], neighbours: [] }
      this.#nodes.set(name, node)
    }
    return node
  }
}
