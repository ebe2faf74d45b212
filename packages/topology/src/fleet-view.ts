/*
 * Who serves what, as one process sees it: what the roles of a node that is part of a fleet ask. Until enough
 * is known nothing is served here that another node might serve.
 */
import type { DocumentKey, PeerIdentity } from '@fanfold/protocol'
import type { RoutedNode } from './document-routes.ts'
import { defaultFanOutOptions, type FanOutOptions } from './fan-out-budget.ts'
import type { Member, NodeRole } from './member.ts'
import type { NodeWhereabouts } from './node-dialler.ts'
import type { Placement } from './placement.ts'
import { TreeRoutes } from './tree-routes.ts'

/** Why something is not served or not written here now. */
export type FleetProblem = {
  readonly code: 'FANFOLD_COORDINATOR_UNREACHABLE' | 'FANFOLD_NO_AUTHORITY' | 'FANFOLD_MOVED'
  readonly message: string
}

/** What an authority asks of the fleet: whose documents are, and whether it may write. */
export type FleetOwners = {
  /** Why the document is not served here now; undefined when it is this node's. */
  elsewhere(doc: DocumentKey): FleetProblem | undefined
  /** The node whose the document is; undefined while that is not known, and while nobody takes it. */
  ownerOf(doc: DocumentKey): string | undefined
  /** The authority that stands by for a document of this node; undefined where none does. */
  standbyOf(doc: DocumentKey): string | undefined
  /** True where this node stands by for the document of another. */
  isStandby(doc: DocumentKey): boolean
  /** True while another authority stands by for what it would take over. */
  readonly hasStandbys: boolean
  /** Why nothing may be written now; undefined when something may. */
  readonly stall: FleetProblem | undefined
}

/** What a proxy asks of the fleet: where it stands in the tree of each document, and who else is there. */
export type FleetTree = {
  /** The node's name. */
  readonly self: string
  readonly fanOut: FanOutOptions
  /** The nodes above, from the authority on, as far as the parent has said. */
  pathOf(doc: DocumentKey): readonly string[]
  /** Proxies of the region, so many at most, in an order that is this node's own for the document. */
  recruitsFor(doc: DocumentKey, count: number): readonly string[]
  /** True for a node that can be a parent in its region: by what it has announced, not by what its token allows. */
  isProxy(node: string): boolean
}

/** Owners of documents kept at hand; beyond so many they are computed anew. */
const ownersMax = 200_000

/** The fleet, as the roles of one process see it. */
export class FleetView {
  /** Who the process is in the fleet. */
  readonly self: RoutedNode
  /** What an authority serves, and when it may write. */
  readonly owners: FleetOwners
  /** Bounds of the trees of documents. */
  readonly fanOut: FanOutOptions
  readonly #routes = new Map<'proxy' | 'edge', TreeRoutes>()
  readonly #owners = new Map<DocumentKey, string | undefined>()
  readonly #listeners = new Set<() => void>()
  #placement: Placement | undefined
  #hasStandbys = false
  #isSure = false

