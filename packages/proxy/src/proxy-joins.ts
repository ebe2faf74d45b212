/*
 * Children that ask for documents. Each is answered from what is here, or waits a short while for what
 * the parent sends, or is told when to ask again. A document that a child asks for again is followed
 * until it does: else a node that takes long to have it would begin anew each time.
 */
import type { WarmDocument, WarmEffect } from '@fanfold/document'
import {
  after,
  Deadlines,
  type EffectSink,
  earliest,
  type Instant,
  milliseconds,
} from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'
import type {
  ChildLinks,
  Following,
  JoinRequest,
  VerifiedDocument,
  WarmCheck,
} from '@fanfold/replication'
import type { Admission } from './document-trees.ts'
import { hasRoomFor } from './has-room-for.ts'
import {
  noParent,
  noRoom,
  noTail,
  notYet,
  type ProxyDocument,
  refuseJoin,
} from './proxy-document.ts'
import type { ProxyEffect } from './proxy-effect.ts'
import { WarmReads } from './warm-reads.ts'

/** How long a child waits for its answer: less than after which it thinks that there is none. */
const waitMax = milliseconds(1_500)
/** How soon a child that was told to ask again, or has replayed the log, is back. */
const isBackIn = milliseconds(2_000)

/** The role, as far as joins go. */
export type ProxyJoinsOwner = {
  /** Documents that are followed. */
  readonly documents: ReadonlyMap<DocumentKey, ProxyDocument>
  /** Follows a document from now on, from what was kept of it if anything was. */
  follow(doc: DocumentKey, warm: VerifiedDocument | undefined): ProxyDocument
  /** Sends children the next of the document. */
  flush(doc: DocumentKey): void
  /** Children that are connected, and what they have asked for. */
  children(): Pick<ChildLinks, 'count' | 'documentsOf' | 'forget' | 'peerAt'>
  /** Whether the child has its place here, and where it may have another one. */
  admit(document: ProxyDocument, request: JoinRequest): Admission
  /** The child was told that it is not served the document here: it has not asked for it until it asks again. */
  turnedAway(doc: DocumentKey, link: LinkId): void
  /** True while a child's replay of the document is passed on. */
  isReplaying(doc: DocumentKey): boolean
}

type Effects = EffectSink<ProxyEffect | WarmEffect>

/** Whom of the children is to be answered, and by what. */
export class ProxyJoins {
  readonly #following: Following
  readonly #owner: ProxyJoinsOwner
  readonly #documentsMax: number
  /** What is looked for in the warm store; undefined for a node that has none. */
  readonly #warmReads: WarmReads | undefined
  /** When those who wait for a document have waited long enough. */
  readonly #waits = new Deadlines<DocumentKey>()

  constructor(options: {
    readonly following: Following
    readonly owner: ProxyJoinsOwner
    readonly documentsMax: number
    readonly isWarm: boolean
  }) {
    this.#following = options.following
    this.#owner = options.owner
    this.#documentsMax = options.documentsMax
    const check = (doc: DocumentKey, document: WarmDocument): WarmCheck =>
      options.following.check(doc, document)
    this.#warmReads = options.isWarm ? new WarmReads(check) : undefined
  }

