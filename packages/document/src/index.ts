export { Chain } from './chain.ts'
export { type Change, decodeChange } from './change.ts'
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
  adoptReturned,
  describePointer,
  type JsonProblem,
  jsonBytes,
  memberBytes,
  textBytes,
} from './json-value.ts'
export type { LabelProblem } from './label-cut.ts'
export { type LabelParts, Labels, type SplitPatch } from './labels.ts'
export type {
  LogEffect,
  LogInput,
  LogReadId,
  LogRefusal,
  LogStore,
  LogStoreFactory,
} from './log-store.ts'
export { applyPatch, type PatchOperation } from './patch.ts'
export {
  anySegment,
  type PathPattern,
  parsePathPattern,
  pointerOf,
  type Segment,
} from './path-pattern.ts'
export {
  escapeSegment,
  memberOf,
  type Pointer,
  parsePointer,
  pointerTo,
  valueAt,
} from './pointer.ts'
export {
  decodeDefinition,
  definitionPart,
  definitionPartBytesMax,
  encodeDefinitionParts,
  isDefinitionInBounds,
  isSameDefinition,
  type LabelRule,
  type RecordedDefinition,
  type RecordedVariant,
  recordedDefinition,
} from './recorded-definition.ts'
export { type AnsweredLogEffect, refusedLogEffect } from './refused-log-effect.ts'
export { Replica } from './replica.ts'
export type {
  ReplicaWorker,
  ReplicaWorkerEffect,
  ReplicaWorkerFactory,
  ReplicaWorkerInput,
  WorkerReplicaId,
  WorkerViewId,
} from './replica-worker.ts'
export {
  type AuthorityExtra,
  decodeExtra,
  decodeSnapshot,
  encodeSnapshot,
  encodeViewPieces,
  projectSnapshot,
  type Snapshot,
  type SnapshotContent,
} from './snapshot.ts'
export {
  canUnpack,
  type PackedPiece,
  plainCodec,
  type SnapshotCodec,
  snapshotCodecs,
} from './snapshot-codec.ts'
export { SnapshotDecoder } from './snapshot-decoder.ts'
export { ExtraDecoder, ExtraEncoder, type ExtraPieces, withExtra } from './snapshot-extra.ts'
export { mayFit } from './snapshot-pieces.ts'
export { hashState } from './state-hash.ts'
export type {
  WarmDocument,
  WarmEffect,
  WarmInput,
  WarmStore,
  WarmStoreFactory,
} from './warm-store.ts'
