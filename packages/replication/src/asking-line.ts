/*
 * Which documents one parent is asked for, and which have yet to wait.
 *
 * Each question has an answer of its own, which the parent sends whatever waits on the link before it. So
 * many questions at a time are as many answers in front of everything else, and past the cap of a link
 * its end. They go at the pace of the answers: there are about as many under way as are answered while one
 * may take.
 */
import { between, type Instant } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import { WaitingLine } from './waiting-line.ts'

/** Questions under way on one link: at first, and between these bounds. An answer is about 70 bytes. */
export const askingWindow = { first: 512, min: 4, max: 4_096 } as const

/** The questions to one parent. */
export class AskingLine {
  /** Since when each is under way. */
  readonly #underWay = new Map<DocumentKey, Instant>()
  readonly #waiting = new WaitingLine<DocumentKey>()
  readonly #answerMaxMs: number
  #window: number = askingWindow.first

  /** @param answerMaxMs how long an answer may take without there being too many */
  constructor(answerMaxMs: number) {
    this.#answerMaxMs = answerMaxMs
  }

  /** Questions under way. */
  get underWayCount(): number {
    return this.#underWay.size
  }

  /** Documents that wait. */
  get waitingCount(): number {
    return this.#waiting.size
  }

  /** The document that may be asked for next; undefined when none waits, or too many are under way. */
  get next(): DocumentKey | undefined {
    return this.#underWay.size < this.#window ? this.#waiting.first : undefined
  }

  /** True when the document is asked for now, perhaps again; else it waits, and is `next` some time. */
  ask(doc: DocumentKey, now: Instant): boolean {
    const isUnderWay = this.#underWay.has(doc)
    const first = this.#waiting.first
    const mayGo = this.#underWay.size < this.#window && (first === undefined || first === doc)
    if (!isUnderWay && !mayGo) {
      this.#waiting.add(doc)
      return false
    }
    this.#waiting.delete(doc)
    this.#underWay.set(doc, now)
    return true
  }

  /** The parent has answered. */
  answered(doc: DocumentKey, now: Instant): void {
    const since = this.#underWay.get(doc)
    this.leave(doc)
    if (since === undefined) return
    const tookMs = between(since, now) / 1_000
    if (tookMs > this.#answerMaxMs) this.#shrink(7 / 8)
    else if (this.#waiting.size > 0) this.#window = Math.min(this.#window + 1, askingWindow.max)
  }

  /** No answer came: what is asked for again is asked for at half the pace. */
  silent(doc: DocumentKey): void {
    if (this.#underWay.has(doc)) this.#shrink(1 / 2)
    this.leave(doc)
  }

  /** The document is not asked for any more. */
  leave(doc: DocumentKey): void {
    this.#underWay.delete(doc)
    this.#waiting.delete(doc)
  }

  #shrink(share: number): void {
    this.#window = Math.max(Math.floor(this.#window * share), askingWindow.min)
  }
}
