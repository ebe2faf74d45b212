export type { JsonObject, JsonValue } from '@fanfold/document'
export { DefinitionError } from './definition-error.ts'
export {
  type DocumentDefinition,
  type DocumentSpec,
  defineDocument,
  type MessageName,
  type MessageValue,
  type ReducerName,
  type ReducerValue,
  type Schemas,
  type StateOf,
  type ViewOf,
} from './document-definition.ts'
export type {
  EdgeDefinition,
  Numbering,
  ObservePolicy,
  PrivacyRule,
  RuleContext,
  Viewer,
  ViewFunction,
} from './edge-definition.ts'
export { type InitialState, initialState, type ValidMessage, validateMessage } from './evaluate.ts'
export {
  type By,
  type Handler,
  type MessageDeclaration,
  type MessageRule,
  message,
  type ReducerDeclaration,
  type ReducerRule,
  type Reduction,
  reducer,
} from './message.ts'
