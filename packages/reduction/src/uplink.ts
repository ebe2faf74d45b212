/*
 * How a node says to its parents what the crowd below it says: of each document one thing at a time, the next when
 * that is answered, and not before the parent wants it. What is not answered, as the parent is gone or has forgotten,
 * is said again: whether it counts twice is not decided here.
 */
import { after, Deadlines, type EffectSink, type Instant, milliseconds } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
} from '@fanfold/protocol'
import { encodeAggregate } from './aggregate.ts'
import { crowdLimits } from './crowd-limits.ts'
import type { Downward, Upward } from './exchange.ts'
import { decodeStandings } from './ranges.ts'

/** What is to be said of one document. */
export interface CrowdSource {
  /** What goes up now; undefined for nothing. It is under way until one of the others is called. */
  next(now: Instant): Upward | undefined
  /** What is under way is answered. */
  answered(answer: Downward, now: Instant): void
  /** What is under way may never be answered: it is said again. */
  interrupt(): void
}

export type CrowdUplinkOptions = {
  /** The link to the parent that serves a document; undefined for none. */
  readonly linkOf: (doc: DocumentKey) => LinkId | undefined
  /** What is to be said of a document; undefined for nothing. */
  readonly sourceOf: (doc: DocumentKey) => CrowdSource | undefined
}

type UnderWay = { readonly link: LinkId; readonly number: number; readonly sentAt: Instant }

/** Of one document. */
type Said = {
  underWay: UnderWay | undefined
  /** The parent wants the next one at this time. */
  wantedAt: Instant
}

/** Where effects go. */
type Effects = EffectSink<LinkEffect>

const resendAfter = milliseconds(crowdLimits.resendMs)

/** What a node says to its parents of what crowds say. */
export class CrowdUplink {
  readonly #linkOf: CrowdUplinkOptions['linkOf']
  readonly #sourceOf: CrowdUplinkOptions['sourceOf']
  readonly #said = new Map<DocumentKey, Said>()
  readonly #due = new Deadlines<DocumentKey>()
  /** Never used again: an answer that comes late answers nothing else. */
  #lastNumber = 0

  constructor({ linkOf, sourceOf }: CrowdUplinkOptions) {
    this.#linkOf = linkOf
    this.#sourceOf = sourceOf
  }

  /** When the parent wants the next one of a document, at the earliest; undefined while it has not said. */
  wantedAt(doc: DocumentKey): Instant | undefined {
    return this.#said.get(doc)?.wantedAt
  }

  /** There is something to say of the document, maybe. */
  want(doc: DocumentKey, now: Instant): void {
    const said = this.#said.get(doc)
    if (said === undefined) {
      this.#said.set(doc, { underWay: undefined, wantedAt: now })
      this.#due.set(doc, now)
    } else if (said.underWay === undefined && this.#due.get(doc) === undefined) {
      this.#due.set(doc, said.wantedAt > now ? said.wantedAt : now)
    }
  }

  /** A parent serves the document from now on: what another one was told, it is told. */
  joined(doc: DocumentKey, now: Instant): void {
    const said = this.#said.get(doc)
    if (said === undefined) return
    this.#interrupt(doc, said)
    said.wantedAt = now
    this.#due.set(doc, now)
  }

  /** The document is not followed any more. */
  forget(doc: DocumentKey): void {
    this.#said.delete(doc)
    this.#due.set(doc, undefined)
  }

  /**
   * Takes the answer of a parent.
   *
   * @throws ProtocolError `FANFOLD_BAD_FRAME` when its standings are none
   */
  receive(frame: Extract<LinkFrame, { kind: 'crowd-answer' }>, link: LinkId, now: Instant): void {
    const { doc, number, waitMs, sessions } = frame
    const said = this.#said.get(doc)
    const underWay = said?.underWay
    if (said === undefined || underWay?.link !== link || underWay.number !== number) return
    const standings = frame.standings.length === 0 ? [] : decodeStandings(frame.standings)
    said.underWay = undefined
    const wait = milliseconds(Math.min(waitMs, crowdLimits.waitMsMax))
    said.wantedAt = after(underWay.sentAt, wait)
    this.#sourceOf(doc)?.answered({ sessions, standings }, now)
    this.#due.set(doc, said.wantedAt > now ? said.wantedAt : now)
  }

  wakeAt(): Instant | undefined {
    return this.#due.wakeAt()
  }

  tick(now: Instant, effects: Effects): void {
    for (const doc of this.#due.due(now)) {
      const said = this.#said.get(doc)
      if (said !== undefined) this.#say(doc, said, now, effects)
    }
  }

  #say(doc: DocumentKey, said: Said, now: Instant, effects: Effects): void {
    // The time for an answer is over.
    if (said.underWay !== undefined) this.#interrupt(doc, said)
    const link = this.#linkOf(doc)
    const upward = link === undefined ? undefined : this.#sourceOf(doc)?.next(now)
    if (link === undefined || upward === undefined) return
    const { asked, aggregate } = upward
    const number = ++this.#lastNumber
    const bytes = aggregate === undefined ? new Uint8Array(0) : encodeAggregate(aggregate)
    const frame = encodeLinkFrame({ kind: 'crowd', doc, number, asked, aggregate: bytes })
    effects.push({ kind: 'link-send', link, frame })
    said.underWay = { link, number, sentAt: now }
    this.#due.set(doc, after(now, resendAfter))
  }

  #interrupt(doc: DocumentKey, said: Said): void {
    if (said.underWay === undefined) return
    said.underWay = undefined
    this.#sourceOf(doc)?.interrupt()
  }
}
