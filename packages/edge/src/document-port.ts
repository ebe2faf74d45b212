import type { Prng, Sha256 } from '@fanfold/kernel'
import type { CohortId, DocumentKey, TransferId, ViewerId } from '@fanfold/protocol'
import type { WorkerNames } from '@fanfold/replication'
import type { FullEdgeLimits } from './edge-limits.ts'
import type { JoinQueue } from './join-queue.ts'
import type { LargeWork } from './large-work.ts'
import type { ObserversPort } from './observe-request.ts'
import type { ProgressPort } from './progress.ts'
import { pointSaltBytes } from './resume-point.ts'
import type { TermsPort } from './terms-source.ts'

/** What a document asks of its edge. */
export type DocumentPort = ProgressPort &
  TermsPort &
  Pick<
    ObserversPort,
    'grantsOf' | 'largeViews' | 'nextTransfer' | 'variantCode' | 'retryAfterMs'
  > & {
    /** Bytes of a state, written out, from which it is large. */
    readonly largeStateBytes: number
    readonly workerNames: WorkerNames
    readonly largeWork: LargeWork
    /** When `tick` is due may have changed, or how many viewers there are. */
    changed(doc: DocumentKey): void
    /** How long what is held may have been old, ms; undefined while it is fresh. */
    staleForMs(doc: DocumentKey): number | undefined
    /** The viewer observes the document no more. */
    ended(doc: DocumentKey, viewer: ViewerId): void
    /** Who waits; a document that adds itself is served in the next slice. */
    readonly joins: JoinQueue
  }

/** The port of an edge's documents: what they share, and names for what they make. */
export function documentPort(
  edge: Pick<
    DocumentPort,
    | 'turn'
    | 'variants'
    | 'joins'
    | 'workerNames'
    | 'largeViews'
    | 'largeWork'
    | 'grantsOf'
    | 'staleForMs'
    | 'ended'
    | 'retryAfterMs'
    | 'changed'
    | 'wallClockMs'
  > & {
    readonly sha256: Sha256
    readonly limits: FullEdgeLimits
    /** Where the salts of positions come from. */
    readonly salts: Prng
    /** Text of a variant; undefined when it is not at hand. */
    readonly variants: DocumentPort['variants'] & { code(hash: string): Uint8Array | undefined }
  },
): DocumentPort {
  const { limits, salts, ...shared } = edge
  let nextCohort = 1
  let nextTransfer = 1
  return {
    ...shared,
    limits: {
      cohortsMax: limits.cohortsPerDocumentMax,
      cachedBytesMax: limits.cachedBytesPerDocumentMax,
    },
    largeStateBytes: limits.largeStateBytes,
    nextCohort: () => nextCohort++ as CohortId,
    nextTransfer: () => nextTransfer++ as TransferId,
    salt: () => salts.bytes(pointSaltBytes),
    wrote: bytes => {
      edge.joins.slice.spend(bytes)
      edge.turn.fact({ event: 'snapshot-made', bytes })
    },
    variantCode: hash => edge.variants.code(hash),
  }
}
