import type { EdgeDefinition } from '@fanfold/definition'
import type { ReplicaWorkerEffect, ReplicaWorkerInput } from '@fanfold/document'
import type {
  DocumentKey,
  ErrorCode,
  LinkInput,
  LogRecord,
  SignedVariant,
  ViewerEffect,
  ViewerInput,
} from '@fanfold/protocol'
import type {
  FollowingEffect,
  FollowingFact,
  RouteInput,
  TreeAsked,
  TreeTold,
} from '@fanfold/replication'
import type { CheckKind } from './document-check.ts'
import type { CrowdOutcome } from './document-crowd.ts'
import type { CheckOutcome } from './view-sample.ts'

/** What happens to an edge: all its links are parents'. */
export type EdgeInput =
  | LinkInput
  | RouteInput
  | ViewerInput
  | ReplicaWorkerInput
  | TreeAsked
  /** Tenants may have something else than before; what they have stays. */
  | { readonly kind: 'quotas-changed' }
  /** The rim has verified and run the variant with this name, 64 hexadecimal digits. */
  | { readonly kind: 'variant-loaded'; readonly hash: string; readonly definition: EdgeDefinition }
  /** It may not be run, or cannot. */
  | {
      readonly kind: 'variant-refused'
      readonly hash: string
      readonly code: ErrorCode
      readonly message: string
    }

/** Something that happened at an edge, for logs and metrics. Nothing of it is for viewers. */
export type EdgeFact =
  | FollowingFact
  | {
      readonly event: 'deltas-delivered'
      readonly doc: DocumentKey
      readonly deltas: number
      /** The records that they were made of, as far as they are at hand. */
      readonly records: readonly LogRecord[]
      readonly viewers: number
      readonly cohorts: number
      readonly committedAtMs: number
    }
  /** A view was written out, for one viewer or for many; large ones are written out by the worker. */
  | { readonly event: 'snapshot-made'; readonly bytes: number }
  /** A tenant has as many viewers here as it may, and one more came. */
  | { readonly event: 'quota-refused'; readonly tenant: string; readonly message: string }
  /** The viewers of a tenant were sent as much as they may: they are shown less often from now on. */
  | { readonly event: 'quota-spent'; readonly tenant: string; readonly bytesPerSecondMax: number }
  /** A viewer was brought up to date after its socket had drained. */
  | { readonly event: 'viewer-caught-up'; readonly doc: DocumentKey }
  /** The worker could not make a large view. */
  | { readonly event: 'view-failed'; readonly doc: DocumentKey; readonly code: ErrorCode }
  /** Author's code failed, for a viewer that asked or for a cohort that was shown something. */
  | {
      readonly event: 'rule-failed'
      readonly doc: DocumentKey
      readonly code: ErrorCode
      /** Where in the definition: `/odds`, `view`, `observe.allow`. */
      readonly place: string
      readonly error: unknown
    }
  | { readonly event: 'variant-loaded'; readonly hash: string }
  | {
      readonly event: 'variant-refused'
      readonly hash: string
      readonly code: ErrorCode
      readonly message: string
    }
  /** What the edge holds of a document was compared with its parent's, or what it shows with what it may. */
  | {
      readonly event: `${CheckKind}-checked`
      readonly doc: DocumentKey
      readonly outcome: CheckOutcome
    }
  /** A viewer has said something to a reducer, and it is in the sums. */
  | { readonly event: 'crowd-heard'; readonly doc: DocumentKey }
  /** What a viewer said is in none. */
  | { readonly event: 'crowd-rejected'; readonly doc: DocumentKey; readonly code: ErrorCode }
  /** What became of a window of what viewers said. */
  | {
      readonly event: 'crowd-settled'
      readonly doc: DocumentKey
      readonly outcome: CrowdOutcome
      /** Messages in it. */
      readonly messages: number
    }
  /** The sums of what viewers said could not be written down, by the definition's own code: they are lost. */
  | { readonly event: 'crowd-failed'; readonly doc: DocumentKey; readonly error: unknown }
  /** A document waits for a variant that cannot be had now. */
  | { readonly event: 'variant-missing'; readonly doc: DocumentKey; readonly hash: string }

/** What an edge wants done. */
export type EdgeEffect =
  | FollowingEffect
  | ViewerEffect
  | ReplicaWorkerEffect
  | TreeTold
  /** Verify the variant, run it from memory, and answer with `variant-loaded` or `variant-refused`. */
  | { readonly kind: 'load-variant'; readonly variant: SignedVariant }
  | { readonly kind: 'fact'; readonly fact: EdgeFact }
