import type { DocumentKey } from '@fanfold/protocol'
import { Detours } from './detours.ts'
import { DocumentRoutes, type RoutedNode } from './document-routes.ts'
import type { FanOutOptions } from './fan-out-budget.ts'
import type { NodeRole } from './member.ts'
import type { Placement } from './placement.ts'

/** Where one role of a node has documents from: by the placement, or where full nodes have sent it. */
export class TreeRoutes {
  /** Where the node stands in the trees of documents. */
  readonly tiers: Detours
  readonly #routes: DocumentRoutes

  constructor(self: RoutedNode, role: Extract<NodeRole, 'proxy' | 'edge'>, fanOut: FanOutOptions) {
    this.#routes = new DocumentRoutes(self, role)
    this.tiers = new Detours({
      base: doc => this.#routes.routeOf(doc),
      self: self.node,
      options: fanOut,
    })
  }

  /** Nodes to ask for the document, the best first, each once; empty while nothing is known. */
  routeOf(doc: DocumentKey): readonly string[] {
    return this.tiers.routeOf(doc)
  }

  /** Who serves what has changed, or is known for the first time. */
  placed(placement: Placement): void {
    this.#routes.placed(placement)
  }
}
