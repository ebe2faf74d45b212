import type { Snapshot } from '@fanfold/document'
import type { ErrorCode, LogRecord } from '@fanfold/protocol'

/** Why a stream starts anew; a metric label. */
export type ResyncReason = 'gap' | 'hash' | 'piece' | 'silence' | 'broken' | 'ceiling'

/** What a stream tells its owner. */
export type UpstreamEvent =
  /** The next records, verified. */
  | { readonly kind: 'records'; readonly records: readonly LogRecord[] }
  /** A verified snapshot that takes the place of everything held. */
  | { readonly kind: 'reset'; readonly snapshot: Snapshot }
  /**
   * Less may come than was held, which must be given up now: nothing until the next `reset`. That more
   * may come goes without saying: it begins with a `reset`.
   */
  | { readonly kind: 'ceiling'; readonly ceiling: number }
  /** The parent serves the stream: what is missing comes with the next frames. */
  | { readonly kind: 'joined' }
  /** `final` when asking again would not help. */
  | {
      readonly kind: 'refused'
      readonly code: ErrorCode
      readonly message: string
      readonly final: boolean
    }
  | { readonly kind: 'stale'; readonly stale: boolean; readonly ageMs: number }
  | { readonly kind: 'resync'; readonly reason: ResyncReason }
