export { type CatchUp, catchUpPatch } from './catch-up.ts'
export {
  type CohortOptions,
  CohortView,
  type ReadView,
  type ViewFailure,
  type ViewStep,
} from './cohort-view.ts'
export { type NaiveCohort, naiveView } from './naive-view.ts'
export { StagedChange } from './staged-change.ts'
export { viewDifference } from './view-difference.ts'
export { ViewRules } from './view-rules.ts'
