import type { ReplicaWorkerEffect } from '@fanfold/document'
import type { LinkEffect } from '@fanfold/protocol'

/** To whom a node would be connected. The driver keeps to it, as far as it knows where they are. */
export type ParentEffect =
  /**
   * How many of the parents that it was given: one, or for a while two (its parent says that it goes away,
   * or what it serves of some document is of no use).
   */
  | { readonly kind: 'want-parents'; readonly count: 1 | 2 }
  /** Which nodes, where documents have routes: all that are wanted, in the order of their names. */
  | { readonly kind: 'want-nodes'; readonly nodes: readonly string[] }

/** What a node that follows documents by routes is told of them. */
export type RouteInput =
  /** Documents may have other routes from now on. */
  | { readonly kind: 'routes-changed' }
  /** Nobody was reached at a node that is wanted; it is dialled again and again as long as it is. */
  | { readonly kind: 'node-unreachable'; readonly node: string }

/** What following documents leads to. */
export type FollowingEffect = LinkEffect | ReplicaWorkerEffect | ParentEffect
