/*
 * What one cohort sees, change by change. Before a change it notes what is lost when the change is
 * made: what it sees at the locations, and the answers at the gates. After it, the answers now decide
 * what goes out. No place that the change does not touch is looked at.
 */
import {
  adoptReturned,
  documentLimits,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type PatchOperation,
} from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import { copyJson, frozenJson } from './json-copy.ts'
import { isBelow, isWithin, type Place, placeAt } from './place.ts'
import { Loan } from './read-only.ts'
import type { ViewFailure } from './rule-asker.ts'
import type { StagedChange } from './staged-change.ts'
import { StateFilter } from './state-filter.ts'
import { appendDifference, viewDifference } from './view-difference.ts'
import type { ViewRules } from './view-rules.ts'
import { visibleState } from './visible-state.ts'

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
  /** The highest label the audience may see, 0 … 239. */
  readonly clearance: number
  readonly viewState: JsonValue | undefined
}

/**
 * What one cohort sees of a document.
 *
 * Call `read` first, then `stage` and `settle` around every change, or `compare` after any number of them
 * where the view is computed. When a rule or the view fails,
 * the cohort stays failed: `settle` says so at every change, until `read` succeeds.
 */
export class CohortView {
  readonly rules: ViewRules
  /** True when it sees the state as it is, always. */
  readonly isPlain: boolean
  /** True when nothing that it sees is kept from anybody who sees some of it. */
  readonly isUnmixed: boolean
  readonly #audience: unknown
  readonly #clearance: number
  readonly #viewState: unknown
  /** What the computed view was last; undefined before the first, and where there is none. */
  #last: JsonObject | undefined
  #staged: StagedSight | undefined
  #failure: ViewFailure | undefined

  constructor({ rules, audience, clearance, viewState }: CohortOptions) {
    this.rules = rules
    this.#audience = frozenJson(audience)
    this.#clearance = clearance
    this.#viewState = viewState === undefined ? undefined : frozenJson(viewState)
    const { isOpen, labels, view } = rules.definition
    const isUnruled = isOpen && view === undefined && rules.definition.rules.length === 0
    this.isPlain = isUnruled && labels.every(({ label }) => label <= clearance)
    this.isUnmixed = isUnruled && labels.every(({ label }) => label > clearance)
  }

  /** Why nothing is shown; undefined while nothing has failed. */
  get failure(): ViewFailure | undefined {
    return this.#failure
  }

