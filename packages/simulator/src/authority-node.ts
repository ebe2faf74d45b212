/*
 * An authority of a world: a process that may end and start again, with the logs that outlive it, the
 * definition that it is given each time, and the door for writers.
 */
import type { Authority, AuthorityEffect, AuthorityInput } from '@fanfold/authority'
import { assert } from '@fanfold/kernel'
import { type DocumentKey, labelMax, type WriterEffect, type WriterInput } from '@fanfold/protocol'
import type { BuiltBoard } from './board-variants.ts'
import type { LogDisk } from './log-disk.ts'
import type { Membership } from './membership.ts'
import type { WriterDoor } from './model-writer.ts'
import type { Network } from './network.ts'
import type { MadeNode, NodeMaker } from './node-maker.ts'
import type { ParentLinks } from './parent-links.ts'
import type { SimulatedLogStore } from './simulated-log-store.ts'
import type { Tally } from './tally.ts'
import { TreeNode } from './tree-node.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** A process of the authority. */
type MadeAuthority = MadeNode<AuthorityInput, AuthorityEffect, Authority> & {
  readonly store: SimulatedLogStore
}

/** Who is told what comes of writes. */
export type WritersDoor = {
  answered(effect: WriterEffect): void
  /** The process is gone or about to go, and what was asked of it is not answered any more. */
  lost(): void
}

/** A node at the top. */
export class AuthorityNode implements WriterDoor {
  readonly node: TreeNode
  readonly #tally: Tally
  #made: MadeAuthority | undefined
  #definition: BuiltBoard | undefined
  #door: WritersDoor | undefined

  readonly #wallMs: (node: string) => number

  constructor(options: {
    readonly name: string
    readonly clock: VirtualClock
    /** How fast the node's clock goes, 1 for as fast as the world's. */
    readonly clockRate: number
    readonly network: Network
    readonly maker: NodeMaker
    readonly tally: Tally
    /** The logs, which outlive its processes: its own, or those of all authorities. */
    readonly disk: LogDisk
    /** What a node takes for the time. */
    readonly wallMs: (node: string) => number
    /** Its part in a fleet; undefined where there is none. */
    readonly join?: ((node: TreeNode) => Membership) | undefined
    /** Makes its links to other authorities anew; undefined where there are none. */
    readonly connect?: ((node: TreeNode) => ParentLinks) | undefined
    /** A sync has failed: the process ends. */
    readonly fail: (node: TreeNode) => void
  }) {
    const { name, clock, clockRate, network, maker, tally, disk, wallMs } = options
    const { join, connect, fail } = options
    this.#tally = tally
    this.#wallMs = wallMs
    const node: TreeNode = new TreeNode({
      name,
      clock,
      clockRate,
      network,
      role: 'authority',
      ceiling: labelMax,
      join,
      connect,
      run: () => {
        const made = maker.authority(node, disk, {
          // Who was sent away is not answered any more.
          answer: effect => node.isListening && this.#door?.answered(effect),
          fail: () => fail(node),
          owners: node.member?.view.owners,
        })
        this.#made = made
        const changed = (): void =>
          node.processor.do(() => made.driver.receive({ kind: 'owners-changed' }))
        node.member?.view.onChange(changed)
        this.#load()
        return {
          receive: input => made.driver.receive(input),
          look: input => made.driver.receive(input),
          trap: trap => made.driver.trap(trap),
          drain: () => this.#door?.lost(),
          finish: () => made.finish(),
          stop: () => {
            const { kept, lost } = made.crash()
            this.#tally.add('un-acknowledged records kept', kept)
            this.#tally.add('un-acknowledged records lost', lost)
            this.#door?.lost()
          },
        }
      },
    })
    this.node = node
  }

  /** The process that runs, or the one that ran last. */
  get made(): MadeAuthority {
    assert(this.#made !== undefined, 'the authority was started')
    return this.#made
  }

  /** Counts from now on, also for processes that start later. */
  define(definition: BuiltBoard): void {
    this.#definition = definition
    if (this.node.isUp) this.node.processor.do(() => this.#load())
  }

  /** Who takes the answers to writers. */
  answerTo(door: WritersDoor): void {
    this.#door = door
  }

  get name(): string {
    return this.node.name
  }

  get isListening(): boolean {
    return this.node.isListening
  }

  wallMs(): number {
    return this.#wallMs(this.name)
  }

  leadsTo(doc: DocumentKey): string | undefined {
    return this.node.member?.view.placement?.ownerNameOf(doc)
  }

  /** Hands the process a write; one that is gone, or about to go, takes none. */
  write(input: WriterInput): void {
    const { node } = this
    if (node.isListening) node.processor.do(() => this.made.driver.receive(input))
  }

  #load(): void {
    if (this.#definition === undefined) return
    this.made.driver.receive({ kind: 'definition-loaded', ...this.#definition })
  }
}
