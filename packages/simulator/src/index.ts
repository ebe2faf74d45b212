export { conditions, shapes } from './conditions.ts'
export {
  Coverage,
  type CoverageRow,
  type Happening,
  happeningsOf,
  sometimes,
  sometimesSeedsMin,
} from './coverage.ts'
export {
  apart,
  crossingList,
  crossingName,
  crossingsSeedsMin,
  type EffectKind,
  effectKinds,
  faultKinds,
  fleetCrossingList,
} from './crossing-list.ts'
export type { Crossing } from './crossings.ts'
export {
  type DrawnWorld,
  drawWorld,
  isWorldName,
  numberedSeed,
  type WorldName,
  worldNames,
} from './drawn-world.ts'
export { EventQueue } from './event-queue.ts'
export { describeFault, type Fault, type FaultKind } from './fault.ts'
export {
  type ViewEvent,
  type ViewedLog,
  type ViewFaults,
  ViewJudge,
  type ViewVerdict,
} from './judge/view-judge.ts'
export {
  type LoggedWrite,
  type WriteEvent,
  type WriteFaults,
  WriteJudge,
  type WriteVerdict,
} from './judge/write-judge.ts'
export { type DiskWatch, LogDisk } from './log-disk.ts'
export { type LinkPeer, Network, type NetworkOptions, type NetworkWatch } from './network.ts'
export { problemKind } from './problem-kind.ts'
export { readOptions } from './read-options.ts'
export { type Shrinking, shrink } from './shrink.ts'
export { type SimulationCounts, type SimulationResult, simulate } from './simulate.ts'
export { type DiskOptions, SimulatedLogStore } from './simulated-log-store.ts'
export {
  defaultSimulationOptions,
  type SimulateOptions,
  type SimulationOptions,
} from './simulation-options.ts'
export { VirtualClock } from './virtual-clock.ts'
export type { WorldEvent, WorldWatch } from './world-watch.ts'
export { type ReplayProfile, replayOf, type WriteProfile } from './write-profile.ts'
