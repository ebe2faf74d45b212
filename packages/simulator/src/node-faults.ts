/* What goes wrong with the nodes of a world: how each fault begins and how it ends. */
import { assert, type Duration, milliseconds } from '@fanfold/kernel'
import { encodeLinkFrame } from '@fanfold/protocol'
import { linkSilence, type Network } from './network.ts'
import type { DiskFault, NodeFault, ProcessFault } from './node-fault.ts'
import type { Processor } from './processor.ts'
import type { Tally } from './tally.ts'
import type { TreeNode } from './tree-node.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { WallClocks } from './wall-clocks.ts'

/** How long a node that goes waits for its children to be elsewhere. */
const handOverMs = 250
const handOverFrame = encodeLinkFrame({
  kind: 'signal',
  signal: 'hand-over',
  doc: undefined,
  value: handOverMs,
})

/** A node that waits for its log looks so often whether it is done. */
const finishLookMs = 1

/** Faults of nodes, as they come and go. */
export class NodeFaults {
  readonly #clock: VirtualClock
  readonly #network: Network
  readonly #tally: Tally
  readonly #wallClocks: WallClocks
  readonly #nodes = new Map<string, TreeNode>()
  readonly #active = new Set<NodeFault>()
  /** Processors that faults have stopped or slowed down. */
  readonly #processors = new Map<NodeFault, Processor>()

  constructor(options: {
    readonly clock: VirtualClock
    readonly network: Network
    readonly tally: Tally
    readonly wallClocks: WallClocks
  }) {
    this.#clock = options.clock
    this.#network = options.network
    this.#tally = options.tally
    this.#wallClocks = options.wallClocks
  }

  /** A node to which something may happen. */
  add(node: TreeNode): void {
    this.#nodes.set(node.name, node)
  }

  /** Whether a fault of this kind is on at a node. */
  isOn(kind: NodeFault['kind'], node: string): boolean {
    for (const fault of this.#active) if (fault.kind === kind && fault.node === node) return true
    return false
  }

  /** Something goes wrong now. */
  begin(fault: NodeFault): void {
    const node = this.#node(fault.node)
    this.#active.add(fault)
    switch (fault.kind) {
      case 'crash':
        this.crash(node)
        return
      case 'drain':
        this.#drain(node)
        return
      case 'crash-at':
        this.#crashAt(node, fault)
        return
      case 'pause':
        if (!node.isUp) return
        this.#processors.set(fault, node.processor)
        node.processor.pause()
        this.#network.pause(node)
        return
      case 'slow':
        this.#processors.set(fault, node.processor)
        node.processor.slow(fault.inputMicros)
        return
      case 'wall-clock':
        this.#wallClocks.begin(fault)
        return
      default:
        node.disk.begin(fault satisfies DiskFault)
    }
  }

  /** What went wrong is over. */
  end(fault: NodeFault): void {
    const node = this.#node(fault.node)
    this.#active.delete(fault)
    const processor = this.#processors.get(fault)
    this.#processors.delete(fault)
    switch (fault.kind) {
      case 'crash':
      case 'drain':
      case 'crash-at':
        break
      case 'pause':
        processor?.resume()
        if (fault.forMs * 1000 > linkSilence.max) this.#tally.add('pause longer than links wait')
        if (!node.processor.isPaused) this.#network.resume(node)
        return
      case 'slow':
        processor?.slow(0)
        return
      case 'wall-clock':
        this.#wallClocks.end(fault)
        return
      default:
        node.disk.end(fault satisfies DiskFault)
        if (fault.kind !== 'disk-broken') return
    }
    if (!node.isUp) node.start()
  }

  /** A node is gone at this moment; one that has ended already stays so. */
  crash(node: TreeNode): void {
    if (!node.isUp) return
    this.#tally.add(`${node.role} ended`)
    node.stop()
  }

  /** Those whom it serves hear of it a moment before. */
  #drain(node: TreeNode): void {
    if (!node.isUp) return
    const { incarnation } = node
    this.#tally.add(`${node.role} drained`)
    node.drain()
    this.#network.signalBelow(node, 'hand-over', handOverFrame)
    const waitMs = node.role === 'edge' ? 0 : handOverMs
    this.#clock.in(milliseconds(waitMs), () => this.#closeOnceDone(node, incarnation))
  }

  /** What it has begun is done first, if it takes until the fault is over or longer. */
  #closeOnceDone(node: TreeNode, incarnation: number): void {
    if (!node.isUp || node.incarnation !== incarnation) return
    if (!node.finish()) {
      this.#clock.in(milliseconds(finishLookMs), () => this.#closeOnceDone(node, incarnation))
      return
    }
    node.close()
    if (!this.isOn('drain', node.name)) node.start()
  }

  #crashAt(node: TreeNode, fault: Extract<ProcessFault, { kind: 'crash-at' }>): void {
    const { side, what, count, node: name } = fault
    node.trap({
      moment: { side, what, count },
      isSet: () => this.#active.has(fault),
      spring: () => {
        this.#tally.add(`${node.role} ended ${side} ${what}`)
        this.#tally.add(`${node.role} ended amid its work`)
        const { incarnation } = node
        // The machine has stopped amid its turn; the rest of the process goes when that is over.
        this.#clock.in(0 as Duration, () => {
          assert(node.incarnation === incarnation, `${name} is not started before it has ended`)
          this.crash(node)
          if (!this.#active.has(fault)) node.start()
        })
      },
    })
  }

  #node(name: string): TreeNode {
    const node = this.#nodes.get(name)
    assert(node !== undefined, `${name} is a node of this world`)
    return node
  }
}
