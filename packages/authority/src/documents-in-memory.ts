/*
 * The documents that an authority has in memory: whether there is room for one more, and when each that
 * nobody uses goes to rest, and leaves. Those that are of no use at all make room first.
 */
import { after, Deadlines, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import type { AuthorityDocument } from './authority-document.ts'
import type { AuthorityLimits } from './authority-limits.ts'
import { noRoom } from './document-answers.ts'
import { type DocumentQuotaOf, DocumentQuotas, quotaProblem } from './document-quotas.ts'
import { SpareDocuments } from './spare-documents.ts'
import type { WriteProblem } from './write-problem.ts'

/** Documents of a tenant that one request puts away at most. */
const roomMadeMax = 16

/** What has documents in memory. */
export type DocumentsOwner = {
  /** True while the document's log is read for a child: it has to stay open. */
  isReplaying(doc: DocumentKey): boolean
  /** Lets the document go: it is forgotten here too. */
  unload(document: AuthorityDocument): void
}

/** The documents that are in memory. */
export class DocumentsInMemory {
  readonly #limits: AuthorityLimits
  readonly #owner: DocumentsOwner
  readonly #documents = new Map<DocumentKey, AuthorityDocument>()
  /** When each document that nobody uses is to rest, and later to leave memory. */
  readonly #idle = new Deadlines<DocumentKey>()
  readonly #resting = new SpareDocuments()
  /** Documents that do not exist: somebody asked for them. */
  readonly #vacant = new SpareDocuments()
  /** The same documents by tenant. */
  readonly quotas: DocumentQuotas
  /** Documents of others. */
  readonly #standby = new SpareDocuments()

  constructor(limits: AuthorityLimits, quotaOf: DocumentQuotaOf, owner: DocumentsOwner) {
    this.#limits = limits
    this.quotas = new DocumentQuotas(quotaOf)
    this.#owner = owner
  }

  get count(): number {
    return this.#documents.size
  }

  keys(): Iterable<DocumentKey> {
    return this.#documents.keys()
  }

  get(doc: DocumentKey): AuthorityDocument | undefined {
    return this.#documents.get(doc)
  }

  has(doc: DocumentKey): boolean {
    return this.#documents.has(doc)
  }

  /** The document has come into memory. */
  add(document: AuthorityDocument): void {
    this.#documents.set(document.doc, document)
    if (document.isStandby) this.#standby.add(document.doc)
    else this.quotas.add(document.doc)
  }

  /** The document was stood by for, and is this authority's now. */
  takenOver(doc: DocumentKey): void {
    this.#standby.delete(doc)
    this.quotas.add(doc)
  }

  /** True while there is a place that nobody has. */
  get hasFreePlace(): boolean {
    return this.#documents.size < this.#limits.documentsMax
  }

  /** True for a document that is served and was used lately. */
  isInUse(doc: DocumentKey): boolean {
    const document = this.#documents.get(doc)
    return document?.isServed === true && (document.hasChildren || !this.#resting.has(doc))
  }

  /** The document has left memory. */
  forget(doc: DocumentKey): void {
    this.#idle.set(doc, undefined)
    this.#resting.delete(doc)
    this.#vacant.delete(doc)
    this.#standby.delete(doc)
    if (this.#documents.delete(doc)) this.quotas.delete(doc)
  }

  /**
   * Why the document cannot come into memory; undefined when it is there or may come. One that is of no use
   * now may have to leave: of the same tenant, where that has as many as it may.
   */
  problemOf(doc: DocumentKey): WriteProblem | undefined {
    if (this.#documents.has(doc)) return undefined
    const full = this.quotas.fullFor(doc)
    if (full !== undefined) {
      const { docs = new SpareDocuments(), documentsMax } = full
      // A quota that was lowered may leave more than one too many.
      for (let left = roomMadeMax; docs.size >= documentsMax; left--) {
        if (left === 0 || !this.#makeRoomAmong(docs)) return quotaProblem(doc, documentsMax)
      }
    }
    if (this.hasFreePlace) return undefined
    // What does not exist first: whoever asks for many such keys takes nobody's place.
    const isOwnSpared = this.#makeRoom(this.#vacant) || this.#makeRoom(this.#resting)
    return isOwnSpared || this.#makeRoom(this.#standby) ? undefined : noRoom(this.#limits)
  }

  /** Something happened to the document. */
  note(document: AuthorityDocument, now: Instant): void {
    const { doc } = document
    if (document.isQuiet && document.isVacant) this.#vacant.add(doc)
    else this.#vacant.delete(doc)
    // Whoever asks meanwhile does not put off that the log is looked at anew.
    const { readAnewAt } = document
    if (readAnewAt !== undefined) this.#idle.set(doc, readAnewAt)
    else this.touch(doc, now)
  }

  /** The document is idle from now on at the earliest. */
  touch(doc: DocumentKey, now: Instant): void {
    this.#resting.delete(doc)
    this.#idle.set(doc, after(now, milliseconds(this.#limits.restAfterMs)))
  }

  wakeAt(): Instant | undefined {
    return this.#idle.wakeAt()
  }

  /** Lets those rest, or leave, that were idle for long. */
  tick(now: Instant): void {
    for (const doc of this.#idle.due(now)) this.#retire(doc, now)
  }

  /** The same among documents of which some are in use. */
  #makeRoomAmong(docs: SpareDocuments): boolean {
    return this.#makeRoom(docs, this.#vacant) || this.#makeRoom(docs, this.#resting)
  }

  /** Puts one of `spare` away, if one can go. */
  #makeRoom(spare: SpareDocuments, kind: SpareDocuments = spare): boolean {
    const doc = spare.find(doc => kind.has(doc) && this.#maySpare(doc))
    const document = doc && this.#documents.get(doc)
    if (document === undefined) return false
    this.#owner.unload(document)
    return true
  }

  #maySpare(doc: DocumentKey): boolean {
    const document = this.#documents.get(doc)
    if (document === undefined) return false
    const { isQuiet, hasChildren, refusal, isStandby } = document
    if (isStandby) return true
    const isQuarantined = refusal?.isQuarantined === true
    return isQuiet && !hasChildren && !isQuarantined && !this.#owner.isReplaying(doc)
  }

  #retire(doc: DocumentKey, now: Instant): void {
    const document = this.#documents.get(doc)
    // A quarantined document stays as it is: read again, it would be served again.
    if (document === undefined || document.refusal?.isQuarantined === true) return
    if (document.readAnewAt !== undefined && document.isQuiet) {
      this.#owner.unload(document)
      return
    }
    if (!document.isQuiet || this.#owner.isReplaying(doc)) {
      this.touch(doc, now)
      return
    }
    const { restAfterMs, unloadAfterMs } = this.#limits
    // A large state takes more memory than to read it in again takes time.
    if (document.snapshots.ofLarge !== undefined && !document.hasChildren) {
      this.#owner.unload(document)
      return
    }
    if (!this.#resting.has(doc)) {
      this.#resting.add(doc)
      document.rest()
      // A document that does not exist, or refuses, keeps nothing that is worth its memory.
      this.#idle.set(doc, after(now, milliseconds(document.isVacant ? restAfterMs : unloadAfterMs)))
      return
    }
    if (document.hasChildren) {
      this.#idle.set(doc, after(now, milliseconds(unloadAfterMs)))
      return
    }
    this.#owner.unload(document)
  }
}
