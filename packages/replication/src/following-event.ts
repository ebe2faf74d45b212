import type { DocumentKey, ErrorCode, LinkFrame } from '@fanfold/protocol'
import type { FollowerEvent } from './follower.ts'
import type { ResyncReason, Rung } from './upstream-event.ts'

/** What a state is, in hashes; none where they are not to be had. */
export type StateHash = Pick<
  Extract<LinkFrame, { kind: 'state-hash' }>,
  'at' | 'ceiling' | 'hashes'
>

/** What a followed document tells the role that follows it. */
export type FollowingEvent =
  | FollowerEvent
  /** What the parent says of its state. */
  | { readonly kind: 'state-hash'; readonly answer: StateHash }
  /** The parent is gone, or has come back: how old what is held may be. */
  | { readonly kind: 'staleness' }
  /** Nobody below has wanted the document for a while: the role lets it go. */
  | { readonly kind: 'unused' }

/** What a role notes of the streams that it follows, for logs and metrics. */
export type FollowingFact =
  | { readonly event: 'resync'; readonly doc: DocumentKey; readonly reason: ResyncReason }
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
