/*
 * The coordinator port: where members find each other, and where operators' placements are kept.
 *
 * The procedure: a node watches (`coordinator-watch`), and from then on is told who was heard, with ages,
 * and what is placed. It announces itself every heartbeat; an announcement that is answered `announced`
 * is also the renewal of whatever it believes to have: there are no leases of documents. A member
 * that goes says so (`coordinator-withdraw`); one that does not is dead when its announcements are old,
 * which each watcher decides alone. A placement is changed by compare-and-set on its version.
 *
 * Everything here is a hint. A coordinator may lose what it was told last, tell it twice, late, or in part,
 * and start empty: the log is the fence. So an entry that is not told means nothing, and members' bytes
 * and placements' bytes are not looked into. Bytes that were handed over, either way, nobody writes to again.
 *
 * Ages are measured by one clock, the coordinator's own, between the taking of an announcement and its being
 * told; what passes on the way to the watcher is not in them, which makes a member look younger, never older.
 *
 * What a coordinator does not do: declare anybody dead, choose owners, answer for an announcement that it
 * could not take. It alone keeps up the connection to what it stands for: when that breaks it says
 * `coordinator-lost` once, and `coordinator-found` when all is well again, followed by everything anew. What
 * was under way in between is answered `place-unanswered`, or not at all where it is an announcement.
 */

/** Names a placing, among those of one coordinator; never used before. */
export type PlacingId = number & { readonly unit: 'placing' }

/** Names an announcement, among those of one coordinator; never used before. */
export type AnnouncementId = number & { readonly unit: 'announcement' }

/** A subject's placement as it is kept. */
export type KeptPlacement = {
  readonly subject: string
  readonly version: number
  readonly bytes: Uint8Array
}

/** The coordinator port, what to do. */
export type CoordinatorEffect =
  /** Tells of members and placements from now on; first, soon, everything that there is. Once. */
  | { readonly kind: 'coordinator-watch' }
  /** Takes the place of what the incarnation announced before; of other incarnations it does not. */
  | {
      readonly kind: 'coordinator-announce'
      readonly announcement: AnnouncementId
      readonly node: string
      readonly incarnation: string
      readonly bytes: Uint8Array
    }
  /** Forgets what the incarnation announced, and tells all who watch. Nothing answers. */
  | {
      readonly kind: 'coordinator-withdraw'
      readonly node: string
      readonly incarnation: string
    }
  /**
   * Keeps a placement if the version that is kept of its subject is `expected`, 0 for none. Versions may
   * leave numbers out but only grow: who restores what was lost keeps its version.
   */
  | {
      readonly kind: 'coordinator-place'
      readonly placing: PlacingId
      readonly expected: number
      readonly placement: KeptPlacement
    }

/** Why a placing was refused. */
export type PlacingRefusal =
  /** Another version is kept than was expected. */
  | 'FANFOLD_PLACEMENT_CONFLICT'
  /** As many subjects are placed as may be. */
  | 'FANFOLD_PLACEMENTS_FULL'

/** The coordinator port, what happened. */
export type CoordinatorInput =
  /**
   * Members that are or were there lately, some or all, the watcher too; of many in several inputs. Told at least every heartbeat while the coordinator is
   * not lost, also when there is none or nothing is new: that silence means something rests on it.
   */
  | {
      readonly kind: 'members-heard'
      readonly members: readonly {
        readonly bytes: Uint8Array
        /** Since the announcement was taken, ms. */
        readonly ageMs: number
      }[]
    }
  | {
      readonly kind: 'member-withdrawn'
      readonly node: string
      readonly incarnation: string
    }
  /** Placements: all that are kept when `isWhole`, else those that changed. */
  | {
      readonly kind: 'placements-read'
      readonly isWhole: boolean
      readonly placements: readonly KeptPlacement[]
    }
  /** The announcement was taken. */
  | { readonly kind: 'announced'; readonly announcement: AnnouncementId }
  | { readonly kind: 'placed'; readonly placing: PlacingId }
  /** Nothing was kept; `kept` is what is there instead. */
  | {
      readonly kind: 'place-refused'
      readonly placing: PlacingId
      readonly code: PlacingRefusal
      readonly message: string
      readonly kept: KeptPlacement | undefined
    }
  /** Whether it is kept is not known: read it, and place again. */
  | {
      readonly kind: 'place-unanswered'
      readonly placing: PlacingId
      readonly code: 'FANFOLD_COORDINATOR_UNREACHABLE'
      readonly message: string
    }
  | {
      readonly kind: 'coordinator-lost'
      readonly code: 'FANFOLD_COORDINATOR_UNREACHABLE'
      readonly message: string
    }
  | { readonly kind: 'coordinator-found' }

/**
 * What performs the coordinator's effects; its answers go to `receive`, later and never from inside
 * `perform`. Effects are taken in their order, and those of one coordinator are answered in it.
 *
 * Implementations: in one process (`CoordinationSpace`), on Redis (@fanfold/redis). The suite that each
 * passes is in @fanfold/conformance.
 */
export interface Coordinator {
  /** Starts what the effect says. */
  perform(effect: CoordinatorEffect): void
  /** Waits until everything begun is done and answered, then says nothing more, and frees all it holds. */
  close(): Promise<void>
}

/** How a driver makes a coordinator: it says where the answers go. */
export type CoordinatorFactory = (receive: (input: CoordinatorInput) => void) => Coordinator

/** Bounds that every coordinator holds to. */
export const coordinatorLimits = {
  keptForMs: {
    value: 60_000,
    unit: 'ms',
    meaning:
      'an announcement that is not renewed may be forgotten, after 5 seconds at the earliest',
  },
  membersToldMax: {
    value: 1_000,
    unit: 'members',
    meaning: 'members that one input tells of, so that no turn reads more than that',
  },
  tellEveryMs: {
    value: 1_000,
    unit: 'ms',
    meaning: 'who watches is told at least so often',
  },
} as const
