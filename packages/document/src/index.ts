export { Chain } from './chain.ts'
export {
  canonicalJson,
  forbiddenKeys,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from './json.ts'
export type { LogEffect, LogInput, LogRefusal, LogStore, LogStoreFactory } from './log-store.ts'
export { applyPatch, type PatchOperation } from './patch.ts'
export { escapeSegment, type Pointer, parsePointer } from './pointer.ts'
export { parsePayload, Replica } from './replica.ts'
export {
  type AuthorityExtra,
  decodeExtra,
  decodeState,
  encodeSnapshot,
  projectSnapshot,
  type Snapshot,
} from './snapshot.ts'
