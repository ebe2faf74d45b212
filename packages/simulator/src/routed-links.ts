/* A node's links to the nodes of its routes, kept by the dialler that nodes have. */
import type { Instant, Prng } from '@fanfold/kernel'
import type { LinkInput } from '@fanfold/protocol'
import type { ParentEffect } from '@fanfold/replication'
import {
  linkBreakerOptions,
  NodeDialler,
  type NodeDiallerEffect,
  type NodeDiallerInput,
  nodeLingerMsDefault,
} from '@fanfold/topology'
import type { LinkPeer, Network } from './network.ts'
import type { ParentLinks } from './parent-links.ts'
import type { Tally } from './tally.ts'
import type { TreeNode } from './tree-node.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Links as a node keeps them that knows who is where. */
export class RoutedLinks implements ParentLinks {
  readonly #clock: VirtualClock
  readonly #network: Network
  readonly #tally: Tally
  readonly #child: TreeNode
  readonly #parents: ReadonlyMap<string, LinkPeer>
  readonly #dialler: NodeDialler
  #wakeAt: Instant | undefined
  #isStopped = false

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly network: Network
    readonly tally: Tally
    readonly child: TreeNode
    readonly parents: readonly TreeNode[]
  }) {
    this.#clock = options.clock
    this.#network = options.network
    this.#tally = options.tally
    this.#child = options.child
    this.#parents = new Map(options.parents.map(parent => [parent.name, parent]))
    this.#dialler = new NodeDialler({
      whereIs: node => {
        const { incarnation } = this.#parents.get(node)?.identity ?? {}
        return incarnation === undefined ? undefined : { address: node, incarnation }
      },
      isIt: (node, peer) => peer.node === node,
      breaker: linkBreakerOptions,
      lingerMs: nodeLingerMsDefault,
      prng: options.prng,
    })
  }

  start(): void {
    // Whom to dial is said when somebody wants a document.
  }

  want(effect: ParentEffect): void {
    if (effect.kind === 'want-nodes') this.#submit(effect)
  }

  notice(input: LinkInput): void {
    this.#submit(input)
  }

  stop(): void {
    this.#isStopped = true
  }

  #submit(input: NodeDiallerInput): void {
    const effects: NodeDiallerEffect[] = []
    this.#dialler.receive(input, this.#clock.now, effects)
    this.#perform(effects)
  }

  #perform(effects: readonly NodeDiallerEffect[]): void {
    for (const effect of effects) this.#performOne(effect)
    this.#arm()
  }

  #performOne(effect: NodeDiallerEffect): void {
    switch (effect.kind) {
      case 'dial-node': {
        const parent = this.#parents.get(effect.node)
        const link = parent && this.#network.connect(this.#child, parent)
        this.#submit({ kind: 'node-dialled', node: effect.node, link })
        return
      }
      case 'link-close':
        this.#network.perform(effect)
        return
      case 'node-unreachable':
        // The machine may be amid a turn.
        this.#clock.at(this.#clock.now, () => {
          if (!this.#isStopped) this.#child.route(effect)
        })
        return
      case 'node-noted':
        this.#tally.add(effect.event)
    }
  }

  #arm(): void {
    const wakeAt = this.#dialler.wakeAt()
    if (wakeAt === this.#wakeAt) return
    this.#wakeAt = wakeAt
    if (wakeAt === undefined) return
    this.#clock.at(wakeAt > this.#clock.now ? wakeAt : this.#clock.now, () => {
      // Another time has been set since.
      if (this.#isStopped || this.#wakeAt !== wakeAt) return
      this.#wakeAt = undefined
      const effects: NodeDiallerEffect[] = []
      this.#dialler.tick(this.#clock.now, effects)
      this.#perform(effects)
    })
  }
}
