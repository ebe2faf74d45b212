import { earliest, type Instant } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'
import type { AuthorityEffect } from './authority-effect.ts'
import type { AuthorityLimits } from './authority-limits.ts'
import type { DocumentsInMemory } from './documents-in-memory.ts'
import { StandbyDocuments, type StandbyOwner } from './standby-documents.ts'
import { StandbyTelling } from './standby-telling.ts'

/** Both sides of standing by: documents of others that are followed here, and own ones that others follow. */
export class Standby {
  /** Those of others. */
  readonly documents: StandbyDocuments
  /** Says to others which of the own ones are in use. */
  readonly telling: StandbyTelling

  constructor(
    limits: AuthorityLimits,
    owner: StandbyOwner & {
      readonly documents: DocumentsInMemory
      linkTo(node: string): LinkId | undefined
    },
  ) {
    this.documents = new StandbyDocuments(limits, owner)
    this.telling = new StandbyTelling(owner)
  }

  /** The document has left memory. */
  forget(doc: DocumentKey): void {
    this.documents.forget(doc)
    this.telling.forget(doc)
  }

  wakeAt(): Instant | undefined {
    return earliest(this.documents.wakeAt(), this.telling.wakeAt())
  }

  /** Lets go of what is not in use any more, and tells of what is. */
  tick(now: Instant, effects: AuthorityEffect[]): void {
    this.documents.tick(now)
    this.telling.tick(now, effects)
  }
}
