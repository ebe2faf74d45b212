/* What a tenant may take, as an item of the configuration says it: `acme viewers=5000 bytesPerSecond=10MiB`. */
import { assert } from '@fanfold/kernel'
import { matchesGlob } from '@fanfold/protocol'
import type { TenantQuota } from '@fanfold/topology'
import { bytesIn } from './config-value.ts'

/** The least that bytes per second may be bounded to: less would show nobody anything. */
export const bytesPerSecondMin = 1_024

/** What tenants of a glob may take. */
export type QuotaRule = { readonly tenants: string; readonly quota: TenantQuota }

/** A rule from an item of `tenants.quotas`, of which the configuration has seen that it is one. */
export function parseQuotaRule(item: string): QuotaRule {
  const [tenants, ...bounds] = item.split(' ')
  assert(tenants !== undefined && tenants !== '', `an item names its tenants, got ${item}`)
  const given = new Map(bounds.map(bound => splitAt(bound, '=')))
  const count = (name: string): number | undefined => {
    const text = given.get(name)
    return text === undefined ? undefined : Number(text)
  }
  const bytes = given.get('bytesPerSecond')
  return {
    tenants,
    quota: {
      documentsMax: count('documents'),
      viewersMax: count('viewers'),
      bytesPerSecondMax: bytes === undefined ? undefined : bytesIn(bytes),
    },
  }
}

/** What the first rule whose glob the tenant matches says; undefined where none does. */
export const ruledQuota = (rules: readonly QuotaRule[], tenant: string): TenantQuota | undefined =>
  rules.find(({ tenants }) => matchesGlob(tenants, tenant))?.quota

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return [text.slice(0, at), text.slice(at + 1)]
}
