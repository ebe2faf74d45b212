import { assert, type Sha256 } from '@fanfold/kernel'
import type { Fault } from './fault.ts'
import type { WorldWatch } from './world-watch.ts'
import type { WriteProfile } from './write-profile.ts'

/** One run of a world, but for the seed: data, to be printed and read back. */
export type SimulationOptions = {
  /** Authorities of a fleet; a tree that is none has one. */
  readonly authorities: number
  /** Regions of a fleet, among which proxies and edges are divided. */
  readonly regions: number
  /** Proxies between the authority and the edges. */
  readonly proxies: number
  /** Children that a node has among the proxies; with 1 they are a chain. */
  readonly proxyFanout: number
  readonly edges: number
  readonly viewers: number
  readonly documents: number
  /** Documents that one viewer observes. */
  readonly documentsPerViewer: number
  readonly writers: number
  /** Messages that the writers send, those that are sent again not counted. */
  readonly writes: number
  /** Time over which viewers arrive and messages are sent, ms. */
  readonly busyMs: number
  /** Messages of each round: what is written when all is healed and everybody has everything. */
  readonly roundWrites: number
  /** There are rounds until so much has happened, and at least one. */
  readonly eventsMin: number
  /** How often somebody wants a document deleted, drawn among all. */
  readonly deletions: number
  /** How often somebody looks at the tree of a document while the world is busy, drawn among all; then also at the end. */
  readonly looks: number
  /** What viewers say while the world is busy, all together; 0: definitions have nothing that may be said. */
  readonly sayings: number
  /** After so long a session of which nothing was counted is counted no further, ms. */
  readonly sessionIdleMs: number
  /** Share of the messages that are sent a second time. */
  readonly duplicateShare: number
  /** Share of the viewers that reconnect, elsewhere or to the same edge, some time. */
  readonly roamingShare: number
  /** Share of the viewers that leave a document for a while. */
  readonly fickleShare: number
  /** How often a viewer looks at another part of a document, at most. */
  readonly viewStatesMax: number
  /** Share of the viewers that have a claim to see more than what is public. */
  readonly entitledShare: number
  /** Share of the viewers that become somebody else, or may observe less, while they are connected. */
  readonly renewingShare: number
  /** Share of the viewers whose first tokens end before they have others. */
  readonly expiringShare: number
  /** Definitions that are loaded after the first one, while records flow. */
  readonly definitionChanges: number
  /** Share of the proxies and edges that a trust ceiling of 0 or 1 keeps below. */
  readonly guardedShare: number
  /** Mean time that an edge takes to run a variant, ms. */
  readonly variantLoadMs: number
  /** Share of the variants that cannot be run when it is tried, while there are faults. */
  readonly variantFailShare: number
  /** Share of the nodes that have a second address of a parent. */
  readonly secondParentShare: number
  /**
   * How nodes keep parents: as nodes do that were given addresses, or have routes that change now and then, or
   * are a fleet that meets somewhere; or by `chance`, some time after a loss, one that is up.
   */
  readonly redial: 'dialler' | 'routes' | 'fleet' | 'chance'
  /** Nodes that have one document from a proxy of a fleet, before others are sent on. */
  readonly treeChildrenMax: number
  /** Bytes per second that a proxy of a fleet sends of documents. */
  readonly treeBytesPerSecondMax: number
  /** Share of the authorities of a fleet that stand by for what they are next to take over. */
  readonly hotStandbyShare: number
  /** By how much the clocks that nodes wait by go too fast or too slow at most, as a share; less than 1. */
  readonly clockDriftShare: number
  /** What goes wrong, and when. */
  readonly faults: readonly Fault[]
  /** Share of the proxies that keep what they replicate over a restart. */
  readonly warmShare: number
  /** Share of what such a proxy reads of it that has another bit. */
  readonly warmDamageShare: number
  /** Share of the nodes that take no snapshots. */
  readonly snapshotlessShare: number
  /** Share of the nodes that pack pieces of snapshots. */
  readonly packingShare: number
  /** Size of a document from which its snapshots are made by workers. */
  readonly largeStateBytes: number
  /** Mean time that a worker takes for one effect, ms. */
  readonly workerMeanMs: number
  /** Share of a worker's effects by which it ends. */
  readonly workerEndShare: number
  /** Shares of frames on links that arrive damaged, or of pieces that do not arrive. */
  readonly pieceDamageShare: number
  readonly pieceLossShare: number
  readonly recordDamageShare: number
  /** Share of the viewers that want few deltas in a second. */
  readonly pacedShare: number
  /** Share of the viewers that take in less than is sent to them. */
  readonly slowShare: number
  /** What the slowest of them takes in; the others up to three times as much. */
  readonly slowBytesPerSecond: number
  /** Unsent bytes past which a viewer gets no cohort's frames. */
  readonly viewerBudgetBytes: number
  /** Viewers that may wait at an edge to be let in; with 1, one is let in at a time. */
  readonly joinsWaitingMax: number
  /** The slowest link; speeds are drawn between this and a hundred times as much. */
  readonly linkBytesPerSecond: number
  /** Unsent bytes past which a link is congested. */
  readonly linkBufferedBytesMax: number
  /** Unsent bytes past which a link that is sent more is closed, which is a problem. */
  readonly linkBufferedBytesCap: number
  /** Bytes of records of one document that may be under way to a node. */
  readonly creditBytes: number
  /** The longest text in a message; long ones make snapshots of many pieces. */
  readonly textBytesMax: number
  /** Sizes of changes and when they come; texts up to `textBytesMax`, at any time, when undefined. */
  readonly writeProfile?: WriteProfile | undefined
  /** How long a node follows a document after the last one below has left, ms. */
  readonly lingerMs: number
  /** How long a document at the authority is quiet before it is put to rest, ms. */
  readonly restAfterMs: number
  /** Records that a node keeps of a document; what is older is served by snapshot. */
  readonly ringRecordsMax: number
  /** Records after which the authority keeps a snapshot. */
  readonly snapshotEveryRecords: number
  /** Time after the last answer within which everybody must have everything, ms. */
  readonly convergeMaxMs: number
  /** Indexes of the viewers that come, and of the messages that are sent; all when undefined. */
  readonly viewersKept?: readonly number[] | undefined
  readonly writesKept?: readonly number[] | undefined
}

