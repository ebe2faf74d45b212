import type { RecordedDefinition } from '@fanfold/document'
import type { Sha256 } from '@fanfold/kernel'
import { type DocumentKey, documentName } from '@fanfold/protocol'
import type { Terms } from './cohort.ts'
import { ResumePoints } from './resume-point.ts'
import type { Turn } from './turn.ts'
import type { Variants } from './variants.ts'

/** What getting terms needs of the edge. */
export type TermsPort = {
  readonly turn: Turn
  readonly sha256: Sha256
  readonly variants: Variants
  /** The wall's time, ms since 1970. */
  wallClockMs(): number
}

/**
 * Gets what a document's definition comes to at this edge, and waits for the variant where it is not
 * loaded: one at a time, without which nothing more can be shown.
 */
export class TermsSource {
  readonly #doc: DocumentKey
  readonly #port: TermsPort
  #awaited: string | undefined
  #missingSinceMs: number | undefined

  constructor(doc: DocumentKey, port: TermsPort) {
    this.#doc = doc
    this.#port = port
  }

  /** True while a variant is awaited that is not loaded. */
  get isWaiting(): boolean {
    return this.#awaited !== undefined && this.#port.variants.get(this.#awaited) === undefined
  }

  /** True until the terms that were asked for last are there. */
  get isBlocked(): boolean {
    return this.#awaited !== undefined
  }

  /** Since when the wall has known that the variant cannot be had; undefined while it may be. */
  get missingSinceMs(): number | undefined {
    return this.#missingSinceMs
  }

  /**
   * What a definition comes to; undefined when nobody can be shown anything by it. The terms before
   * are the same object when nothing in them has changed.
   */
  termsOf(
    definition: RecordedDefinition | undefined,
    before: Terms | undefined,
  ): Terms | undefined | 'awaited' {
    const doc = this.#doc
    const { variants, sha256 } = this.#port
    const hash = definition?.variant
    if (definition === undefined || hash === undefined) return undefined
    const rules = variants.get(hash)
    if (rules === undefined) {
      this.#await(hash)
      return 'awaited'
    }
    const { type, observe } = rules.definition
    if (type !== documentName(doc).type) {
      this.#awaited = hash
      this.#miss(hash)
      return 'awaited'
    }
    if (observe === undefined) return undefined
    const { viewKey } = definition
    if (before?.rules === rules && before.viewKey === viewKey) return before
    const points = new ResumePoints(sha256, viewKey)
    const isDense = observe.numbering === 'dense'
    return { doc, variant: hash, viewKey, rules, points, isDense }
  }

  /** The document is under these terms now. */
  settle(terms: Terms | undefined, before: Terms | undefined): void {
    this.#port.variants.use(this.#doc, terms?.variant, before?.variant)
    this.#await(undefined)
  }

  /** The variant that is awaited is here (true), or cannot be had. */
  variantChanged(): boolean {
    const hash = this.#awaited
    if (hash === undefined) return false
    const { variants } = this.#port
    if (variants.get(hash) === undefined && variants.isMissing(hash)) this.#miss(hash)
    return variants.get(hash) !== undefined
  }

  #await(hash: string | undefined): void {
    const { variants, turn } = this.#port
    const before = this.#awaited
    if (hash === before) return
    this.#awaited = hash
    this.#missingSinceMs = undefined
    if (before !== undefined) variants.unwant(this.#doc, before)
    if (hash === undefined) return
    variants.want(this.#doc, hash, turn.now)
    if (variants.isMissing(hash)) this.#miss(hash)
  }

  #miss(hash: string): void {
    if (this.#missingSinceMs !== undefined) return
    this.#missingSinceMs = this.#port.wallClockMs()
    this.#port.turn.fact({ event: 'variant-missing', doc: this.#doc, hash })
  }
}
