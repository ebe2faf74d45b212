/*
 * Routes of the nodes of a world: what each node knows of the others changes now and then, for each at times of
 * its own, until faults have stopped.
 */
import { type Duration, milliseconds, type Prng } from '@fanfold/kernel'
import { NodeRoutes } from './node-routes.ts'
import type { Tally } from './tally.ts'
import type { TreeNode } from './tree-node.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** How often what a node knows changes at most. */
const changesMax = 5
/** Parents beside the first one that a node may have at most. */
const othersMax = 3

/** The routes of all nodes that have some. */
export class WorldRoutes {
  readonly #clock: VirtualClock
  readonly #tally: Tally
  readonly #stream: (concern: string) => Prng
  readonly #busyMs: number
  readonly #nodes = new Map<TreeNode, NodeRoutes>()
  #isHealed = false

  constructor(options: {
    readonly clock: VirtualClock
    readonly tally: Tally
    readonly stream: (concern: string) => Prng
    /** How long nodes learn of others, ms. */
    readonly busyMs: number
  }) {
    this.#clock = options.clock
    this.#tally = options.tally
    this.#stream = options.stream
    this.#busyMs = options.busyMs
  }

  /** Some of these, for a node to have beside its first parent. */
  othersOf(node: string, candidates: readonly TreeNode[]): readonly TreeNode[] {
    const prng = this.#stream(`${node} parents`)
    const left = [...candidates]
    const others: TreeNode[] = []
    for (let count = prng.below(othersMax + 1); count > 0 && left.length > 0; count--) {
      others.push(...left.splice(prng.below(left.length), 1))
    }
    return others
  }

  /** The routes of a node that is about to start. */
  give(node: TreeNode, parents: readonly TreeNode[]): NodeRoutes {
    const prng = this.#stream(`${node.name} routes`)
    const names = parents.map(({ name }) => name)
    const routes = new NodeRoutes(names, prng)
    this.#nodes.set(node, routes)
    for (let count = prng.below(changesMax + 1); count > 0; count--) {
      const at = milliseconds(prng.below(Math.ceil(this.#busyMs)))
      this.#clock.in(at as Duration, () => {
        if (this.#isHealed) return
        routes.change()
        this.#tally.add('routes changed')
        node.route({ kind: 'routes-changed' })
      })
    }
    return routes
  }

  /** All nodes know of all their parents from now on. */
  heal(): void {
    this.#isHealed = true
    for (const [node, routes] of this.#nodes) {
      routes.heal()
      node.route({ kind: 'routes-changed' })
    }
  }
}
