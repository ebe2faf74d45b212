export type { Relay, ReplayFrame, ReplayWish } from './asked-replays.ts'
export {
  type AssemblyLimits,
  defaultAssemblyLimits,
} from './assembly-budget.ts'
export { ChildLinks } from './child-links.ts'
export type { ChildLinksOwner, CrowdFrame } from './child-links-owner.ts'
export type { JoinRequest } from './child-stream.ts'
export { Downstream, noHash, type Staleness } from './downstream.ts'
export type { FollowedStanding } from './followed-standing.ts'
export { aboveIn, ownStanding } from './followed-tree.ts'
export { Follower } from './follower.ts'
export { type FollowerLimits, largeStateBytesDefault } from './follower-node.ts'
export { Following } from './following.ts'
export { type FollowingEvent, type FollowingFact, noteOf } from './following-event.ts'
export type { CrowdAnswerFrame } from './following-options.ts'
export { HeadSignals } from './head-signals.ts'
export { isAhead } from './is-ahead.ts'
export { type After, type DialledLinks, type DiallerFact, ParentDialler } from './parent-dialler.ts'
export type { FollowingEffect, ParentEffect, RouteInput } from './parent-effect.ts'
export type { ParentVariants } from './parent-variants.ts'
export { type HeldRecords, PassedReplays } from './passed-replays.ts'
export { PiecePacker } from './piece-packer.ts'
export { PresenceSums } from './presence-sums.ts'
export { RecentRecords } from './recent-records.ts'
export { RecordRing, type RingLimits } from './record-ring.ts'
export { recordsAfter } from './records-after.ts'
export { refusal } from './refusal.ts'
export type { ReplayOutcome, ReplayProblem, ReplayRequest, Replays } from './replays.ts'
export type { RequestCount, RequestOutcome } from './request-outcomes.ts'
export type { Routes, Tiers } from './routed-parents.ts'
export { SafetyRounds, safetyEvery } from './safety-rounds.ts'
export { type ReplayLogs, replaysMaxDefault, ServedReplays } from './served-replays.ts'
export type { ServingFact } from './serving-fact.ts'
export type { ConnectedParents } from './serving-parents.ts'
export { SetAside, setAsideMs } from './set-aside.ts'
export type { SnapshotSource } from './snapshot-transfers.ts'
export {
  defaultTransferLimits,
  LinkAllowance,
  type TransferLimits,
  TurnAllowance,
} from './transfer-allowance.ts'
export {
  type OwnStanding,
  type TreeAsked,
  type TreeChild,
  type TreeFrame,
  TreeLooks,
  type TreeTold,
  treeWithinMs,
} from './tree-looks.ts'
export { Upstream } from './upstream.ts'
export type { ResyncReason, Rung, StateHash, UpstreamEvent } from './upstream-event.ts'
export { defaultUpstreamLimits, type UpstreamLimits } from './upstream-limits.ts'
export {
  defaultVariantLimits,
  type TellVariant,
  type VariantLimits,
} from './wanted-variants.ts'
export { type VerifiedDocument, WarmCheck } from './warm-check.ts'
export { WorkerNames } from './worker-names.ts'
