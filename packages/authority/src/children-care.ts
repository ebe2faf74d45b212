import { earliest, type Instant } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import { HeadSignals, SafetyRounds } from '@fanfold/replication'
import type { AuthorityDocument } from './authority-document.ts'
import type { AuthorityEffect } from './authority-effect.ts'

/** What is done for the children of documents by and by, without anything that asks for it. */
export class ChildrenCare {
  readonly #heads = new HeadSignals()
  readonly #rounds = new SafetyRounds<DocumentKey>()

  /** Something happened to a document that has children. */
  note(doc: DocumentKey, now: Instant): void {
    this.#rounds.add(doc, now)
  }

  /** The children of the document were sent records. */
  published(doc: DocumentKey, now: Instant): void {
    this.#heads.published(doc, now)
  }

  /** The document has left memory. */
  forget(doc: DocumentKey): void {
    this.#heads.forget(doc)
    this.#rounds.delete(doc)
  }

  wakeAt(): Instant | undefined {
    return earliest(this.#heads.wakeAt(), this.#rounds.wakeAt())
  }

  /** Tells children where the head is, and lets go of what has become old. */
  tick(
    documents: Pick<ReadonlyMap<DocumentKey, AuthorityDocument>, 'get'>,
    now: Instant,
    effects: AuthorityEffect[],
  ): void {
    for (const doc of this.#heads.due(now)) {
      const document = documents.get(doc)
      if (document?.hasChildren === true) document.downstream.signalHead(effects)
    }
    for (const doc of this.#rounds.due(now)) {
      const hasChildren = documents.get(doc)?.lookAfterChildren(now) === true
      if (!hasChildren) this.#rounds.delete(doc)
    }
  }
}
