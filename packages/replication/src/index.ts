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
export { RecordRing, type RingLimits } from './record-ring.ts'
export {
  defaultUpstreamLimits,
  type ResyncReason,
  Upstream,
  type UpstreamEvent,
  type UpstreamLimits,
} from './upstream.ts'
export {
  defaultVariantLimits,
  type TellVariant,
  type VariantLimits,
} from './wanted-variants.ts'