  /** A child asks for a document. */
  join(doc: DocumentKey, request: JoinRequest, now: Instant, effects: Effects): void {
    const { documents } = this.#owner
    const document = documents.get(doc)
    const count = documents.size + (this.#warmReads?.count ?? 0)
    if (this.#isCircle(doc, request)) {
      refuseJoin(doc, request, noParent, effects)
      this.#owner.turnedAway(doc, request.link)
    } else if (document !== undefined) this.#joinAt(document, request, now, effects)
    else if (!this.#hasRoomFor(request, count)) {
      refuseJoin(doc, request, noRoom(count, this.#documentsMax), effects)
      this.#owner.children().forget(request.link, doc)
    } else if (this.#warmReads !== undefined) this.#warmReads.wait(doc, request, now, effects)
    else this.#joinAt(this.#owner.follow(doc, undefined), request, now, effects)
  }

  /** Two proxies that know different things of the fleet may each take the other one for who has it. */
  #isCircle(doc: DocumentKey, { link }: JoinRequest): boolean {
    const peer = this.#owner.children().peerAt(link)
    const isProxy = peer?.roles.includes('proxy') === true
    return isProxy && this.#following.parents.isAbove(doc, peer.node)
  }

  #hasRoomFor({ link }: JoinRequest, count: number): boolean {
    const children = this.#owner.children()
    const ofChild = children.documentsOf(link)
    return hasRoomFor({ count, countMax: this.#documentsMax, children: children.count, ofChild })
  }

  /** The warm store says what it has of a document: it is followed from that, once that has verified. */
  found(
    doc: DocumentKey,
    document: WarmDocument | undefined,
    now: Instant,
    effects: Effects,
  ): void {
    const read = this.#warmReads?.found(doc, document, now) ?? []
    for (const { doc, verified } of read) this.#begin(doc, verified, now, effects)
  }

  /** Who waits for the document is answered from what is here. */
  serve(
    document: ProxyDocument,
    requests: readonly JoinRequest[],
    now: Instant,
    effects: Effects,
  ): void {
    for (const request of requests) this.#take(document, request, effects)
    this.#owner.flush(document.doc)
    this.releaseUnused(document, now)
  }

  /** A child has left the document. */
  left(doc: DocumentKey, link: LinkId, now: Instant): void {
    this.#warmReads?.leave(doc, link)
    const document = this.#owner.documents.get(doc)
    if (document === undefined) return
    document.waiting.delete(link)
    this.releaseUnused(document, now)
  }

  /** A parent is gone: who waits for what may not be had from another soon need not wait. */
  refuseWaiting(now: Instant, effects: Effects): void {
    for (const document of this.#owner.documents.values()) {
      // There may be very many that nobody waits for.
      if (document.waiting.size === 0) continue
      if (this.#following.parents.mayBeHad(document.doc)) continue
      document.refuseWaiting(noParent, effects)
      this.releaseUnused(document, now)
    }
  }

  /** A child of the document is told to ask again, or will anyhow. */
  expect(document: ProxyDocument, now: Instant): void {
    document.expectedUntil = after(now, isBackIn)
    this.releaseUnused(document, now)
  }

  /** A document that nobody wants is let go by and by. */
  releaseUnused(document: ProxyDocument, now: Instant): void {
    const { doc, isUsed, expectedUntil, waiting } = document
    if (waiting.size === 0) this.#waits.set(doc, undefined)
    if (isUsed || this.#owner.isReplaying(doc)) return
    this.#following.release(doc, now, expectedUntil)
  }

  wakeAt(): Instant | undefined {
    return earliest(this.#waits.wakeAt(), this.#warmReads?.wakeAt())
  }

  tick(now: Instant, effects: Effects): void {
    const read = this.#warmReads?.tick(now) ?? []
    for (const { doc, verified } of read) this.#begin(doc, verified, now, effects)
    for (const doc of this.#waits.due(now)) {
      const document = this.#owner.documents.get(doc)
      if (document === undefined || document.waiting.size === 0) continue
      document.refuseWaiting(this.#following.parents.mayBeHad(doc) ? notYet : noParent, effects)
      this.expect(document, now)
    }
  }

  /** The document is followed, from what was kept of it if that was good. */
  #begin(
    doc: DocumentKey,
    verified: VerifiedDocument | undefined,
    now: Instant,
    effects: Effects,
  ): void {
    const requests = this.#warmReads?.take(doc) ?? []
    if (requests.length === 0 || this.#owner.documents.has(doc)) return
    const document = this.#owner.follow(doc, verified)
    for (const request of requests) this.#joinAt(document, request, now, effects)
  }

  /** The child is served here, unless it is to be served elsewhere. */
  #take(document: ProxyDocument, request: JoinRequest, effects: Effects): void {
    const { isTaken, sendTo } = this.#owner.admit(document, request)
    if (isTaken) {
      document.join(request, effects)
      // Another one that was turned away a moment ago may have been the only one who wanted it.
      this.#following.keep(document.doc)
    } else this.#owner.turnedAway(document.doc, request.link)
    if (sendTo !== undefined) document.downstream.redirect(request.link, sendTo, effects)
  }

  #joinAt(document: ProxyDocument, request: JoinRequest, now: Instant, effects: Effects): void {
    const { doc, waiting } = document
    this.#following.keep(doc)
    if (document.canServe) {
      this.#take(document, request, effects)
      this.#owner.flush(doc)
    } else if (!this.#following.parents.mayBeHad(doc)) {
      document.refuse(request, noParent, effects)
    } else if (request.take === 'tail' && request.have === undefined) {
      // Whatever the parent sends, it will not be what this child takes.
      document.refuse(request, noTail, effects)
    } else {
      if (waiting.size === 0) this.#waits.set(doc, after(now, waitMax))
      waiting.set(request.link, request)
      return
    }
    if (!document.isUsed) this.expect(document, now)
  }
}
