import type { DocumentKey, ErrorCode, LinkEffect, ViewerEffect } from '@fanfold/protocol'
import type { ResyncReason } from '@fanfold/replication'

/** Something that happened at an edge, for logs and metrics. */
export type EdgeFact =
  | {
      readonly event: 'deltas-delivered'
      readonly deltas: number
      readonly viewers: number
      readonly committedAtMs: number
    }
  | { readonly event: 'resync'; readonly doc: DocumentKey; readonly reason: ResyncReason }
  | {
      readonly event: 'upstream-refused'
      readonly doc: DocumentKey
      readonly code: ErrorCode
      readonly message: string
    }
  /** A viewer was brought up to date after its socket had drained. */
  | { readonly event: 'viewer-caught-up'; readonly doc: DocumentKey }

/** What an edge wants done. */
export type EdgeEffect =
  | LinkEffect
  | ViewerEffect
  | { readonly kind: 'fact'; readonly fact: EdgeFact }
