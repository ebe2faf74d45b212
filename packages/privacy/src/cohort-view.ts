import type { JsonObject, JsonValue } from '@fanfold/document'
import { naiveView } from './naive-view.ts'
import type { StagedChange } from './staged-change.ts'
import { viewDifference } from './view-difference.ts'
import type { ViewRules } from './view-rules.ts'

/** A rule or the view failed; nothing is shown until it does not. */
export type ViewFailure = {
  readonly code: 'FANFOLD_RULE_FAILED'
  /** The rule's pattern as it was written (`/odds`), or `view`. */
  readonly place: string
  /** What was thrown, for the operator; no viewer's to know. */
  readonly error: unknown
}

/** What a cohort is told of a change. */
export type ViewStep =
  | { readonly kind: 'nothing' }
  /** Every operation as it stands: the record's own bytes can be sent. */
  | { readonly kind: 'all' }
  | { readonly kind: 'delta'; readonly patchJson: string }
  | { readonly kind: 'failed'; readonly failure: ViewFailure }

/** A view as it is now, or why there is none. */
export type ReadView =
  | { readonly ok: true; readonly view: JsonObject }
  | { readonly ok: false; readonly failure: ViewFailure }

/** What makes a cohort. */
export type CohortOptions = {
  readonly rules: ViewRules
  readonly audience: JsonValue
  /** The highest label the audience may see. */
  readonly clearance: number
  readonly viewState: JsonValue | undefined
}

/**
 * What one cohort sees of a document, change by change.
 *
 * Call `read` first, then `stage` and `settle` around every change. When a rule or the view fails,
 * the cohort stays failed, and `settle` says so again, until `read` succeeds.
 */
export class CohortView {
  readonly #options: CohortOptions
  /** True when it sees the state as it is, always. */
  readonly isPlain: boolean
  #before: JsonObject | undefined
  #failure: ViewFailure | undefined

  constructor(options: CohortOptions) {
    this.#options = options
    const { isOpen, rules, labels, view } = options.rules.definition
    this.isPlain =
      isOpen &&
      rules.length === 0 &&
      view === undefined &&
      labels.every(({ label }) => label <= options.clearance)
  }

  /** The view as it is now: fresh JSON, but for a plain cohort the state itself. */
  read(state: JsonObject): ReadView {
    this.#failure = undefined
    if (this.isPlain) return { ok: true, view: state }
    try {
      const view = naiveView(this.#options.rules.definition, state, this.#options)
      return { ok: true, view: structuredCloneOf(view) }
    } catch (error) {
      this.#failure = { code: 'FANFOLD_RULE_FAILED', place: 'view', error }
      return { ok: false, failure: this.#failure }
    }
  }

  /** Before the change is applied to the state. */
  stage(change: StagedChange): void {
    if (this.#failure !== undefined) return
    const read = this.read(change.before)
    this.#before = read.ok ? structuredCloneOf(read.view) : undefined
  }

  /** After it. */
  settle(_change: StagedChange, state: JsonObject): ViewStep {
    if (this.#failure !== undefined) return { kind: 'failed', failure: this.#failure }
    const after = this.read(state)
    if (!after.ok) return { kind: 'failed', failure: after.failure }
    const operations = viewDifference(this.#before ?? {}, after.view)
    if (operations.length === 0) return { kind: 'nothing' }
    if (this.isPlain) return { kind: 'all' }
    return { kind: 'delta', patchJson: JSON.stringify(operations) }
  }
}

const structuredCloneOf = (view: JsonObject): JsonObject => JSON.parse(JSON.stringify(view))
