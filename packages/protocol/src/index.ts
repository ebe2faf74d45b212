export { ByteReader, readUint32, readUint53 } from './byte-reader.ts'
export { ByteWriter, writeUint32, writeUint53 } from './byte-writer.ts'
export {
  type CloseName,
  type CloseReason,
  closeCodes,
  closeReasonOf,
  mayReconnect,
} from './close-code.ts'
export { decodeLinkFrame } from './decode-link-frame.ts'
export {
  asDocumentKey,
  type DocumentKey,
  type DocumentName,
  documentName,
  parseDocumentKey,
} from './document-key.ts'
export {
  type ErrorCode,
  type ErrorMeaning,
  errorCodes,
  isErrorCode,
  meaningOf,
} from './error-code.ts'
export { type GrantedAction, type Grants, isGranted, matchesGlob } from './grants.ts'
export { type Limit, type LimitName, limitOf, limits } from './limits.ts'
export type { LinkEffect, LinkId, LinkInput, PeerIdentity } from './link.ts'
export {
  encodeLinkFrame,
  encodeRecordsFrame,
  encodeReplayFrame,
  type JoinMode,
  type JoinTake,
  type LabelHash,
  type LinkFrame,
  linkFrameTypes,
  optionalFrameTypeMin,
  type TreePlace,
} from './link-frame.ts'
export {
  encodeRecord,
  LogRecord,
  labelMax,
  partTags,
  projectRecord,
  type RecordFields,
  type RecordKind,
  type RecordPart,
  recordChainOffset,
  recordKeyOffsets,
  recordKinds,
  saltBytes,
  tagOf,
  traceBytes,
} from './log-record.ts'
export {
  describePosition,
  type Position,
  type ResumePoint,
  zeroHash,
  zeroPosition,
} from './position.ts'
export { badFrame, ProtocolError } from './protocol-error.ts'
export { type SignalKind, signalKinds } from './signal.ts'
export { type SignedVariant, variantSigningBytes } from './signed-variant.ts'
export {
  decodeManifest,
  encodeManifest,
  type PieceEntry,
  type SnapshotManifest,
} from './snapshot-manifest.ts'
export {
  recentMs,
  type TreeEntry,
  type TreeRole,
  type TreeStanding,
  treeRoles,
} from './tree-entry.ts'
export { linkSubprotocol, protocolVersion, viewerSubprotocol } from './version.ts'
export type {
  CohortId,
  DrainedCohort,
  TransferId,
  ViewerEffect,
  ViewerId,
  ViewerInput,
} from './viewer.ts'
export {
  type AddId,
  addStamp,
  decodeViewerRequest,
  encodeDeltaFrame,
  encodeSnapshotFrame,
  encodeViewerFrame,
  encodeViewPieceFrame,
  reducerName,
  type ViewerFrame,
  type ViewerRequest,
} from './viewer-frame.ts'
export type { RequestId, WriteAction, WriteAnswer, WriterEffect, WriterInput } from './writer.ts'
export {
  decodeWriterRequest,
  encodeWriterFrame,
  idempotencyId,
  type WriterFrame,
  type WriterRequest,
} from './writer-frame.ts'
