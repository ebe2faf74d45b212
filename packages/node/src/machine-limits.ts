import { type AuthorityLimits, defaultAuthorityLimits } from '@fanfold/authority'
import type { EdgeLimits } from '@fanfold/edge'
import { milliseconds } from '@fanfold/kernel'
import type { ProxyLimits } from '@fanfold/proxy'
import {
  type AssemblyLimits,
  defaultTransferLimits,
  defaultUpstreamLimits,
  type FollowerLimits,
  type RingLimits,
  type TransferLimits,
} from '@fanfold/replication'
import type { Config } from './config.ts'

/** Documents that one viewer may observe at a time. */
const documentsPerViewerMax = 100

/** The bounds of an authority, by the configuration. */
export const authorityLimits = ({ limits }: Config): AuthorityLimits => ({
  ...defaultAuthorityLimits,
  documentsMax: limits.documentsMax,
  standbyDocumentsMax: limits.standbyDocumentsMax,
  ring: ringLimits(limits),
  idempotency: {
    commitsMax: limits.idempotencyCountMax,
    ageMaxMs: limits.idempotencyWindowMs,
  },
  writesWaitingMax: limits.writesWaitingMax,
  snapshotEveryBytes: limits.snapshotEveryBytes,
  snapshotEveryRecords: limits.snapshotEveryRecords,
  restAfterMs: limits.ringAgeMaxMs,
  unloadAfterMs: limits.documentIdleCloseMs,
  largeStateBytes: limits.largeStateBytes,
  stateHashBytesMax: limits.viewCheckBytesMax,
  transfer: transferLimits(limits),
  replaysMax: limits.replaysMax,
})

/** The bounds of a proxy, by the configuration. */
export const proxyLimits = ({ limits }: Config): ProxyLimits => ({
  follower: followerLimits(limits),
  lingerMs: limits.interestLingerMs,
  documentsMax: limits.documentsMax,
  assembly: assemblyLimits(limits),
  transfer: transferLimits(limits),
  replaysMax: limits.replaysMax,
})

/** The bounds of an edge, by the configuration. */
export const edgeLimits = ({ limits }: Config): EdgeLimits => ({
  follower: followerLimits(limits),
  lingerMs: limits.interestLingerMs,
  assembly: assemblyLimits(limits),
  documentsPerViewerMax,
  documentsMax: limits.documentsMax,
  cohortsPerDocumentMax: limits.cohortsPerDocumentMax,
  joinsWaitingMax: limits.joinsWaitingMax,
  largeViewsBytesMax: limits.largeViewsBytesMax,
  checkEveryMs: limits.viewCheckEveryMs,
  checkBytesMax: limits.viewCheckBytesMax,
  crowdMessagesPerViewerPerSecond: limits.crowdMessagesPerViewerPerSecond,
  crowdMessagesPerViewerBurst: limits.crowdMessagesPerViewerBurst,
  crowdIdsPerViewerMax: limits.crowdIdsPerViewerMax,
  crowdIdsMax: limits.crowdIdsMax,
  crowdKeptMaxMs: limits.crowdKeptMaxMs,
})

const assemblyLimits = (limits: Config['limits']): AssemblyLimits => ({
  countMax: limits.assembliesMax,
  bytesMax: limits.assemblyBytesMax,
})

const transferLimits = (limits: Config['limits']): TransferLimits => ({
  ...defaultTransferLimits,
  bytesUnderWayMax: limits.snapshotBytesUnderWayMax,
})

const ringLimits = (limits: Config['limits']): RingLimits => ({
  recordsMax: limits.ringRecordsMax,
  bytesMax: limits.ringBytesMax,
  ageMax: milliseconds(limits.ringAgeMaxMs),
})

const followerLimits = (limits: Config['limits']): FollowerLimits => ({
  ring: ringLimits(limits),
  upstream: {
    ...defaultUpstreamLimits,
    creditBytes: limits.creditBytes,
    snapshotBytesMax: limits.snapshotBytesMax,
  },
  pendingBytesMax: limits.replicaPendingBytesMax,
  largeStateBytes: limits.largeStateBytes,
})
