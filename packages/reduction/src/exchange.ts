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
  /** The first of the sessions that were begun, which are numbered on from it; 0 when none was. */
  readonly firstSession: number
  /** How many were begun: those that were asked for, or fewer. */
  readonly sessions: number
  /** How far all sessions are that the aggregate covers, in their order. */
  readonly standings: readonly Standing[]
}
