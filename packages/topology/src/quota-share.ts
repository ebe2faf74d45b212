/*
 * What of a tenant's quota is one node's, computed by each node alone from the view that all have: nobody is asked
 * for a viewer or a document, so the parts are fixed while the view is, and together they are the quota.
 *
 * Documents go by the weight of the authorities that take the tenant, as rendezvous deals them out; all of them to
 * the one that the tenant is placed on. Viewers, and bytes to them, go alike to all edges: where viewers connect
 * nobody decides. Parts are rounded up.
 */
import type { Member } from './member.ts'
import type { Placement } from './placement.ts'
import type { TenantQuota } from './placement-entry.ts'

/** The part of `quota`, which is the whole fleet's, that is the node's. */
export function quotaShare(options: {
  readonly quota: TenantQuota
  readonly tenant: string
  readonly node: string
  readonly placement: Placement
}): TenantQuota {
  const { quota, placement } = options
  const edges = edgesOf(placement)
  const part = (max: number | undefined, share: number): number | undefined =>
    max === undefined ? undefined : Math.ceil(max * share)
  const ofEdges = 1 / Math.max(1, edges)
  return {
    documentsMax: part(quota.documentsMax, documentShare(options)),
    viewersMax: part(quota.viewersMax, ofEdges),
    bytesPerSecondMax: part(quota.bytesPerSecondMax, ofEdges),
  }
}

function documentShare({
  tenant,
  node,
  placement,
}: Pick<Parameters<typeof quotaShare>[0], 'tenant' | 'node' | 'placement'>): number {
  const entry = placement.entry(tenant)
  if (entry !== undefined && placement.standingOf(entry) === 'placement') return 1
  const takers = placement.takersOf(tenant).filter(isStaying)
  const own = takers.find(taker => taker.node === node)
  // Who takes none and has some has what is left to it, or placed on it by name.
  if (own === undefined) return 1
  return own.weight / takers.reduce((sum, { weight }) => sum + weight, 0)
}

function edgesOf(placement: Placement): number {
  const edges = [...placement.members].filter(
    member => member.roles.includes('edge') && !member.isDraining && !placement.differs(member),
  )
  return edges.length
}

const isStaying = ({ isDraining, weight }: Member): boolean => !isDraining && weight > 0