  constructor(self: RoutedNode, fanOut: FanOutOptions = defaultFanOutOptions) {
    this.self = self
    this.fanOut = fanOut
    const stall = (): FleetProblem | undefined => this.#stall
    const hasStandbys = (): boolean => this.#hasStandbys
    this.owners = {
      elsewhere: doc => this.#elsewhere(doc),
      ownerOf: doc => this.#ownerOf(doc),
      standbyOf: doc => (this.#ownerOf(doc) === this.self.node ? this.#standbyOf(doc) : undefined),
      isStandby: doc => this.#standbyOf(doc) === this.self.node,
      get hasStandbys() {
        return hasStandbys()
      },
      get stall() {
        return stall()
      },
    }
  }

  /** Who serves what; undefined until enough is known. */
  get placement(): Placement | undefined {
    return this.#placement
  }

  /** The routes of one of the roles. */
  routesOf(role: 'proxy' | 'edge'): TreeRoutes {
    const known = this.#routes.get(role)
    if (known !== undefined) return known
    const made = new TreeRoutes(this.self, role, this.fanOut)
    if (this.#placement !== undefined) made.placed(this.#placement)
    this.#routes.set(role, made)
    return made
  }

  /** What the proxy knows of the trees of documents. */
  get tree(): FleetTree {
    const { self, fanOut } = this
    return {
      self: self.node,
      fanOut,
      pathOf: doc => this.routesOf('proxy').tiers.pathOf(doc),
      recruitsFor: (doc, count) => this.#recruitsFor(doc, count),
      isProxy: node => this.#placement?.member(node)?.roles.includes('proxy') === true,
    }
  }

  /** The region's proxies, so many at most, in an order that is this node's own for the document. */
  #recruitsFor(doc: DocumentKey, count: number): readonly string[] {
    const recruits = this.#placement?.recruitsFor(this.self, doc, count) ?? []
    return recruits.map(({ node }) => node)
  }

  /** Nodes that are set otherwise than the fleet: nothing is had from them, and they have nothing from others. */
  get differing(): readonly string[] {
    const placement = this.#placement
    if (placement === undefined) return []
    return this.members.filter(member => placement.differs(member)).map(({ node }) => node)
  }

  /** Where another node is dialled, and its life; undefined for one that is not alive. */
  readonly whereIs = (node: string): NodeWhereabouts | undefined => this.#placement?.member(node)

  /** Whether the peer is the node, and may do by its token what it has announced that it does. */
  readonly isIt = (node: string, peer: PeerIdentity): boolean => {
    const member = this.#placement?.member(node)
    if (member === undefined || peer.node !== node || peer.region !== member.region) return false
    return member.roles.every(role => peer.roles.includes(role))
  }

  /** Where clients write the document, when that is another node. */
  readonly ownerAddressOf = (doc: DocumentKey): string | undefined => {
    const owner = this.#ownerOf(doc)
    if (owner === undefined || owner === this.self.node) return undefined
    const member = this.#placement?.member(owner)
    return member?.publicAddress ?? member?.address
  }

  /** Other nodes that are alive and have the role, those that come next by name, at most so many. */
  peersOf(role: NodeRole, max: number): readonly string[] {
    const { node: self } = this.self
    const peers = this.members.filter(({ node, roles }) => node !== self && roles.includes(role))
    const names = peers.map(({ node }) => node).toSorted()
    const next = names.findIndex(name => name > self)
    const from = next < 0 ? 0 : next
    return [...names.slice(from), ...names.slice(0, from)].slice(0, max)
  }

  /**
   * Calls `changed` each time that who serves what, or whether this node may write, is otherwise, until the
   * returned function is called.
   */
  onChange(changed: () => void): () => void {
    this.#listeners.add(changed)
    return () => this.#listeners.delete(changed)
  }

  /** Calls `placed` each time that who serves what is otherwise. */
  onPlaced(placed: () => void): void {
    let known = this.#placement
    this.#listeners.add(() => {
      if (this.#placement === known) return
      known = this.#placement
      placed()
    })
  }

  /** Who serves what has changed. */
  placed(placement: Placement): void {
    this.#placement = placement
    this.#owners.clear()
    const others = this.members.filter(({ node }) => node !== this.self.node)
    this.#hasStandbys = others.some(({ isHotStandby }) => isHotStandby)
    for (const routes of this.#routes.values()) routes.placed(placement)
    this.#tell()
  }

  /** Whether this node may be sure that the others see it. */
  certain(isSure: boolean): void {
    this.#isSure = isSure
    this.#tell()
  }

  /** All that is known, for whoever looks at the node. */
  get members(): readonly Member[] {
    return [...(this.#placement?.members ?? [])]
  }

  #tell(): void {
    for (const changed of this.#listeners) changed()
  }

  get #stall(): FleetProblem | undefined {
    if (this.#isSure) return undefined
    const message =
      'this node cannot be sure that the others see it, and writes nothing until it is'
    return { code: 'FANFOLD_COORDINATOR_UNREACHABLE', message }
  }

  #elsewhere(doc: DocumentKey): FleetProblem | undefined {
    const placement = this.#placement
    if (placement === undefined) {
      const message = `who serves ${doc} is not known yet: where members meet has not been reached`
      return { code: 'FANFOLD_COORDINATOR_UNREACHABLE', message }
    }
    const owner = this.#ownerOf(doc)
    if (owner === this.self.node) return undefined
    if (owner === undefined) {
      const message = placement.problemOf(doc)?.message ?? `no authority takes ${doc}`
      return { code: 'FANFOLD_NO_AUTHORITY', message }
    }
    return { code: 'FANFOLD_MOVED', message: `${doc} is served by node ${owner}` }
  }

  /** Who is to take the document over, and stands by for that. */
  #standbyOf(doc: DocumentKey): string | undefined {
    const standby = this.#placement?.ownerOf(doc).standby
    return standby?.isHotStandby === true ? standby.node : undefined
  }

  #ownerOf(doc: DocumentKey): string | undefined {
    if (!this.#owners.has(doc)) {
      if (this.#owners.size >= ownersMax) this.#owners.clear()
      this.#owners.set(doc, this.#placement?.ownerNameOf(doc))
    }
    return this.#owners.get(doc)
  }
}
