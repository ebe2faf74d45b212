/* What tenants have here of what they may: for whoever looks at the node, and for metrics. */
import type { TenantQuota } from '@fanfold/topology'
import type { ProcessRoles } from './process-roles.ts'
import type { TenantQuotas } from './tenant-quotas.ts'

/** What a tenant has at this node. */
export type TenantUse = {
  /** Documents in memory at the authority. */
  readonly documents: number
  /** Viewers at the edges. */
  readonly viewers: number
  /** Bytes that the edges have sent to its viewers since they are counted. */
  readonly sentBytes: number
  /** Whether its viewers are shown less often now, for it has sent as much as it may. */
  readonly isHeld: boolean
}

/** A tenant that a quota bounds. */
export type QuotaUse = {
  readonly tenant: string
  /** What it may take in all. */
  readonly whole: TenantQuota | undefined
  /** What it may take at this node. */
  readonly here: TenantQuota | undefined
  readonly used: TenantUse
}

/** What a tenant that a quota bounds may take, and has; undefined for one that nothing bounds. */
export function quotaUseOf(
  tenant: string,
  roles: ProcessRoles,
  quotas: TenantQuotas,
): QuotaUse | undefined {
  const here = quotas.quotaOf(tenant)
  if (here === undefined) return undefined
  const edges = roles.viewed.map(edge => edge.tenantUse(tenant))
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)
  return {
    tenant,
    whole: quotas.wholeOf(tenant),
    here,
    used: {
      documents: roles.authority?.documentsOf(tenant) ?? 0,
      viewers: sum(edges.map(use => use.viewers)),
      sentBytes: sum(edges.map(use => use.sentBytes)),
      isHeld: edges.some(use => use.isHeld),
    },
  }
}

/** The same of all tenants that a quota bounds and that have something here, by name. */
export function quotaUses(roles: ProcessRoles, quotas: TenantQuotas): QuotaUse[] {
  const tenants = new Set<string>(roles.authority?.boundedTenants)
  for (const edge of roles.viewed) for (const tenant of edge.boundedTenants) tenants.add(tenant)
  return [...tenants].toSorted().flatMap(tenant => quotaUseOf(tenant, roles, quotas) ?? [])
}
