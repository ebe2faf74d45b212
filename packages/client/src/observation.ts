import type { AddOutcome, AnyAddCall } from './add-call.ts'
import type { Change } from './change.ts'
import type { FanfoldError } from './fanfold-error.ts'

/**
 * How near the view is to the document: `connecting` before the first view; `live`; `stale` while
 * the view is there and may be behind; `closed` for good, with an error unless it was asked for.
 */
export type ObservationStatus = 'connecting' | 'live' | 'stale' | 'closed'

/**
 * One document, observed.
 *
 * Views are immutable and share their untouched parts: what is `===` did not change. Iterating gives
 * the changes, beginning with one that carries the whole view; a loop that falls behind by more than
 * `changesMax` gets one such change in place of all it missed. A loop ends when the observation is
 * closed, with a throw when it ended by an error.
 */
export interface Observation<
  View = unknown,
  ViewState = unknown,
  Add extends AnyAddCall = AnyAddCall,
> extends AsyncIterable<Change> {
  readonly doc: string
  /** The view of now; undefined while there is none. */
  readonly view: View | undefined
  /** The place in the document's log that the view shows; 0 while there is none. */
  readonly seq: number
  readonly epoch: number
  readonly status: ObservationStatus
  /** Why it is closed, or is not live, where the server said so; undefined while it is live. */
  readonly error: FanfoldError | undefined
  /** Calls `listener` with each view, the first time at once when there is one; returns what stops it. */
  subscribe(listener: (view: View) => void): () => void
  /**
   * Calls `listener` with the status and the `error` of now, at once and when one of them changes;
   * returns what stops it.
   */
  onStatus(listener: (status: ObservationStatus, error?: FanfoldError) => void): () => void
  /**
   * Asks for another view of the document; the last one asked for counts. The view stays as it is
   * until the other is there, and for good when the server refuses it, which `onError` is told.
   */
  setViewState(viewState: ViewState): void
  /**
   * Says something to a reducer of the document, once: the promise is `counted` when that is in the document's log, or
   * `unknown` when nobody can tell, as when the connection is lost first. It may be left alone.
   *
   * Rejects with the server's code when it is not heard (`FANFOLD_OVERLOADED` and `FANFOLD_BUSY` may be over a moment
   * later); with `FANFOLD_NOT_SENT` while there is no connection, with `FANFOLD_TOO_MANY_IN_FLIGHT` when too much waits.
   */
  add(...call: Add): Promise<AddOutcome>
  /** Leaves the document. */
  close(): void
}
