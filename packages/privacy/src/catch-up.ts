import type { JsonObject, PatchOperation } from '@fanfold/document'
import type { CohortView, ViewFailure } from './cohort-view.ts'

/** What brings a lagging viewer up to date. */
export type CatchUp =
  | { readonly kind: 'delta'; readonly patchJson: string }
  /** Only the whole view is exact. */
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'failed'; readonly failure: ViewFailure }

/** From any seq inside the span of `patches` to now: the values now of what they touched. */
export function catchUpPatch(_options: {
  readonly view: CohortView
  readonly state: JsonObject
  readonly patches: readonly (readonly PatchOperation[])[]
}): CatchUp {
  return { kind: 'snapshot' }
}
