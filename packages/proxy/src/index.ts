export {
  type ProxyEffect,
  type ProxyFact,
  type ProxyInput,
  type ProxyLimits,
  ProxyTier,
} from './proxy-tier.ts'
