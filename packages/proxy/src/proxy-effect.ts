import type { ReplicaWorkerInput, WarmEffect, WarmInput } from '@fanfold/document'
import type { DocumentKey, LinkInput, LogRecord } from '@fanfold/protocol'
import type {
  AssemblyLimits,
  FollowerLimits,
  FollowingEffect,
  FollowingFact,
  RouteInput,
  ServingFact,
  TransferLimits,
  TreeAsked,
  TreeTold,
} from '@fanfold/replication'

/** Bounds of a proxy. */
export type ProxyLimits = {
  readonly follower: FollowerLimits
  /** How long a document is followed after its last child has left. */
  readonly lingerMs: number
  /** Documents followed at a time; one more is refused with a time to wait. 100,000 when not said. */
  readonly documentsMax?: number | undefined
  /** Snapshots on their way in; the default ones when not said. */
  readonly assembly?: AssemblyLimits | undefined
  /** Snapshots on their way to children; the default ones when not said. */
  readonly transfer?: TransferLimits | undefined
  /** Replays that are passed on at a time, those that wait too; 64 when not said. */
  readonly replaysMax?: number | undefined
}

/** Documents that a proxy follows at a time, when that is not said. */
export const documentsMaxDefault = 100_000

/** What happens to a proxy: links that were dialled are its parents', the others its children's. */
export type ProxyInput =
  | LinkInput
  | RouteInput
  | ReplicaWorkerInput
  | WarmInput
  | TreeAsked
  /** The node is about to end: what is worth keeping over it is kept now. */
  | { readonly kind: 'closing' }

/** Something that happened at a proxy, for logs and metrics. */
export type ProxyFact =
  | FollowingFact
  | ServingFact
  | {
      readonly event: 'records-forwarded'
      readonly doc: DocumentKey
      readonly records: readonly LogRecord[]
    }

/** What a proxy wants done. */
export type ProxyEffect =
  | FollowingEffect
  | WarmEffect
  | TreeTold
  | { readonly kind: 'fact'; readonly fact: ProxyFact }
