import type { WorkerReplicaId } from '@fanfold/document'
import type { DocumentKey } from '@fanfold/protocol'

/** Names of documents at the worker: none is used twice. */
export class WorkerNames {
  readonly #docs = new Map<WorkerReplicaId, DocumentKey>()
  #next = 1

  /** A new one, for this document. */
  take(doc: DocumentKey): WorkerReplicaId {
    const id = this.#next++ as WorkerReplicaId
    this.#docs.set(id, doc)
    return id
  }

  /** The worker knows nothing by this name any more. */
  free(id: WorkerReplicaId): void {
    this.#docs.delete(id)
  }

  /** The document that has this name. */
  docOf(id: WorkerReplicaId): DocumentKey | undefined {
    return this.#docs.get(id)
  }
}
