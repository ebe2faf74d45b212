import type { DocumentKey, JoinMode } from '@fanfold/protocol'
import type { ReplayOutcome } from './replays.ts'

/** What a role notes of the children that it serves, for logs and metrics. */
export type ServingFact =
  /** A child's join was answered. */
  | {
      readonly event: 'join-answered'
      readonly doc: DocumentKey
      readonly answer: JoinMode | 'refused'
    }
  /** So many bytes of snapshots went to children. */
  | { readonly event: 'snapshot-sent'; readonly doc: DocumentKey; readonly bytes: number }
  /** A child's replay is over. */
  | { readonly event: 'replay-ended'; readonly doc: DocumentKey; readonly outcome: ReplayOutcome }
  /** A child has said how far behind the commit it has the document. */
  | { readonly event: 'lag-told'; readonly doc: DocumentKey; readonly lagMs: number }
