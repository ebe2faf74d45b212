import type { Aggregate } from './aggregate.ts'
import type { Standing } from './ranges.ts'

/** What a node says at a time of what the crowd below it says of one document. */
export type Upward = {
  /** Sessions that are wanted. */
  readonly asked: number
  readonly aggregate: Aggregate | undefined
}

/** What it is answered. */
export type Downward = {
  /** The sessions that were begun: as many as were asked for, or fewer. */
  readonly sessions: readonly number[]
  /** How far all sessions are that the aggregate covers, in their order. */
  readonly standings: readonly Standing[]
}
