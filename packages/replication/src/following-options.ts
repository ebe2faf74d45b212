import type { SnapshotCodec } from '@fanfold/document'
import type { Prng, Sha256 } from '@fanfold/kernel'
import type { DocumentKey, LinkFrame, LinkId } from '@fanfold/protocol'
import type { Relay } from './asked-replays.ts'
import type { AssemblyLimits } from './assembly-budget.ts'
import type { FollowerLimits, FollowerNode } from './follower-node.ts'
import type { FollowingEvent } from './following-event.ts'
import type { Routes } from './routed-parents.ts'
import type { UpstreamNode } from './stream-core.ts'
import type { TreeFrame } from './tree-looks.ts'
import type { TellVariant, VariantLimits } from './wanted-variants.ts'

/** A parent answers what was said of a crowd. */
export type CrowdAnswerFrame = Extract<LinkFrame, { kind: 'crowd-answer' }>

/** What a node that follows documents is made of. */
export type FollowingOptions = {
  readonly sha256: Sha256
  readonly prng: Prng
  readonly limits: FollowerLimits
  /** How long a document is followed after it was released. */
  readonly lingerMs: number
  /**
   * Runs what concerns one document alone. Where an assertion fails inside, the role may catch that, and
   * then lets the document go; without it, it is thrown on.
   */
  readonly guard?: ((doc: DocumentKey, step: () => void) => void) | undefined
  /** From which nodes each document may be had; from any parent that is connected when not said. */
  readonly routes?: Routes | undefined
  /** Called from inside the methods below, after the replica and the ring are up to date. */
  readonly tell: (doc: DocumentKey, event: FollowingEvent) => void
  /** Called from inside `receive` and `tick`: a variant that is wanted is here, or cannot be had now. */
  readonly tellVariant: TellVariant
  /** The default ones when not said. */
  readonly variantLimits?: VariantLimits
  /** How pieces are packed on links; not at all when not said. */
  readonly codec?: SnapshotCodec | undefined
  /** Whether to do without snapshots, and replay logs instead; not when not said. */
  readonly isSnapshotDisabled?: boolean | undefined
  /**
   * Whether the role reads states; it does when not said. Otherwise the state of a large document is
   * never made here: its snapshots come from the worker.
   */
  readonly isStateNeeded?: boolean | undefined
  /** Room for snapshots on their way in; the default one when not said. */
  readonly assemblyLimits?: AssemblyLimits | undefined
  /**
   * Called from inside the methods below with what a parent sends of a replay that the role has asked
   * through `Following.replays`; to nobody when not said.
   */
  readonly relay?: Relay | undefined
  /**
   * Called from inside `receive` with what a parent asks, or answers, about the tree of a document; to nobody when
   * not said.
   */
  readonly tellTree?: ((link: LinkId, frame: TreeFrame) => void) | undefined
  /**
   * Called from inside `receive` with what the parent that serves a document answers to what was said of its crowd; to
   * nobody when not said.
   */
  readonly tellCrowd?: ((link: LinkId, frame: CrowdAnswerFrame) => void) | undefined
  /** The wall's time, ms since 1970; without it, how late records come is not known. */
  readonly wallClockMs?: (() => number) | undefined
}

/** What all documents that the node follows share: what it was made with, and what it does for them. */
export const followerNode = (
  options: FollowingOptions,
  node: Pick<FollowerNode, 'workerNames' | 'due'> &
    Pick<UpstreamNode, 'packer' | 'repair' | 'replays' | 'asked' | 'budget'>,
): FollowerNode => ({
  limits: options.limits,
  isStateNeeded: options.isStateNeeded ?? true,
  workerNames: node.workerNames,
  due: node.due,
  upstream: {
    sha256: options.sha256,
    limits: options.limits.upstream,
    packer: node.packer,
    budget: node.budget,
    asked: node.asked,
    repair: node.repair,
    replays: node.replays,
    isRouted: options.routes !== undefined,
    isMovable: doc => options.routes?.tiers?.isMovable(doc) === true,
    isSnapshotDisabled: options.isSnapshotDisabled ?? false,
  },
})
