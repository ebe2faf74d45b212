export { Chain } from './chain.ts'
export { type DocumentLimits, documentLimits } from './document-limits.ts'
export {
  canonicalJson,
  forbiddenKeys,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from './json.ts'
export {
  type AdoptedJson,
  adoptJson,
  describePointer,
  type JsonProblem,
  jsonBytes,
  memberBytes,
  textBytes,
} from './json-value.ts'
export type { LogEffect, LogInput, LogRefusal, LogStore, LogStoreFactory } from './log-store.ts'
export { applyPatch, type PatchOperation } from './patch.ts'
export {
  anySegment,
  type PathPattern,
  parsePathPattern,
  pointerOf,
  type Segment,
} from './path-pattern.ts'
export { escapeSegment, type Pointer, parsePointer } from './pointer.ts'
export type { Change, LabelRule, RecordedDefinition } from './recorded-definition.ts'
export { parsePayload, Replica } from './replica.ts'
export {
  type AuthorityExtra,
  decodeExtra,
  decodeState,
  encodeSnapshot,
  projectSnapshot,
  type Snapshot,
} from './snapshot.ts'
