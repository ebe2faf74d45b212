export { Edge } from './edge.ts'
export type { EdgeEffect, EdgeFact, EdgeInput } from './edge-effect.ts'
export type { EdgeLimits } from './edge-limits.ts'
export type { EdgeTenantUse, ViewerQuotaOf } from './tenant-quotas.ts'
