/* What the command says to its processes of viewers, and what they answer. */
import type { HistogramParts } from './latency-histogram.ts'
import type { ReplicaView } from './replica-viewer.ts'
import type { SwarmCounts } from './swarm-tally.ts'
import type { Watching } from './swarm-viewer.ts'
import type { CommittedWrite } from './write-ledger.ts'

/** The viewers of one process. */
export type SwarmSettings = {
  readonly urls: readonly string[]
  readonly watching: Watching
  readonly viewers: number
  /** How many of them keep the view. */
  readonly replicas: number
  /** The number of the first viewer among those of all processes: who follows whom at the addresses. */
  readonly firstIndex: number
  /** New connections in a second. */
  readonly rampPerSecond: number
}

/** What a process of viewers is told. */
export type SwarmOrder =
  | { readonly kind: 'open'; readonly settings: SwarmSettings }
  /** Latencies count from now on. */
  | { readonly kind: 'measure' }
  /** Writes of the load test that were committed. */
  | { readonly kind: 'committed'; readonly writes: readonly CommittedWrite[] }
  /** Says how it stands: `endSeq` is what viewers should be at, `withViews` asks for what replicas show. */
  | {
      readonly kind: 'look'
      readonly id: number
      readonly endSeq: number
      readonly withViews: boolean
    }

/** Where the viewers of a process stand. */
export type SwarmLook = {
  readonly counts: SwarmCounts
  readonly live: number
  readonly stale: number
  readonly away: number
  /** Viewers that were shown the document and then refused for good. */
  readonly refused: number
  readonly replicaCount: number
  /** The furthest seq of any viewer, and the sum of all: it grows as long as anybody goes on. */
  readonly seqMax: number
  readonly seqSum: number
  /** Viewers that are live and before `endSeq`. */
  readonly behind: number
  /** Records that viewers lack up to `endSeq`, all together; those of viewers away as well. */
  readonly missing: number
  readonly replicas: readonly ReplicaView[]
  /** Writes of the load test that were the last record of a delta. */
  readonly lastWrites: number
  readonly sinceWrite: HistogramParts
  readonly sinceCommit: HistogramParts
  /** How long deltas had to wait at most for the process itself. */
  readonly waits: HistogramParts
  /** Part of the time since `measure` in which the process did not wait for anything to do, 0 to 1. */
  readonly busy: number
}

/** What a process of viewers says. */
export type SwarmAnswer =
  | { readonly kind: 'counts'; readonly counts: SwarmCounts }
  | { readonly kind: 'looked'; readonly id: number; readonly look: SwarmLook }
