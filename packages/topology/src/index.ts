export { ByteBudget, ReliefPatience } from './byte-budget.ts'
export {
  type BreakerOptions,
  type BreakerState,
  breakerStates,
  CircuitBreaker,
  defaultBreakerOptions,
} from './circuit-breaker.ts'
export { Cluster, type ClusterOptions, renewedForMsOf } from './cluster.ts'
export type { ClusterEffect, ClusterFact, ClusterInput, OwnMember } from './cluster-effect.ts'
export { CoordinationSpace, type SpaceLimits, type SpaceTime } from './coordination-space.ts'
export {
  type AnnouncementId,
  type Coordinator,
  type CoordinatorEffect,
  type CoordinatorFactory,
  type CoordinatorInput,
  coordinatorLimits,
  type KeptPlacement,
  type PlacingId,
  type PlacingRefusal,
} from './coordinator.ts'
export { Detours } from './detours.ts'
export { DocumentRoutes, type RoutedNode } from './document-routes.ts'
export {
  alternativesOf,
  defaultFanOutOptions,
  type FanOutChild,
  FanOutCollapse,
  type FanOutOptions,
  type FanOutQuestion,
  type FanOutVerdict,
  joinVerdict,
  pathProblem,
  reliefOf,
} from './fan-out-budget.ts'
export {
  type ConfiguredView,
  type Difference,
  describeDifferences,
  differences,
  fingerprintOf,
  parseView,
  type SettingValue,
  shortFingerprint,
  viewLimits,
  viewText,
} from './fingerprint.ts'
export { type FleetOwners, type FleetProblem, type FleetTree, FleetView } from './fleet-view.ts'
export { JoinWalk, joinAsksMaxDefault } from './join-walk.ts'
export {
  allTenants,
  decodeMember,
  encodeMember,
  isSameStanding,
  type Member,
  type MemberLoad,
  memberLimits,
  type NodeRole,
  nodeRoles,
  type TenantRules,
  type TopologyLimit,
  tenantGlobRule,
} from './member.ts'
export {
  type Departure,
  defaultMembersOptions,
  type MemberChange,
  Members,
  type MembersOptions,
} from './members.ts'
export {
  linkBreakerOptions,
  NodeDialler,
  type NodeDiallerEffect,
  type NodeDiallerInput,
  type NodeDiallerOptions,
  type NodeWhereabouts,
  nodeLingerMsDefault,
} from './node-dialler.ts'
export {
  type Ownership,
  type PlacedBy,
  Placement,
  type PlacementProblem,
} from './placement.ts'
export type { PlacementAnswered, PlacementRequestId } from './placement-book.ts'
export {
  decodePlacement,
  encodePlacement,
  isPlacementSubject,
  nextEntry,
  type PlacementEntry,
  type PlacementState,
  type PlacementWish,
  placementLimits,
  placementStates,
  type TenantQuota,
} from './placement-entry.ts'
export { placementKeyOf } from './placement-key.ts'
export { type MovedDocument, type OwnerOf, PlacementSweep } from './placement-sweep.ts'
export { quotaShare } from './quota-share.ts'
export { type Candidate, Rendezvous, weightMax } from './rendezvous.ts'
export { TreeRoutes } from './tree-routes.ts'
