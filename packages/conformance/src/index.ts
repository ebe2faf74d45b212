export { areSame, type BuildLogOptions, type BuiltLog, buildLog, sha256 } from './build-log.ts'
export { type CoordinatorRig, type OpenCoordinatorRig, testCoordinatorPort } from './coordinator.ts'
export { type Announcement, CoordinatorClient, type PlacingAnswer } from './coordinator-client.ts'
export { type LinkRig, type LinkSide, type OpenLinkRig, testLinkPort } from './link.ts'
export { LogClient, type OpenedDocument, write } from './log-client.ts'
export { testLogFollowing } from './log-following.ts'
export { aboveLabels, type BuiltDefinition, labelledText } from './log-script.ts'
export { type LogStoreRig, type OpenLogStoreRig, testLogStorePort } from './log-store.ts'
export { logStoreSource } from './log-store-source.ts'
export {
  type OpenRecordSource,
  type RecordSource,
  type SourcePart,
  testRecordSource,
} from './record-source.ts'
export {
  type OpenReplicaWorkerRig,
  type ReplicaWorkerRig,
  testReplicaWorkerPort,
} from './replica-worker.ts'
export { type AskedView, ReplicaWorkerClient } from './replica-worker-client.ts'
export { type IssuedCertificate, type IssueOptions, TestAuthority } from './test-authority.ts'
export {
  isSameDocument,
  type OpenWarmStoreRig,
  testWarmStorePort,
  WarmClient,
  type WarmStoreRig,
  warmDocument,
} from './warm-store.ts'
