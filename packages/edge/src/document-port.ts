import type { DocumentKey, ViewerId } from '@fanfold/protocol'
import type { WorkerNames } from '@fanfold/replication'
import type { JoinQueue } from './join-queue.ts'
import type { LargeWork } from './large-work.ts'
import type { ObserversPort } from './observe-request.ts'
import type { ProgressPort } from './progress.ts'
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
