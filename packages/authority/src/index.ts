export { Authority, type AuthorityInput } from './authority.ts'
export type { AuthorityEffect, AuthorityFact } from './authority-effect.ts'
export { type AuthorityLimits, defaultAuthorityLimits } from './authority-limits.ts'
export { defaultIdempotencyLimits, type IdempotencyLimits } from './idempotency-window.ts'