/** A small tree with everything in it, for a fraction of a second. */
export const defaultSimulationOptions: SimulationOptions = {
  authorities: 1,
  regions: 1,
  proxies: 3,
  proxyFanout: 1,
  edges: 4,
  viewers: 24,
  documents: 3,
  documentsPerViewer: 2,
  writers: 4,
  writes: 200,
  busyMs: 4_000,
  roundWrites: 6,
  eventsMin: 0,
  deletions: 0,
  looks: 0,
  sayings: 0,
  sessionIdleMs: 3_600_000,
  duplicateShare: 0.1,
  roamingShare: 0.3,
  fickleShare: 0.2,
  viewStatesMax: 3,
  entitledShare: 0.4,
  renewingShare: 0,
  expiringShare: 0,
  definitionChanges: 3,
  guardedShare: 0.2,
  variantLoadMs: 30,
  variantFailShare: 0.05,
  secondParentShare: 0,
  redial: 'chance',
  clockDriftShare: 0,
  faults: [],
  warmShare: 0.5,
  warmDamageShare: 0,
  treeChildrenMax: 32,
  treeBytesPerSecondMax: 125_000_000,
  hotStandbyShare: 0,
  snapshotlessShare: 0,
  packingShare: 0.7,
  largeStateBytes: 1_048_576,
  workerMeanMs: 5,
  workerEndShare: 0.02,
  pieceDamageShare: 0,
  pieceLossShare: 0,
  recordDamageShare: 0,
  pacedShare: 0.1,
  slowShare: 0.15,
  slowBytesPerSecond: 2_000,
  viewerBudgetBytes: 4_096,
  joinsWaitingMax: 20_000,
  linkBytesPerSecond: 200_000,
  linkBufferedBytesMax: 16_384,
  linkBufferedBytesCap: 4_194_304,
  creditBytes: 16_384,
  textBytesMax: 100,
  writeProfile: undefined,
  lingerMs: 500,
  restAfterMs: 60_000,
  ringRecordsMax: 64,
  snapshotEveryRecords: 25,
  convergeMaxMs: 10_000,
}

/** What `simulate` takes: what is not said is as in `defaultSimulationOptions`. */
export type SimulateOptions = Partial<SimulationOptions> & {
  /** Any text; equal seeds and options make equal runs. */
  readonly seed: string
  readonly sha256: Sha256
  /** Who is told of all that happens. */
  readonly watch?: WorldWatch | undefined
}

/** No document of a world has so many bytes. */
const largeStateBytesMin = 1_048_576

/** Whether views may be made by workers. */
export const mayBeLarge = ({ largeStateBytes }: SimulationOptions): boolean =>
  largeStateBytes < largeStateBytesMin

/** All options of a run. */
export function completeOptions(options: Partial<SimulationOptions>): SimulationOptions {
  const complete = { ...defaultSimulationOptions, ...options }
  const atLeastOne = [
    'authorities',
    'regions',
    'proxyFanout',
    'edges',
    'documents',
    'documentsPerViewer',
    'writers',
  ] as const
  for (const name of atLeastOne) {
    assert(complete[name] >= 1, `${name} is at least 1, got ${complete[name]}`)
  }
  return complete
}
