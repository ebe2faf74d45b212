export { ChildLinks, type ChildLinksOwner, documentsPerLinkMax } from './child-links.ts'
export {
  Downstream,
  type JoinRequest,
  refusal,
  type SnapshotSource,
} from './downstream.ts'
export { Follower, type FollowerLimits } from './follower.ts'
export { Following, type FollowingEvent, type FollowingFact } from './following.ts'
export { HeldVariants } from './held-variants.ts'
export { isAhead } from './is-ahead.ts'
export { PiecePacker } from './piece-packer.ts'
export { RecordRing, type RingLimits } from './record-ring.ts'
export { Upstream } from './upstream.ts'
export type { ResyncReason, UpstreamEvent } from './upstream-event.ts'
export { defaultUpstreamLimits, type UpstreamLimits } from './upstream-limits.ts'
export {
  defaultVariantLimits,
  type TellVariant,
  type VariantLimits,
} from './wanted-variants.ts'