  /** The view as it is now: fresh JSON, but for a plain cohort the state itself. Ends a failure. */
  read(state: JsonObject): ReadView {
    this.#failure = undefined
    this.#staged = undefined
    if (this.isPlain) return { ok: true, view: state }
    const view = this.#hasView ? this.#computeView(state) : this.#seenOf(state)
    if (this.#failure !== undefined || view === undefined) return this.#failed()
    if (this.#hasView) this.#last = view
    return { ok: true, view: this.#hasView ? objectOf(copyJson(view)) : view }
  }

  /** Looks at what is lost with the change: call it before the change is applied to the state. */
  stage(change: StagedChange): void {
    assert(change.rules === this.rules, 'a change is staged under the rules of the cohort')
    if (this.#failure !== undefined || change.isIdle || this.#takesAll(change)) return
    change.prepare()
    if (this.#hasView && this.#last === undefined) this.#last = this.#computeView(change.state)
    const filter = this.filter(change.state)
    this.#staged = {
      change,
      seen: change.locations.map(place => filter.seenAt(place, true)),
      allowed: change.gates.map(place => filter.allows(place)),
    }
    this.#end(filter)
  }

  /** Says what the cohort is told: call it after the change was applied. */
  settle(change: StagedChange, state: JsonObject): ViewStep {
    if (this.#failure !== undefined) return { kind: 'failed', failure: this.#failure }
    if (change.isIdle) return { kind: 'nothing' }
    if (this.#takesAll(change)) return { kind: 'all' }
    const staged = this.#staged
    this.#staged = undefined
    assert(staged?.change === change, 'a change is staged before it is settled')
    const filter = this.filter(state)
    const step = settleChange(staged, filter)
    this.#end(filter)
    if (this.#failure !== undefined) return { kind: 'failed', failure: this.#failure }
    return this.#hasView && step.kind !== 'nothing' ? this.#settleView(state) : step
  }

  /**
   * Says what the cohort is told of all that has changed since it was read or settled last, for a view
   * that is computed: nothing has to be staged for it.
   */
  compare(state: JsonObject): ViewStep {
    if (this.#failure !== undefined) return { kind: 'failed', failure: this.#failure }
    assert(this.#last !== undefined, 'a computed view is read before it is compared')
    this.#staged = undefined
    return this.#settleView(state)
  }

  /** A look at a state with the eyes of the cohort; `end` it. */
  filter(state: JsonObject): StateFilter {
    const [audience, clearance] = [this.#audience, this.#clearance]
    return new StateFilter({ rules: this.rules, audience, clearance, state })
  }

  get #hasView(): boolean {
    return this.rules.definition.view !== undefined
  }

  /** What a patch writes and takes back is in no state: not even who sees all of them is told. */
  #takesAll(change: StagedChange): boolean {
    return this.isPlain && !change.isLossy
  }

  #settleView(state: JsonObject): ViewStep {
    const [last, now] = [this.#last, this.#computeView(state)]
    if (this.#failure !== undefined) return { kind: 'failed', failure: this.#failure }
    if (last === undefined || now === undefined) return { kind: 'nothing' }
    this.#last = now
    return deltaOf(viewDifference(last, now).map(operation => JSON.stringify(operation)))
  }

  #seenOf(state: JsonObject): JsonObject {
    const filter = this.filter(state)
    const seen = filter.seenAt(placeAt(this.rules, []), true)
    this.#end(filter)
    return objectOf(seen)
  }

  /** What the definition's `view` makes of the state, fresh; undefined after noting a failure. */
  #computeView(state: JsonObject): JsonObject | undefined {
    const { view } = this.rules.definition
    const loan = new Loan()
    const filter = this.filter(state)
    try {
      const made = view?.(visibleState(state, filter, loan), this.#audience, this.#viewState)
      const adopted = adoptReturned(made, documentLimits)
      if (made === undefined) throw new TypeError('the view returned nothing: return a JSON object')
      if (!adopted.ok) {
        throw new TypeError(`the view returned what is not JSON: ${adopted.problem.message}`)
      }
      if (!isJsonObject(adopted.value)) {
        throw new TypeError('the view returned what is no object: return a JSON object')
      }
      return adopted.value
    } catch (error) {
      this.#failure ??= filter.failure ?? { code: 'FANFOLD_RULE_FAILED', place: 'view', error }
      return undefined
    } finally {
      loan.end()
      this.#end(filter)
    }
  }

  #end(filter: StateFilter): void {
    filter.end()
    this.#failure ??= filter.failure
  }

  #failed(): ReadView {
    assert(this.#failure !== undefined, 'what is not seen has failed')
    return { ok: false, failure: this.#failure }
  }
}

/** What a cohort noted before a change. */
type StagedSight = {
  readonly change: StagedChange
  /** What it saw at each location. */
  readonly seen: readonly (JsonValue | undefined)[]
  /** The answer at each gate. */
  readonly allowed: readonly boolean[]
}

function settleChange({ change, seen, allowed }: StagedSight, filter: StateFilter): ViewStep {
  const { regions, locations, gates } = change
  const turned = gates.filter((place, index) => filter.allows(place) !== allowed[index])
  const behind = new Set(turned.map(({ pointer }) => pointer))
  const open = regions.filter(
    ({ place }) => !isWithin(place.pointer, behind) && filter.allows(place),
  )
  if (change.isAllRegions && turned.length === 0 && open.length === regions.length) {
    return open.length === 0 ? { kind: 'nothing' } : { kind: 'all' }
  }
  const texts = open.flatMap(region => region.texts())
  const operations: PatchOperation[] = []
  for (const [index, place] of gates.entries()) {
    const { pointer } = place
    if (!behind.has(pointer) || isBelow(pointer, behind)) continue
    // Something was at the place: an answer that was yes showed it.
    if (allowed[index] === true) operations.push({ op: 'remove', path: pointer })
    else appendChange(undefined, filter.seenAt(place, false), place, operations)
  }
  for (const [index, place] of locations.entries()) {
    if (isWithin(place.pointer, behind)) continue
    appendChange(seen[index], filter.seenAt(place, false), place, operations)
  }
  for (const operation of operations) texts.push(JSON.stringify(operation))
  return deltaOf(texts)
}

function appendChange(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  { pointer: path }: Place,
  operations: PatchOperation[],
): void {
  if (before === undefined) {
    if (after !== undefined) operations.push({ op: 'add', path, value: after })
  } else if (after === undefined) operations.push({ op: 'remove', path })
  else appendDifference(before, after, path, operations)
}

const deltaOf = (texts: readonly string[]): ViewStep =>
  texts.length === 0 ? { kind: 'nothing' } : { kind: 'delta', patchJson: `[${texts.join(',')}]` }

function objectOf(value: JsonValue | undefined): JsonObject {
  assert(isJsonObject(value), 'a view is an object')
  return value
}
