import type { EffectSink, Instant } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
} from '@fanfold/protocol'
import { AnswerPatience } from './answer-patience.ts'
import { AskingLine } from './asking-line.ts'

type AskedParent = {
  readonly patience: AnswerPatience
  readonly line: AskingLine
  /** Documents that the parent was told are left, as often as it has not answered that. */
  readonly leaving: Map<DocumentKey, number>
}

/** The parents that a node asks: who is asked for what, and how long its answers may take. */
export class AskedParents {
  readonly #answerMaxMs: number
  readonly #parents = new Map<LinkId, AskedParent>()
  readonly #wasSilent: (link: LinkId) => void

  /**
   * @param answerMaxMs how long an answer may take over a link of which nothing is known
   * @param wasSilent an answer has not come over the link in its time
   */
  constructor(answerMaxMs: number, wasSilent: (link: LinkId) => void = () => undefined) {
    this.#answerMaxMs = answerMaxMs
    this.#wasSilent = wasSilent
  }

  /** Questions to the parent that are not answered yet. */
  underWayCount(link: LinkId): number {
    return this.#parents.get(link)?.line.underWayCount ?? 0
  }

  /** How long answers may take that come over the link. */
  patience(link: LinkId): AnswerPatience {
    return this.#of(link).patience
  }

  /** True when the document is asked for now; else it waits until it is among the `due`. */
  ask(link: LinkId, doc: DocumentKey, now: Instant): boolean {
    return this.#of(link).line.ask(doc, now)
  }

  /** The parent has answered what it was asked of the document. */
  answered(link: LinkId, doc: DocumentKey, now: Instant): void {
    this.#parents.get(link)?.line.answered(doc, now)
  }

  /** The parent has not answered. */
  silent(link: LinkId, doc: DocumentKey): void {
    this.#parents.get(link)?.line.silent(doc)
    this.#wasSilent(link)
  }

  /** The document is asked of the parent no more. */
  leave(link: LinkId, doc: DocumentKey): void {
    this.#parents.get(link)?.line.leave(doc)
  }

  /** Tells the parent that the document is wanted no more. */
  tellLeave(link: LinkId, doc: DocumentKey, effects: EffectSink<LinkEffect>): void {
    const { leaving } = this.#of(link)
    leaving.set(doc, (leaving.get(doc) ?? 0) + 1)
    effects.push({ kind: 'link-send', link, frame: encodeLinkFrame({ kind: 'leave', doc }) })
  }

  /** True while what the parent sends of the document may be of a stream that was left. */
  isLeaving(link: LinkId, doc: DocumentKey): boolean {
    return this.#parents.get(link)?.leaving.has(doc) === true
  }

  /** The parent has heard that the document was left. */
  left(link: LinkId, doc: DocumentKey): void {
    const leaving = this.#parents.get(link)?.leaving
    const count = leaving?.get(doc) ?? 0
    if (count > 1) leaving?.set(doc, count - 1)
    else leaving?.delete(doc)
  }

  /** The frame came over the link. */
  heard(link: LinkId, { kind }: LinkFrame, now: Instant): void {
    // What comes by itself, or at once whatever waits, shows nothing of what does.
    if (kind === 'signal' || kind === 'status' || kind === 'no-variant') return
    this.#of(link).patience.heard(now)
  }

  /** Links that are not among these are gone. */
  retain(links: readonly LinkId[]): void {
    for (const link of this.#parents.keys()) if (!links.includes(link)) this.#parents.delete(link)
  }

  /** True when `due` has a document. */
  get isDue(): boolean {
    for (const { line } of this.#parents.values()) if (line.next !== undefined) return true
    return false
  }

  /** The documents that may be asked for now, so many at most: each is asked for before the next one is told. */
  *due(countMax: number): IterableIterator<DocumentKey> {
    let left = countMax
    for (const { line } of this.#parents.values()) {
      for (let doc = line.next; doc !== undefined && left > 0; doc = line.next) {
        left--
        yield doc
      }
    }
  }

  #of(link: LinkId): AskedParent {
    let parent = this.#parents.get(link)
    if (parent === undefined) {
      const ms = this.#answerMaxMs
      parent = { patience: new AnswerPatience(ms), line: new AskingLine(ms), leaving: new Map() }
      this.#parents.set(link, parent)
    }
    return parent
  }
}
