export type { JsonObject, JsonValue } from '@fanfold/document'
export { type ApplicableSum, applySum } from './apply-sum.ts'
export { everybody, nobody } from './audience-rules.ts'
export { type CrowdBudget, partBytesMax } from './crowd-budget.ts'
export type { DeepPartial, DeepReadonly } from './deep.ts'
export { DefinitionError } from './definition-error.ts'
export { definitionLimits } from './definition-limits.ts'
export {
  type DocumentDefinition,
  type DocumentSpec,
  defineDocument,
  type MessageName,
  type MessageValue,
  type NoViewState,
  type ReducerName,
  type ReducerValue,
  type Schemas,
  type StateOf,
  type ViewOf,
  type ViewStateOf,
  type VisibleOf,
} from './document-definition.ts'
export type {
  EdgeDefinition,
  EdgeReducer,
  Numbering,
  ObservePolicy,
  PrivacyRule,
  RuleContext,
  Viewer,
  ViewFunction,
} from './edge-definition.ts'
export type { EdgeSpec } from './edge-members.ts'
export {
  type Heard,
  heardBy,
  type InitialState,
  initialState,
  type ValidMessage,
  validateMessage,
} from './evaluate.ts'
export type { JsonSchema } from './guard.ts'
export {
  type AnyReduction,
  type At,
  type By,
  type Handler,
  type MessageDeclaration,
  type MessageRule,
  message,
  type ReducerDeclaration,
  type ReducerRule,
  reducer,
} from './message.ts'
export type { ObserveSpec } from './observe-policy.ts'
export { covers } from './pattern-places.ts'
export { type PresenceDeclaration, type PresenceRule, presence } from './presence.ts'
export type { PatternText, RuleFunction, RuleSpec } from './privacy-rules.ts'
export * from './reductions/library.ts'
export { type Merging, mergingOf } from './reductions/shapes.ts'
export {
  type EdgeWatched,
  type Watched,
  type WatchedDeclaration,
  type WatchedRule,
  watched,
  watchedBy,
} from './watched.ts'
