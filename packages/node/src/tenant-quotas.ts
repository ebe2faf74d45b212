/*
 * What each tenant may take at this node, for all of its roles: by what operators have said in the place to meet, then
 * by the configuration, bound by bound. In a fleet both are of the whole fleet, and this node has its part.
 */
import { type FleetView, quotaShare, type TenantQuota } from '@fanfold/topology'
import { parseQuotaRule, type QuotaRule, ruledQuota } from './quota-rule.ts'

/** Tenants whose part is kept at hand; beyond so many they are computed anew. */
const tenantsMax = 10_000

/** What tenants may take. */
export class TenantQuotas {
  readonly #listeners = new Set<() => void>()
  readonly #shares = new Map<string, TenantQuota | undefined>()
  readonly #processes: number
  #rules: readonly QuotaRule[]
  #view: FleetView | undefined
  /** Of what was told last. */
  #told = ''

  /**
   * @param rules `tenants.quotas` of the configuration
   * @param processes of this node, each of which has an equal part of what viewers may have here, rounded up
   */
  constructor(rules: readonly string[], processes = 1) {
    this.#processes = processes
    this.#rules = rules.map(parseQuotaRule)
  }

  /** The node is part of a fleet, of which a quota is said as a whole from now on. */
  follow(view: FleetView): void {
    this.#view = view
    view.onPlaced(() => this.#changed())
    this.#changed()
  }

  /** Takes the rules of another configuration. */
  reconfigure(rules: readonly string[]): void {
    this.#rules = rules.map(parseQuotaRule)
    this.#changed()
  }

  /** What a tenant may take at this node; undefined where nothing bounds it. */
  readonly quotaOf = (tenant: string): TenantQuota | undefined => {
    const known = this.#shares.get(tenant)
    if (known !== undefined || this.#shares.has(tenant)) return known
    if (this.#shares.size >= tenantsMax) this.#shares.clear()
    const share = this.#shareOf(tenant)
    this.#shares.set(tenant, share)
    return share
  }

  /** What it may take in all: in the fleet, or at this node where there is none. */
  wholeOf(tenant: string): TenantQuota | undefined {
    const placed = this.#view?.placement?.quotaOf(tenant)
    const ruled = ruledQuota(this.#rules, tenant)
    if (placed === undefined) return ruled
    return {
      documentsMax: placed.documentsMax ?? ruled?.documentsMax,
      viewersMax: placed.viewersMax ?? ruled?.viewersMax,
      bytesPerSecondMax: placed.bytesPerSecondMax ?? ruled?.bytesPerSecondMax,
    }
  }

  /** Calls `changed` each time that some tenant may take something else here. */
  onChange(changed: () => void): void {
    this.#listeners.add(changed)
  }

  #shareOf(tenant: string): TenantQuota | undefined {
    const quota = this.#ofNode(tenant)
    if (quota === undefined || this.#processes === 1) return quota
    const part = (max: number | undefined): number | undefined =>
      max === undefined ? undefined : Math.ceil(max / this.#processes)
    const { documentsMax, viewersMax, bytesPerSecondMax } = quota
    return {
      documentsMax,
      viewersMax: part(viewersMax),
      bytesPerSecondMax: part(bytesPerSecondMax),
    }
  }

  #ofNode(tenant: string): TenantQuota | undefined {
    const quota = this.wholeOf(tenant)
    const placement = this.#view?.placement
    if (quota === undefined || placement === undefined) return quota
    return quotaShare({ quota, tenant, node: this.#view?.self.node ?? '', placement })
  }

  /** A view that differs in nothing that bounds a tenant is no news. */
  #changed(): void {
    this.#shares.clear()
    const told = this.#fingerprint()
    if (told === this.#told) return
    this.#told = told
    for (const changed of this.#listeners) changed()
  }

  /** The same for views and rules by which every tenant may take the same here. */
  #fingerprint(): string {
    const placement = this.#view?.placement
    const entries = [...(placement?.entries ?? [])].filter(({ quota }) => quota !== undefined)
    const isAny = entries.length > 0 || this.#rules.length > 0
    const members = isAny ? [...(placement?.members ?? [])] : []
    return JSON.stringify([
      this.#rules,
      entries.map(({ subject }) => [subject, this.#shareOf(subject)]),
      // A rule may be any tenant's: what its parts are made of.
      this.#rules.length > 0 && [placement?.fingerprint, members.map(memberParts)],
    ])
  }
}

const memberParts = ({
  node,
  roles,
  weight,
  isDraining,
  tenants,
  fingerprint,
}: FleetView['members'][number]): unknown => [node, roles, weight, isDraining, tenants, fingerprint]
