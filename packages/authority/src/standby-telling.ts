/*
 * An authority tells those that stand by for its documents which of them are in use, and how far they are: when one
 * comes into use, and of all again and again. Nothing is answered and nothing relies on it: what is not told is taken
 * over from the log.
 *
 * Bound: a turn looks at 256 documents; nothing is looked at while nobody stands by.
 */
import { after, type Instant, milliseconds } from '@fanfold/kernel'
import { type DocumentKey, encodeLinkFrame, type LinkId } from '@fanfold/protocol'
import type { AuthorityEffect } from './authority-effect.ts'
import type { DocumentsInMemory } from './documents-in-memory.ts'
import type { Owners } from './owners.ts'

/** How often all are told of, ms. */
export const tellEveryMs = 5_000
/** Documents that one turn looks at. */
const looksPerTurnMax = 256

/** What is told of, and to whom. */
export type StandbyTellingPort = {
  readonly documents: Pick<DocumentsInMemory, 'get' | 'keys' | 'isInUse'>
  readonly owners: Owners
  /** The link that was dialled to the node, if there is one. */
  linkTo(node: string): LinkId | undefined
}

/** What an authority tells those that stand by. */
export class StandbyTelling {
  readonly #port: StandbyTellingPort
  readonly #due = new Set<DocumentKey>()
  /** Documents that were told of since they came into memory. */
  readonly #told = new Set<DocumentKey>()
  #roundAt: Instant | undefined

  constructor(port: StandbyTellingPort) {
    this.#port = port
  }

  /** True when the next turn has something to tell. */
  get hasDue(): boolean {
    return this.#due.size > 0
  }

  /** Others may stand by than before, or can be told now: all is told. */
  begin(now: Instant): void {
    this.#due.clear()
    this.#roundAt = undefined
    if (!this.#port.owners.hasStandbys) {
      this.#told.clear()
      return
    }
    for (const doc of this.#port.documents.keys()) this.#due.add(doc)
    this.#roundAt = after(now, milliseconds(tellEveryMs))
  }

  /** Something happened to the document: it is told of when it has come into use by that. */
  note(doc: DocumentKey): void {
    if (!this.#port.owners.hasStandbys || this.#told.has(doc)) return
    if (this.#port.documents.isInUse(doc)) this.#due.add(doc)
  }

  /** The document has left memory. */
  forget(doc: DocumentKey): void {
    this.#due.delete(doc)
    this.#told.delete(doc)
  }

  wakeAt(): Instant | undefined {
    return this.#roundAt
  }

  /** Tells of some of those that are due. */
  tick(now: Instant, effects: AuthorityEffect[]): void {
    if (this.#roundAt !== undefined && now >= this.#roundAt) this.begin(now)
    let left = looksPerTurnMax
    for (const doc of this.#due) {
      if (left-- === 0) return
      this.#due.delete(doc)
      this.#tell(doc, effects)
    }
  }

  #tell(doc: DocumentKey, effects: AuthorityEffect[]): void {
    const { documents, owners, linkTo } = this.#port
    const document = documents.get(doc)
    if (document === undefined || !documents.isInUse(doc)) return
    this.#told.add(doc)
    const standby = owners.standbyOf(doc)
    const link = standby === undefined ? undefined : linkTo(standby)
    if (link === undefined) return
    const { seq: value } = document.position
    const frame = encodeLinkFrame({ kind: 'signal', signal: 'in-use', doc, value })
    effects.push({ kind: 'link-signal', link, key: `in-use:${doc}`, frame })
  }
}
