import type { SnapshotCodec } from '@fanfold/document'
import type { Prng, Sha256 } from '@fanfold/kernel'
import type { Routes } from '@fanfold/replication'
import type { EdgeLimits } from './edge-limits.ts'
import type { ViewerQuotaOf } from './tenant-quotas.ts'

/** What makes an edge. */
export type EdgeOptions = {
  readonly sha256: Sha256
  readonly prng: Prng
  /** The wall's time, ms since 1970: only told to viewers. */
  readonly wallClockMs: () => number
  readonly limits: EdgeLimits
  /** From which nodes each document may be had; from any parent when not said. */
  readonly routes?: Routes | undefined
  /** What tenants may have here; when not said, nothing bounds them. What it says changes with `quotas-changed`. */
  readonly quotaOf?: ViewerQuotaOf | undefined
  /** How pieces are packed on links; not at all when not said. */
  readonly codec?: SnapshotCodec | undefined
  /** Whether to do without snapshots of parents, and replay logs instead; not when not said. */
  readonly isSnapshotDisabled?: boolean | undefined
}
