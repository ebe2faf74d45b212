import type { CohortId, TransferId, ViewerId } from '@fanfold/protocol'
import type { Pipe } from './pipe.ts'
import { SignalLane } from './signal-lane.ts'
import type { Connection } from './ways.ts'

/** Signals that wait for one viewer at most. */
const signalsMax = 64

/** Frames for one viewer that go as fast as it takes them. */
type Transfer = { readonly frames: readonly Uint8Array[]; sent: number }

/** One viewer's connection as its rim has it: where it sits, and what waits for it. */
export class RimViewer<Upward, Downward> {
  readonly id: ViewerId
  readonly down: Pipe<Downward>
  /** Cohorts it is in, each with the mark of the last effect that it took there. */
  readonly seats: Map<CohortId, number> = new Map()
  /** Cohorts it left by lagging, until it drains, and where it stood. */
  readonly lost: Map<CohortId, number | undefined> = new Map()
  /** Cohorts that the edge was told of as drained, and of which it has said nothing since. */
  readonly drained: Map<CohortId, number | undefined> = new Map()
  readonly signals: SignalLane = new SignalLane(signalsMax)
  readonly transfers: Map<TransferId, Transfer> = new Map()
  /** What it said while it held more than its budget, or its token was looked at. */
  readonly held: Upward[] = []
  connection: Connection | undefined
  /** A token that it has shown is being looked at: until then nothing else is read. */
  isVerifying = false
  /** When its token ends, ms since 1970, and whether somebody looks now and then. */
  tokenEndsAtMs: number | undefined
  isSwept = false
  /** The viewer has closed its end, the rim its own. */
  hasLeft = false
  isOver = false

  constructor(id: ViewerId, down: Pipe<Downward>) {
    this.id = id
    this.down = down
  }

  /** Whether it is as far as its cohorts are. */
  get isUpToDate(): boolean {
    return this.lost.size === 0 && this.drained.size === 0
  }

  /** Whether it lags in this cohort, or has lagged and is not back yet. */
  isBehind(cohort: CohortId): boolean {
    return this.lost.has(cohort) || this.drained.has(cohort)
  }

  /** The mark by which it stands in a cohort that it is behind in, if it took any. */
  stoodAt(cohort: CohortId): number | undefined {
    return this.lost.get(cohort) ?? this.drained.get(cohort)
  }

  /** Lags no more in this cohort, by word of the edge. */
  settle(cohort: CohortId): void {
    this.lost.delete(cohort)
    this.drained.delete(cohort)
  }

  /** All that it is to have is forgotten. */
  clear(): void {
    this.lost.clear()
    this.drained.clear()
    this.transfers.clear()
    this.signals.takeAll()
  }
}
