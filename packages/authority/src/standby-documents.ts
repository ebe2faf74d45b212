/*
 * The documents that an authority stands by for. Their owner says again and again that they are in use; here they are
 * in memory as they are there, by what the log tells, so that whoever takes one over has the last of its log left to
 * read. They are served to nobody.
 *
 * Bound: so many documents, as large as if they were its own; what serves makes them leave when it needs their
 * places. One of which nothing more is said leaves too, and one that cannot be followed is left alone for a while.
 */
import { after, Deadlines, earliest, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import type { AuthorityDocument } from './authority-document.ts'
import type { AuthorityFact } from './authority-effect.ts'
import type { AuthorityLimits } from './authority-limits.ts'
import type { DocumentsInMemory } from './documents-in-memory.ts'
import type { Owners } from './owners.ts'
import { tellEveryMs } from './standby-telling.ts'

/** A document of which its owner has said nothing for so long is not stood by for any more, ms. */
const keptForMs = 4 * tellEveryMs
/** One that cannot be followed is tried again after so long, ms. */
const againAfterMs = 30_000
/** That there is no room is said once in so long, ms. */
const fullToldEveryMs = 60_000

/** What has documents in memory. */
export type StandbyOwner = {
  readonly documents: Pick<DocumentsInMemory, 'get' | 'has' | 'hasFreePlace'>
  readonly owners: Owners
  /** Brings the document into memory, and follows its log. */
  follow(doc: DocumentKey): void
  /** Lets the document go: it is forgotten here too. */
  unload(document: AuthorityDocument): void
  note(fact: AuthorityFact): void
}

/** The documents that are stood by for. */
export class StandbyDocuments {
  readonly #limits: AuthorityLimits
  readonly #owner: StandbyOwner
  /** Of each the seq that its owner has told. */
  readonly #told = new Map<DocumentKey, number>()
  readonly #until = new Deadlines<DocumentKey>()
  /** Those that could not be followed, until they are tried again. */
  readonly #lost = new Set<DocumentKey>()
  readonly #again = new Deadlines<DocumentKey>()
  #fullToldAt: Instant | undefined

  constructor(limits: AuthorityLimits, owner: StandbyOwner) {
    this.#limits = limits
    this.#owner = owner
  }

  /** How many there are. */
  get count(): number {
    return this.#told.size
  }

  /** Records that the one furthest behind lacks of what its owner has told. */
  get lagRecords(): number {
    let most = 0
    for (const [doc, seq] of this.#told) {
      const has = this.#owner.documents.get(doc)?.position.seq ?? 0
      most = Math.max(most, seq - has)
    }
    return most
  }

  /** A node says that it has the document in use. What is not its own, or not to be taken over here, is no matter. */
  inUse(doc: DocumentKey, by: string, seq: number, now: Instant): void {
    const { owners, documents } = this.#owner
    if (owners.ownerOf(doc) !== by || !owners.isStandby(doc) || this.#lost.has(doc)) return
    if (!this.#told.has(doc)) {
      // It may be on its way out, as it was this authority's until just now.
      if (documents.has(doc) || !this.#hasRoom(now)) return
      this.#owner.follow(doc)
    }
    this.#told.set(doc, seq)
    this.#until.set(doc, after(now, milliseconds(keptForMs)))
  }

  /** The document has left memory, or was taken over. */
  forget(doc: DocumentKey): void {
    this.#told.delete(doc)
    this.#until.set(doc, undefined)
  }

  /** The document cannot be followed. */
  lost(doc: DocumentKey, now: Instant): void {
    if (this.#lost.size >= this.#limits.standbyDocumentsMax) return
    this.#lost.add(doc)
    this.#again.set(doc, after(now, milliseconds(againAfterMs)))
  }

  wakeAt(): Instant | undefined {
    return earliest(this.#until.wakeAt(), this.#again.wakeAt())
  }

  /** Lets those go of which nothing more was said. */
  tick(now: Instant): void {
    for (const doc of this.#again.due(now)) this.#lost.delete(doc)
    for (const doc of this.#until.due(now)) {
      const document = this.#owner.documents.get(doc)
      if (document !== undefined) this.#owner.unload(document)
    }
  }

  #hasRoom(now: Instant): boolean {
    const { standbyDocumentsMax } = this.#limits
    if (this.count < standbyDocumentsMax && this.#owner.documents.hasFreePlace) return true
    const isTold = this.#fullToldAt !== undefined && now < this.#fullToldAt
    if (!isTold) {
      this.#fullToldAt = after(now, milliseconds(fullToldEveryMs))
      this.#owner.note({ event: 'standby-full', documents: this.count })
    }
    return false
  }
}
