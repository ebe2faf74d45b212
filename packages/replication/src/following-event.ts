import type { DocumentKey, ErrorCode } from '@fanfold/protocol'
import type { FollowerEvent } from './follower.ts'
import type { ResyncReason, Rung } from './upstream-event.ts'

/** What a followed document tells the role that follows it. */
export type FollowingEvent =
  | FollowerEvent
  /** The parent is gone, or has come back: how old what is held may be. */
  | { readonly kind: 'staleness' }
  /** The document's parent stands elsewhere in its tree, or may. */
  | { readonly kind: 'placed' }
  /** The parent has room for those who have the document from this node: they are to go there. */
  | { readonly kind: 'dissolve' }
  /** Nobody below has wanted the document for a while: the role lets it go. */
  | { readonly kind: 'unused' }

/** What a role notes of the streams that it follows, for logs and metrics. */
export type FollowingFact =
  | { readonly event: 'resync'; readonly doc: DocumentKey; readonly reason: ResyncReason }
  /** An assertion failed inside of what is held of the document: it begins anew after a while. */
  | { readonly event: 'document-set-aside'; readonly doc: DocumentKey; readonly error: Error }
  /** A piece of a snapshot arrived damaged. */
  | { readonly event: 'piece-damaged'; readonly doc: DocumentKey }
  | {
      readonly event: 'upstream-refused'
      readonly doc: DocumentKey
      readonly code: ErrorCode
      readonly message: string
    }
  /** The document is where its parent is, by this, so long after it was not. */
  | {
      readonly event: 'caught-up'
      readonly doc: DocumentKey
      readonly rung: Rung
      readonly tookMs: number
    }

/** What is to be noted of what a document told. */
export function noteOf(doc: DocumentKey, event: FollowingEvent): readonly FollowingFact[] {
  switch (event.kind) {
    case 'piece-damaged':
      return [{ event: 'piece-damaged', doc }]
    case 'resync':
      return [{ event: 'resync', doc, reason: event.reason }]
    case 'caught-up':
      return [{ event: 'caught-up', doc, rung: event.rung, tookMs: event.tookMs }]
    case 'refused':
      return [{ event: 'upstream-refused', doc, code: event.code, message: event.message }]
    default:
      return nothing
  }
}

const nothing: readonly FollowingFact[] = []
