/* Limits of the machines of a world, as its options say. */
import { type AuthorityLimits, defaultAuthorityLimits } from '@fanfold/authority'
import { milliseconds } from '@fanfold/kernel'
import { defaultUpstreamLimits, type FollowerLimits } from '@fanfold/replication'
import type { SimulationOptions } from './simulation-options.ts'

/** An edge checks a document so often: in each world many times what a real one does. */
export const checkEveryMs = 50

/** Limits of an authority. */
export function authorityLimitsOf(options: SimulationOptions): AuthorityLimits {
  const { ringRecordsMax, snapshotEveryRecords, restAfterMs, largeStateBytes, sessionIdleMs } =
    options
  return {
    ...defaultAuthorityLimits,
    sessionIdleMs,
    largeStateBytes,
    ring: { ...defaultAuthorityLimits.ring, recordsMax: ringRecordsMax },
    stateHashEveryMs: 0,
    snapshotEveryRecords,
    restAfterMs,
    unloadAfterMs: restAfterMs,
  }
}

/** Limits of a node below. */
export function followerLimitsOf(options: SimulationOptions): FollowerLimits {
  const { ringRecordsMax, creditBytes, largeStateBytes } = options
  return {
    largeStateBytes,
    ring: { recordsMax: ringRecordsMax, bytesMax: 1_048_576, ageMax: milliseconds(60_000) },
    upstream: { ...defaultUpstreamLimits, creditBytes },
    pendingBytesMax: 16_384,
  }
}
