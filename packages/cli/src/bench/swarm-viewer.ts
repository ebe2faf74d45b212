import type { Place } from './order-check.ts'

/** One viewer of a load test, whatever it keeps of the document. */
export interface SwarmViewer {
  /**
   * `waiting` before its first view, `live`, `stale` while its server says that what it sees may be old, `away` while it
   * has no connection, `failed` for good.
   */
  readonly state: 'waiting' | 'live' | 'stale' | 'away' | 'failed'
  /** The furthest place that it was at; undefined before its first view. */
  readonly place: Place | undefined
  /** Connects, and comes back whenever it is lost. */
  open(): void
  close(): void
}

/** What all viewers of a load test look at, and how. */
export type Watching = {
  readonly doc: string
  readonly token: string | undefined
  /** JSON; undefined for none. */
  readonly viewState: unknown
  readonly maxRate: number | undefined
}
