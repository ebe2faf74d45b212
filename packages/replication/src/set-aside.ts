/*
 * Documents that a node has put aside. When an assertion fails inside of what it holds of a document,
 * that is in doubt, and nothing else is: it lets go of all of it and tells those below to come again.
 * Unlike at an authority all of it can be had again, so after a while the document begins anew.
 */
import { AssertionError, after, assert, between, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'

/** So long a document is put aside, ms: what fails each time does not fail all the time. */
export const setAsideMs = 30_000

/** Documents that are remembered; beyond, the one that was put aside first may begin anew. */
const documentsMax = 1_024

/** The documents that a node has put aside. */
export class SetAside {
  readonly #until = new Map<DocumentKey, Instant>()

  /** Documents that are put aside, some of them perhaps not any more. */
  get count(): number {
    return this.#until.size
  }

  /** How much longer the document is put aside, ms; undefined when it is not. */
  leftMs(doc: DocumentKey, now: Instant): number | undefined {
    const until = this.#until.get(doc)
    if (until === undefined) return undefined
    if (now < until) return Math.ceil(between(now, until) / 1_000)
    this.#until.delete(doc)
    return undefined
  }

  /**
   * Runs what concerns this document alone; when an assertion fails inside, the document is put aside and
   * `letGo` does what follows from that.
   */
  guard(
    doc: DocumentKey,
    now: Instant,
    step: () => void,
    letGo: (error: AssertionError) => void,
  ): void {
    try {
      step()
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error
      this.#add(doc, now)
      letGo(error)
    }
  }

  #add(doc: DocumentKey, now: Instant): void {
    this.#until.delete(doc)
    if (this.#until.size >= documentsMax) {
      const [oldest] = this.#until.keys()
      assert(oldest !== undefined, 'one of many is the first')
      this.#until.delete(oldest)
    }
    this.#until.set(doc, after(now, milliseconds(setAsideMs)))
  }
}
