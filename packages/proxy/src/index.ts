export type { ProxyEffect, ProxyFact, ProxyInput, ProxyLimits } from './proxy-effect.ts'
export { ProxyTier } from './proxy-tier.ts'
