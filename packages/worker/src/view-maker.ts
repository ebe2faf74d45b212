/*
 * Views at a worker. The variant that makes them comes with each request, as a text: it is evaluated
 * once, however often it comes.
 */
import type { EdgeDefinition } from '@fanfold/definition'
import { encodeViewPieces, type JsonObject, type ReplicaWorkerEffect } from '@fanfold/document'
import { type Sha256, sha256Bytes, toHex } from '@fanfold/kernel'
import { CohortView, ViewRules } from '@fanfold/privacy'

/** Evaluates the text of an edge variant; what it throws means that there is no such variant. */
export type EvaluateVariant = (code: Uint8Array) => EdgeDefinition

/** Who looks, and by which variant. */
export type ViewRequest = Extract<ReplicaWorkerEffect, { kind: 'worker-view' }>

/** Variants that are kept, those that were used last. */
const variantsMax = 16

/** Makes views of states. */
export class ViewMaker {
  readonly #sha256: Sha256
  readonly #evaluate: EvaluateVariant
  /** By hash of the text, in order of last use; undefined for one that cannot be run. */
  readonly #rules = new Map<string, ViewRules | undefined>()

  constructor(sha256: Sha256, evaluate: EvaluateVariant) {
    this.#sha256 = sha256
    this.#evaluate = evaluate
  }

  /**
   * What the cohort sees, in pieces. Undefined where it cannot be said: authors' code runs here, and
   * what it throws, or returns that is no view, is shown to nobody.
   */
  make(state: JsonObject, request: ViewRequest): Uint8Array[] | undefined {
    const { variant, audience, clearance, viewState } = request
    const rules = this.#rulesOf(variant)
    if (rules === undefined) return undefined
    try {
      const read = new CohortView({ rules, audience, clearance, viewState }).read(state)
      return read.ok ? encodeViewPieces(read.view) : undefined
    } catch {
      return undefined
    }
  }

  #rulesOf(code: Uint8Array): ViewRules | undefined {
    const digest = new Uint8Array(sha256Bytes)
    this.#sha256(code, digest, 0)
    const hash = toHex(digest)
    const rules = this.#rules.has(hash) ? this.#rules.get(hash) : this.#run(code)
    this.#rules.delete(hash)
    this.#rules.set(hash, rules)
    const [oldest] = this.#rules.keys()
    if (this.#rules.size > variantsMax && oldest !== undefined) this.#rules.delete(oldest)
    return rules
  }

  #run(code: Uint8Array): ViewRules | undefined {
    try {
      return new ViewRules(this.#evaluate(code))
    } catch {
      return undefined
    }
  }
}
