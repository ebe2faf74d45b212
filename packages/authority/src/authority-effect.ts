import type { LogEffect, ReplicaWorkerEffect } from '@fanfold/document'
import type { DocumentKey, ErrorCode, LinkEffect, LogRecord, WriterEffect } from '@fanfold/protocol'
import type { ServingFact, TreeTold } from '@fanfold/replication'

/** Something that happened at an authority, for logs and metrics. */
export type AuthorityFact =
  | ServingFact
  | {
      readonly event: 'committed'
      readonly doc: DocumentKey
      readonly epoch: number
      readonly records: readonly LogRecord[]
    }
  | { readonly event: 'log-full'; readonly doc: DocumentKey; readonly message: string }
  /** A tenant has as many documents here as it may, and one more was asked for. */
  | { readonly event: 'quota-refused'; readonly tenant: string; readonly message: string }
  /** A node below has records that the log has lost: what it has is replaced. */
  | { readonly event: 'log-behind'; readonly doc: DocumentKey; readonly message: string }
  /** An append waits for a log that does not answer; writes are refused until it does. */
  | {
      readonly event: 'log-waits'
      readonly doc: DocumentKey
      readonly code: ErrorCode
      readonly message: string
    }
  /** The document was stood by for, and is this authority's now: what it has of it is read on. */
  | { readonly event: 'standby-took-over'; readonly doc: DocumentKey; readonly seq: number }
  /** There is no room to stand by for one document more. */
  | { readonly event: 'standby-full'; readonly documents: number }
  /** The worker has lost the replica of a large document; it is seeded again when it is needed. */
  | { readonly event: 'shadow-lost'; readonly doc: DocumentKey; readonly message: string }
  | { readonly event: 'snapshot-kept'; readonly doc: DocumentKey; readonly seq: number }
  | {
      /**
       * `definition-refused`: the document cannot take the definition and goes on under the one before.
       * `standby-lost`: the document cannot be followed; it is tried again after a while.
       * `document-overtaken`: another authority wrote after this one had read the log, which is read anew.
       */
      readonly event:
        | 'snapshot-refused'
        | 'document-refused'
        | 'document-overtaken'
        | 'standby-lost'
        | 'definition-refused'
      readonly doc: DocumentKey
      readonly code: ErrorCode
      readonly message: string
    }
  /** What a crowd says was judged. */
  | {
      readonly event: 'crowd-counted'
      readonly doc: DocumentKey
      /** Windows of edges that count now. */
      readonly windows: number
      /** Of the sums. */
      readonly bytes: number
      /** Nothing of it counts: it does not begin where its sessions stand. */
      readonly isRefused: boolean
      /** Sessions that were begun. */
      readonly sessions: number
    }
  /** A sum could not be applied: it has done nothing, and will not. */
  | {
      readonly event: 'sum-failed'
      readonly doc: DocumentKey
      readonly reducer: string
      readonly code: ErrorCode
      readonly message: string
    }
  | { readonly event: 'document-quarantined'; readonly doc: DocumentKey; readonly error: Error }

/** What an authority wants done. */
export type AuthorityEffect =
  | LinkEffect
  | LogEffect
  | ReplicaWorkerEffect
  | WriterEffect
  | TreeTold
  | { readonly kind: 'fact'; readonly fact: AuthorityFact }
