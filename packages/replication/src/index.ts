export { type AssemblyLimits, defaultAssemblyLimits } from './assembly-budget.ts'
export { ChildLinks, type ChildLinksOwner, documentsPerLinkMax } from './child-links.ts'
export {
  Downstream,
  type JoinRequest,
  refusal,
  type SnapshotSource,
} from './downstream.ts'
export { Follower, type FollowerLimits } from './follower.ts'
export { Following } from './following.ts'
export type { FollowingEvent, FollowingFact } from './following-event.ts'
export type { FollowingEffect, ParentEffect } from './parent-effect.ts'
export type { Relay, ReplayAsk, ReplayFrame } from './replay-relays.ts'
export { HeldVariants } from './held-variants.ts'
export { isAhead } from './is-ahead.ts'
export { PiecePacker } from './piece-packer.ts'
export { RecordRing, type RingLimits } from './record-ring.ts'
export { Upstream } from './upstream.ts'
export type { ResyncReason, Rung, UpstreamEvent } from './upstream-event.ts'
export { defaultUpstreamLimits, type UpstreamLimits } from './upstream-limits.ts'
export {
  defaultVariantLimits,
  type TellVariant,
  type VariantLimits,
} from './wanted-variants.ts'
