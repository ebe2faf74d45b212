import type { Snapshot } from '@fanfold/document'
import type { ErrorCode, LinkFrame, LogRecord } from '@fanfold/protocol'

/** Why a stream starts anew; a metric label. */
export type ResyncReason =
  | 'gap'
  | 'hash'
  /** A piece of a snapshot was damaged twice. */
  | 'piece'
  /** A snapshot whose digests are right is none. */
  | 'snapshot'
  | 'silence'
  | 'broken'
  | 'ceiling'
  /** What is held is not what the authority has, though every record of it was verified. */
  | 'diverged'

/**
 * By what a stream has caught up with its parent; a metric label. Each one is tried when the ones
 * before it were of no use.
 */
export type Rung = 'tail' | 'snapshot' | 'snapshot-elsewhere' | 'replay'

/** What a state is, in hashes; none where they are not to be had. */
export type StateHash = Pick<
  Extract<LinkFrame, { kind: 'state-hash' }>,
  'at' | 'ceiling' | 'hashes'
>

/** What a stream tells its owner. */
export type UpstreamEvent =
  /** The next records, verified. */
  | { readonly kind: 'records'; readonly records: readonly LogRecord[] }
  /** A verified snapshot that takes the place of everything held; `isApart`, not before `replayed`. */
  | { readonly kind: 'reset'; readonly snapshot: Snapshot; readonly isApart: boolean }
  /** The next records are the log from its first one: they are kept apart from what is held. */
  | { readonly kind: 'replay-began' }
  /** What was kept apart may take the place of what is held. */
  | { readonly kind: 'replayed' }
  /**
   * Less may come than was held, which must be given up now: nothing until the next `reset`. That more
   * may come goes without saying: it begins with a `reset`.
   */
  | { readonly kind: 'ceiling'; readonly ceiling: number }
  /** The parent serves the stream: what is missing comes with the next frames. */
  | { readonly kind: 'joined' }
  /** What the parent had when it was joined is here, so long after the stream began to catch up. */
  | { readonly kind: 'caught-up'; readonly rung: Rung; readonly tookMs: number }
  /** `final` when asking again would not help. */
  | {
      readonly kind: 'refused'
      readonly code: ErrorCode
      readonly message: string
      readonly final: boolean
    }
  /** What the parent says of its state. */
  | { readonly kind: 'state-hash'; readonly answer: StateHash }
  | { readonly kind: 'stale'; readonly stale: boolean; readonly ageMs: number }
  /** A piece of a snapshot was not what the manifest says. */
  | { readonly kind: 'piece-damaged' }
  | { readonly kind: 'resync'; readonly reason: ResyncReason }
