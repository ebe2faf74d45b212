import type { WorkerReplicaId, WorkerViewId } from '@fanfold/document'
import type { DocumentKey } from '@fanfold/protocol'

/** What replicas and views at the worker are called, none twice, and which document a replica is of. */
export class WorkerNames {
  /** At most one for each document that is followed. */
  readonly #documents = new Map<WorkerReplicaId, DocumentKey>()
  #next = 1

  /** Replicas that are open. */
  get count(): number {
    return this.#documents.size
  }

  /** A name for a replica that is about to be opened. */
  open(doc: DocumentKey): WorkerReplicaId {
    const replica = this.#next++ as WorkerReplicaId
    this.#documents.set(replica, doc)
    return replica
  }

  /** The replica is not there any more: what is still answered of it is nobody's. */
  close(replica: WorkerReplicaId): void {
    this.#documents.delete(replica)
  }

  /** The document that a replica is of; undefined for one that is closed. */
  documentOf(replica: WorkerReplicaId): DocumentKey | undefined {
    return this.#documents.get(replica)
  }

  /** A name for a view that is asked for. */
  nextView(): WorkerViewId {
    return this.#next++ as WorkerViewId
  }
}
