import type { DocumentKey, LinkEffect, ViewerEffect } from '@fanfold/protocol'
import type { FollowingFact } from '@fanfold/replication'

/** Something that happened at an edge, for logs and metrics. */
export type EdgeFact =
  | FollowingFact
  | {
      readonly event: 'deltas-delivered'
      readonly deltas: number
      readonly viewers: number
      readonly committedAtMs: number
    }
  /** A viewer was brought up to date after its socket had drained. */
  | { readonly event: 'viewer-caught-up'; readonly doc: DocumentKey }

/** What an edge wants done. */
export type EdgeEffect =
  | LinkEffect
  | ViewerEffect
  | { readonly kind: 'fact'; readonly fact: EdgeFact }
