import type { EdgeDefinition, PrivacyRule, RuleContext } from '@fanfold/definition'
import {
  applyPatch,
  type JsonObject,
  type JsonValue,
  type PatchOperation,
  type PathPattern,
  parsePathPattern,
} from '@fanfold/document'
import { CohortView, type ViewStep } from '../src/cohort-view.ts'
import { StagedChange } from '../src/staged-change.ts'
import { ViewRules } from '../src/view-rules.ts'

type Allow = (audience: unknown, context: RuleContext) => boolean

/** Rules by pattern: a function, or one that reads. */
export type RuleTable = {
  readonly [pattern: string]: Allow | { readonly reads: readonly string[]; readonly allow: Allow }
}

export const nobody: Allow = () => false
export const everybody: Allow = () => true
/** The audience is the name that the last `*` stands for. */
export const itself: Allow = (audience, { key }) => key === audience

/** A definition as an author would write it, open unless told otherwise. */
export function define(
  table: RuleTable,
  overrides: Partial<Pick<EdgeDefinition, 'isOpen' | 'view'>> & {
    readonly labels?: { readonly [pattern: string]: number }
  } = {},
): EdgeDefinition {
  return {
    type: 'match',
    reducers: {},
    watched: {},
    observe: undefined,
    rules: Object.entries(table).map(([pattern, rule]): PrivacyRule => {
      const { reads, allow } = typeof rule === 'function' ? { reads: [], allow: rule } : rule
      return { pattern: patternOf(pattern), reads: reads.map(patternOf), allow }
    }),
    isOpen: overrides.isOpen ?? true,
    labels: Object.entries(overrides.labels ?? {}).map(([pattern, label]) => ({ pattern, label })),
    view: overrides.view,
    viewState: undefined,
  }
}

export function patternOf(text: string): PathPattern {
  const pattern = parsePathPattern(text)
  if (pattern === undefined) throw new Error(`${text} is a pattern`)
  return pattern
}

/** A document and one cohort that sees it. */
export class Observed {
  readonly rules: ViewRules
  readonly cohort: CohortView
  state: JsonObject

  constructor(
    definition: EdgeDefinition,
    state: JsonObject,
    cohort: {
      readonly audience?: JsonValue
      readonly clearance?: number
      readonly viewState?: JsonValue
    } = {},
  ) {
    this.rules = new ViewRules(definition)
    this.state = state
    const { audience = 'anna', clearance = 0, viewState } = cohort
    this.cohort = new CohortView({ rules: this.rules, audience, clearance, viewState })
    this.cohort.read(state)
  }

  /** What the cohort sees now. */
  get view(): JsonObject {
    const read = this.cohort.read(this.state)
    if (!read.ok) throw read.failure.error
    return read.view
  }

  /** Changes the document, and says what the cohort is told. */
  change(...patch: PatchOperation[]): ViewStep {
    const change = new StagedChange(this.rules, this.state, patch)
    this.cohort.stage(change)
    const state = applyPatch(this.state, patch)
    if (state === undefined) throw new Error('the patch fits')
    this.state = state
    return this.cohort.settle(change, state)
  }

  /** Like `change`, with the operations that are sent, or the word for there being none. */
  told(...patch: PatchOperation[]): unknown {
    const step = this.change(...patch)
    return step.kind === 'delta' ? JSON.parse(step.patchJson) : step.kind
  }
}
