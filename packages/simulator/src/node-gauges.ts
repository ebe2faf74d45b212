/*
 * What the nodes of a world hold, by their own count: never more than their limits say while it runs, and
 * nothing once nobody wants anything of them.
 */
import type { AuthorityNode } from './authority-node.ts'
import type { NodeMaker } from './node-maker.ts'
import type { Problems } from './problems.ts'
import type { SimulationOptions } from './simulation-options.ts'
import type { TreeNode } from './tree-node.ts'

/** Frames that are for one viewer alone, whatever its budget, for each of its documents. */
const ownFramesPerDocument = 8

/** The processes of a world that run. */
export type RunningNodes = {
  readonly authorities: readonly AuthorityNode[]
  readonly proxies: ReadonlyMap<TreeNode, ReturnType<NodeMaker['proxy']>>
  readonly edges: ReadonlyMap<TreeNode, ReturnType<NodeMaker['edge']>>
}

type Counted = {
  readonly machine: {
    readonly documentCount: number
    readonly childCount?: number
    readonly streamCount?: number
  }
}

/** Looks at what all nodes hold. */
export class NodeGauges {
  readonly #nodes: RunningNodes
  readonly #options: SimulationOptions
  readonly #problems: Problems

  constructor(options: {
    readonly nodes: RunningNodes
    readonly options: SimulationOptions
    readonly problems: Problems
  }) {
    this.#nodes = options.nodes
    this.#options = options.options
    this.#problems = options.problems
  }

  /** Nobody holds more than it may. */
  look(): void {
    const { authorities, proxies, edges } = this.#nodes
    for (const { name, node, made } of authorities) if (node.isUp) this.#count(name, made)
    for (const [{ name }, made] of proxies) this.#count(name, made)
    for (const [{ name }, made] of edges) {
      this.#count(name, made)
      const { heldBytesMax, largestFrameBytes } = made.rim
      const { viewerBudgetBytes, documentsPerViewer } = this.#options
      const own = ownFramesPerDocument * documentsPerViewer * largestFrameBytes
      this.#expectAtMost(viewerBudgetBytes + own, heldBytesMax, `bytes for one viewer at ${name}`)
    }
  }

  /** What nobody needs any more once all viewers have left, in words. */
  leftovers(): string[] {
    const left: string[] = []
    const expectNone = (count: number, what: string): void => {
      if (count > 0) left.push(`${count} ${what}`)
    }
    const { authorities, proxies, edges } = this.#nodes
    for (const [{ name }, { machine, worker }] of proxies) {
      expectNone(worker.counts.replicas, `worker replicas at ${name}`)
      expectNone(machine.documentCount, `documents at ${name}`)
      expectNone(machine.streamCount, `streams at ${name}`)
    }
    for (const [{ name }, { machine, rim, worker }] of edges) {
      expectNone(worker.counts.replicas, `worker replicas at ${name}`)
      expectNone(machine.documentCount, `documents at ${name}`)
      expectNone(machine.viewerCount, `viewers at ${name}`)
      expectNone(rim.counts.viewers, `connections at ${name}`)
      expectNone(rim.counts.cohorts, `cohorts at the rim of ${name}`)
    }
    for (const { name, made } of authorities) {
      expectNone(made.machine.streamCount, `streams at ${name}`)
      expectNone(made.store.readingCount, `readings of logs by ${name}`)
    }
    return left
  }

  /** Which nodes still wait for something, once rounds that find nothing to do have ended, in words. */
  waiting(): string[] {
    const { proxies, edges } = this.#nodes
    const left: string[] = []
    for (const [{ name }, { machine }] of [...proxies, ...edges]) {
      if (machine.wakeAt() !== undefined) left.push(`something that ${name} waits for`)
    }
    return left
  }

  #count(name: string, { machine }: Counted): void {
    const { documents } = this.#options
    this.#expectAtMost(documents, machine.documentCount, `documents at ${name}`)
    const { childCount = 0, streamCount = 0 } = machine
    this.#expectAtMost(childCount * documents, streamCount, `streams at ${name}`)
  }

  #expectAtMost(most: number, count: number, what: string): void {
    if (count > most) this.#problems.add(`there are ${count} ${what}, at most ${most} may be`)
  }
}
