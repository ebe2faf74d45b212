import type { JsonObject, PatchOperation } from '@fanfold/document'
import type { ViewRules } from './view-rules.ts'

/**
 * A change about to be made, looked at once for all cohorts.
 *
 * Make it before the patch is applied; hand it to `stage` of every cohort, apply the patch, and hand
 * it to `settle` of every cohort.
 */
export class StagedChange {
  readonly rules: ViewRules
  readonly before: JsonObject

  constructor(rules: ViewRules, state: JsonObject, _patch: readonly PatchOperation[]) {
    this.rules = rules
    this.before = state
  }
}
