/*
 * The replica worker port: replicas of large documents outside of the event loop.
 *
 * To write a state of some megabytes out, or to read it in, takes longer than a loop may stand still.
 * So for a large document a worker holds a replica of its own: it is opened with a snapshot, fed the
 * records after it, and asked for snapshots of the document, or for what a viewer may see of it. What
 * it makes is of the last record that it was fed before it was asked.
 *
 * The procedure, for each name: `worker-open`, then any number of `worker-feed`, `worker-encode` and
 * `worker-view` in any order, then `worker-close`. Each encode and view is answered once, in the order
 * in which they were asked for, unless the replica is closed before: then it is not. `worker-failed`
 * comes when the replica is of no more use (a record did not apply, the worker ended, there is no
 * room): it is closed by it, and whoever needs it opens it anew.
 *
 * Nobody changes bytes that go in or come out: a worker reads what went in when it gets to it, so that
 * `perform` costs next to nothing. A worker bounds what it holds, and what waits for it; when the first
 * is reached, the replica that was not used for longest fails, at the second the one that waits.
 */
import type { LogRecord } from '@fanfold/protocol'
import type { JsonValue } from './json.ts'
import type { Snapshot } from './snapshot.ts'
import type { PackedPiece } from './snapshot-codec.ts'

/** Names a replica at a worker; the role that opens it chooses one it never used before. */
export type WorkerReplicaId = number & { readonly unit: 'worker replica' }

/** Names a view that was asked for, among those of its replica. */
export type WorkerViewId = number & { readonly unit: 'worker view' }

/** The replica worker port, what to do. */
export type ReplicaWorkerEffect =
  | {
      readonly kind: 'worker-open'
      readonly replica: WorkerReplicaId
      /** Pieces above the labels are not looked at. */
      readonly snapshot: Snapshot
    }
  | {
      readonly kind: 'worker-feed'
      readonly replica: WorkerReplicaId
      /** The next ones, verified. */
      readonly records: readonly LogRecord[]
    }
  | { readonly kind: 'worker-encode'; readonly replica: WorkerReplicaId }
  | {
      readonly kind: 'worker-view'
      readonly replica: WorkerReplicaId
      readonly view: WorkerViewId
      /** Text of the edge variant by which it is shown. */
      readonly variant: Uint8Array
      readonly audience: JsonValue
      readonly clearance: number
      readonly viewState: JsonValue | undefined
    }
  | { readonly kind: 'worker-close'; readonly replica: WorkerReplicaId }

/** The replica worker port, what happened. */
export type ReplicaWorkerInput =
  | {
      readonly kind: 'worker-encoded'
      readonly replica: WorkerReplicaId
      readonly snapshot: Snapshot
      /** Its pieces as links carry them, in their order. */
      readonly packed: readonly PackedPiece[]
    }
  | {
      readonly kind: 'worker-viewed'
      readonly replica: WorkerReplicaId
      readonly view: WorkerViewId
      /** Seq of the record that it shows. */
      readonly seq: number
      /** The view in pieces as those of a snapshot are; undefined when it failed. */
      readonly pieces: readonly Uint8Array[] | undefined
    }
  | {
      readonly kind: 'worker-failed'
      readonly replica: WorkerReplicaId
      readonly message: string
    }

/**
 * What performs the effects; its answers go to `receive`, later and never from inside `perform`.
 *
 * Implementations: worker threads (@fanfold/node), on virtual time (@fanfold/simulator). The suite that
 * each passes is in @fanfold/conformance.
 */
export interface ReplicaWorker {
  /** Starts what the effect says. */
  perform(effect: ReplicaWorkerEffect): void
  /** Frees all it holds; nothing is answered any more. */
  close(): Promise<void>
}

/** How a driver makes a replica worker: it says where the answers go. */
export type ReplicaWorkerFactory = (receive: (input: ReplicaWorkerInput) => void) => ReplicaWorker
