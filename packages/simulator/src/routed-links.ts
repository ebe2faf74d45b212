/* A node's links to the nodes of its routes, kept by the dialler that nodes have. */
import type { Instant, Prng } from '@fanfold/kernel'
import type { LinkId, LinkInput, PeerIdentity } from '@fanfold/protocol'
import type { ParentEffect } from '@fanfold/replication'
import {
  linkBreakerOptions,
  NodeDialler,
  type NodeDiallerEffect,
  type NodeDiallerInput,
  type NodeWhereabouts,
  nodeLingerMsDefault,
} from '@fanfold/topology'
import type { Membership } from './membership.ts'
import type { LinkPeer, Network } from './network.ts'
import type { ParentLinks } from './parent-links.ts'
import type { Tally } from './tally.ts'
import type { TreeNode } from './tree-node.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** What a node knows of those that it may dial. */
export type Surroundings = {
  readonly whereIs: (node: string) => NodeWhereabouts | undefined
  readonly isIt: (node: string, peer: PeerIdentity) => boolean
  /** Who is dialled by this name. */
  readonly peer: (node: string) => LinkPeer | undefined
  /** Calls `moved` each time that documents are had from others, or others are elsewhere. */
  readonly onMoved: (moved: () => void) => void
  /** A node was lost, or not reached: it may be gone. */
  readonly lost: (node: string) => void
  /** These nodes are alive and cannot be reached, and no others. */
  readonly cutOff: (nodes: readonly string[]) => void
}

/** Those that a node was given, which are always where they are. */
export function given(parents: readonly TreeNode[]): Surroundings {
  const byName = new Map(parents.map(parent => [parent.name, parent]))
  return {
    whereIs: node => {
      const { incarnation } = byName.get(node)?.identity ?? {}
      return incarnation === undefined ? undefined : { address: node, incarnation }
    },
    isIt: (node, peer) => peer.node === node,
    peer: node => byName.get(node),
    onMoved: () => undefined,
    lost: () => undefined,
    cutOff: () => undefined,
  }
}

/** Those that a member of a fleet knows to be alive. */
export const known = (member: Membership, peer: Surroundings['peer']): Surroundings => ({
  whereIs: member.view.whereIs,
  isIt: member.view.isIt,
  peer,
  onMoved: moved => member.view.onPlaced(moved),
  lost: node => member.lost(node),
  cutOff: nodes => member.cutOff(nodes),
})

/** Links as a node keeps them that knows who is where. */
export class RoutedLinks implements ParentLinks {
  readonly #clock: VirtualClock
  readonly #network: Network
  readonly #tally: Tally
  readonly #child: TreeNode
  readonly #surroundings: Surroundings
  readonly #dialler: NodeDialler
  /** Links that were dialled and are not closed. */
  readonly #own = new Set<LinkId>()
  #wakeAt: Instant | undefined
  #isStopped = false

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly network: Network
    readonly tally: Tally
    readonly child: TreeNode
    readonly surroundings: Surroundings
  }) {
    this.#clock = options.clock
    this.#network = options.network
    this.#tally = options.tally
    this.#child = options.child
    this.#surroundings = options.surroundings
    const { whereIs, isIt, onMoved } = options.surroundings
    onMoved(() => {
      if (this.#isStopped) return
      this.#child.route({ kind: 'routes-changed' })
      this.#submit({ kind: 'addresses-changed' })
    })
    this.#dialler = new NodeDialler({
      whereIs,
      isIt,
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

  /** True for a link that was dialled by this. */
  isOwn(link: LinkId): boolean {
    return this.#own.has(link)
  }

  notice(input: LinkInput): boolean {
    if (input.kind === 'link-closed') this.#own.delete(input.link)
    const wasStranger = this.#dialler.isStranger(input.link)
    this.#submit(input)
    return !wasStranger && !this.#dialler.isStranger(input.link)
  }

  stop(): void {
    this.#isStopped = true
  }

  #submit(input: NodeDiallerInput): void {
    const effects: NodeDiallerEffect[] = []
    this.#dialler.receive(input, this.#child.time.now, effects)
    this.#perform(effects)
  }

  #perform(effects: readonly NodeDiallerEffect[]): void {
    for (const effect of effects) this.#performOne(effect)
    this.#arm()
  }

  #performOne(effect: NodeDiallerEffect): void {
    switch (effect.kind) {
      case 'dial-node': {
        const parent = this.#surroundings.peer(effect.node)
        const link = parent && this.#network.connect(this.#child, parent)
        if (link !== undefined) this.#own.add(link)
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
      case 'cut-off-changed':
        this.#surroundings.cutOff(effect.nodes)
        return
      case 'node-noted':
        this.#tally.add(effect.event)
        if (effect.event !== 'node-connected') this.#surroundings.lost(effect.node)
    }
  }

  #arm(): void {
    const wakeAt = this.#dialler.wakeAt()
    if (wakeAt === this.#wakeAt) return
    this.#wakeAt = wakeAt
    if (wakeAt === undefined) return
    this.#clock.at(this.#child.time.worldAt(wakeAt), () => {
      // Another time has been set since.
      if (this.#isStopped || this.#wakeAt !== wakeAt) return
      this.#wakeAt = undefined
      const effects: NodeDiallerEffect[] = []
      this.#dialler.tick(this.#child.time.now, effects)
      this.#perform(effects)
    })
  }
}
