import type { WorkerReplicaId, WorkerViewId } from '@fanfold/document'
import type { DocumentKey } from '@fanfold/protocol'

/** What replicas and views at the worker are called, none twice, and which document a replica is of. */
export class WorkerNames {
  /** At most one for each document. */
  readonly #docs = new Map<WorkerReplicaId, DocumentKey>()
  #next = 1

  /** Replicas that have names. */
  get count(): number {
    return this.#docs.size
  }

  /** A new name, for a replica of this document. */
  take(doc: DocumentKey): WorkerReplicaId {
    const id = this.#next++ as WorkerReplicaId
    this.#docs.set(id, doc)
    return id
  }

  /** The worker knows nothing by this name any more: what is still answered is nobody's. */
  free(id: WorkerReplicaId): void {
    this.#docs.delete(id)
  }

  /** The document that has this name; undefined for one that is free. */
  docOf(id: WorkerReplicaId): DocumentKey | undefined {
    return this.#docs.get(id)
  }

  /** A name for a view that is asked for. */
  nextView(): WorkerViewId {
    return this.#next++ as WorkerViewId
  }
}
