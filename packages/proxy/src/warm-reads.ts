/*
 * Documents that children ask for, and that are looked for in the warm store first. What is found is
 * verified before it is followed, a turn's worth in a turn, one document after the other; until then who
 * asks for it waits, but no longer than for a store that does not answer.
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
import type { JoinRequest, VerifiedDocument, WarmCheck } from '@fanfold/replication'

/** How long a document may be looked for in the store, and verified, before it is followed without. */
const readMaxMs = 1_000
/** Bytes that are verified in one turn: some milliseconds' worth. */
const checkBytesPerTurn = 4_194_304

/** A document that nobody has to wait for any more, with what was kept of it, if that was good. */
export type ReadDocument = {
  readonly doc: DocumentKey
  readonly verified: VerifiedDocument | undefined
}

/** What is looked for in the warm store, and who waits for it. */
export class WarmReads {
  readonly #check: (doc: DocumentKey, document: WarmDocument) => WarmCheck
  /** Who waits for each; of one link only the last join counts. */
  readonly #waiting = new Map<DocumentKey, Map<LinkId, JoinRequest>>()
  /** What was found and is verified, one after the other. */
  readonly #checks = new Map<DocumentKey, WarmCheck>()
  readonly #deadlines = new Deadlines<DocumentKey>()
  #lastNow = 0 as Instant

  constructor(check: (doc: DocumentKey, document: WarmDocument) => WarmCheck) {
    this.#check = check
  }

  /** Documents that are looked for or verified. */
  get count(): number {
    return this.#waiting.size
  }

  wakeAt(): Instant | undefined {
    const due = this.#checks.size > 0 ? this.#lastNow : undefined
    return earliest(due, this.#deadlines.wakeAt())
  }

  /** The child waits for the document; it is looked for once. */
  wait(
    doc: DocumentKey,
    request: JoinRequest,
    now: Instant,
    effects: EffectSink<WarmEffect>,
  ): void {
    let waiting = this.#waiting.get(doc)
    if (waiting === undefined) {
      waiting = new Map()
      this.#waiting.set(doc, waiting)
      this.#deadlines.set(doc, after(now, milliseconds(readMaxMs)))
      effects.push({ kind: 'warm-read', doc })
    }
    waiting.set(request.link, request)
  }

  /** The child does not want the document any more; when nobody does, it is not waited for. */
  leave(doc: DocumentKey, link: LinkId): void {
    const waiting = this.#waiting.get(doc)
    if (waiting?.delete(link) === true && waiting.size === 0) this.take(doc)
  }

  /** Who waits for the document, and then waits no more. */
  take(doc: DocumentKey): readonly JoinRequest[] {
    const waiting = [...(this.#waiting.get(doc)?.values() ?? [])]
    this.#waiting.delete(doc)
    this.#checks.delete(doc)
    this.#deadlines.set(doc, undefined)
    return waiting
  }

  /** What the store has of a document; the documents that may be followed now. */
  found(doc: DocumentKey, document: WarmDocument | undefined, now: Instant): ReadDocument[] {
    // Late, or nobody waits any more, or it is here already.
    if (!this.#waiting.has(doc) || this.#checks.has(doc)) return []
    if (document === undefined) return [{ doc, verified: undefined }]
    const isNext = this.#checks.size === 0
    this.#checks.set(doc, this.#check(doc, document))
    this.#lastNow = now
    return isNext ? this.#verify(now) : []
  }

  /** Verifies a turn's worth; the documents that may be followed now, also without what was kept. */
  tick(now: Instant): ReadDocument[] {
    this.#lastNow = now
    const read = this.#verify(now)
    for (const doc of this.#deadlines.due(now)) {
      if (!read.some(other => other.doc === doc)) read.push({ doc, verified: undefined })
    }
    return read
  }

  #verify(now: Instant): ReadDocument[] {
    const read: ReadDocument[] = []
    let left = checkBytesPerTurn
    for (const [doc, check] of this.#checks) {
      left = check.step(left, now)
      if (!check.isOver) return read
      this.#checks.delete(doc)
      read.push({ doc, verified: check.verified })
      if (left === 0) return read
    }
    return read
  }
}
