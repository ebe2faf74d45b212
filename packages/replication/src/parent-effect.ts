import type { ReplicaWorkerEffect } from '@fanfold/document'
import type { LinkEffect } from '@fanfold/protocol'

/**
 * How many parents a node would be connected to: one, or for a while two (its parent says that it goes
 * away, or what it serves of some document is of no use). The driver keeps to it where it knows so many.
 */
export type ParentEffect = { readonly kind: 'want-parents'; readonly count: 1 | 2 }

/** What following documents leads to. */
export type FollowingEffect = LinkEffect | ReplicaWorkerEffect | ParentEffect
