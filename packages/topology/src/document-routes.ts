/*
 * Whom a node asks for a document: computed from the placement, by each node alone.
 *
 *   edge ──▶ the region's proxy of the document, else the next ones, else its owner
 *   proxy of rank r ──▶ the proxies of better ranks, else its owner
 *
 * So within one view the links of a document go up, from rank to rank, and never in a circle; and the proxy of
 * the first rank is the only one of its region that asks the owner while all can reach each other. A node asks
 * what it has itself first: an edge its own proxy, a proxy its own authority when that is the owner.
 */
import type { DocumentKey } from '@fanfold/protocol'
import type { NodeRole } from './member.ts'
import type { Placement } from './placement.ts'

/** Proxies of a region that are asked for a document, one after the other. */
const ranksMax = 3
/** Routes kept at hand; beyond so many they are computed anew. */
const routesMax = 200_000
const none: readonly string[] = []

/** Who asks. */
export type RoutedNode = {
  readonly node: string
  readonly region: string
  /** All that the node does. */
  readonly roles: readonly NodeRole[]
}

/** The routes of one role of a node: nodes to ask for a document, the best first. */
export class DocumentRoutes {
  readonly #self: RoutedNode
  readonly #role: 'proxy' | 'edge'
  readonly #known = new Map<DocumentKey, readonly string[]>()
  #placement: Placement | undefined

  constructor(self: RoutedNode, role: 'proxy' | 'edge') {
    this.#self = self
    this.#role = role
  }

  /** Who serves what has changed, or is known for the first time. */
  placed(placement: Placement): void {
    this.#placement = placement
    this.#known.clear()
  }

  /** Nodes to ask for the document, the best first, each once; empty while nothing is known. */
  routeOf(doc: DocumentKey): readonly string[] {
    const placement = this.#placement
    if (placement === undefined) return none
    let route = this.#known.get(doc)
    if (route === undefined) {
      route = this.#compute(doc, placement)
      if (this.#known.size >= routesMax) this.#known.clear()
      this.#known.set(doc, route)
    }
    return route
  }

  #compute(doc: DocumentKey, placement: Placement): readonly string[] {
    const { node, region, roles } = this.#self
    if (this.#role === 'edge' && roles.includes('proxy')) return [node]
    const owner = placement.ownerNameOf(doc)
    if (owner === node) return [node]
    const ranks = placement.regionalProxiesOf(doc, region, ranksMax).map(proxy => proxy.node)
    const own = ranks.indexOf(node)
    const above = own < 0 ? ranks : ranks.slice(0, own)
    return owner === undefined || above.includes(owner) ? above : [...above, owner]
  }
}
