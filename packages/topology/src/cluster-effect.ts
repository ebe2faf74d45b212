import type { CoordinatorEffect, CoordinatorInput } from './coordinator.ts'
import type { Member, MemberLoad } from './member.ts'
import type { MemberChange } from './members.ts'
import type { Placement } from './placement.ts'
import type { PlacementAnswered, PlacementRequestId } from './placement-book.ts'
import type { PlacementWish } from './placement-entry.ts'

/** What a node says of itself, but for how long it is up, how busy it is and what it has heard. */
export type OwnMember = Omit<Member, 'upMs' | 'load' | 'placementsHeard'>

/** What happens to a node's part in the fleet. */
export type ClusterInput =
  | CoordinatorInput
  /** How busy the node is; told to the others with the next announcement. */
  | { readonly kind: 'load-measured'; readonly load: MemberLoad }
  /** The node says something else of itself from now on; told at once. */
  | {
      readonly kind: 'self-changed'
      readonly changes: Partial<Omit<OwnMember, 'node' | 'incarnation'>>
    }
  /** A connection to the node closed, or to dial it failed: it may be dead. */
  | { readonly kind: 'peer-lost'; readonly node: string }
  /**
   * What a `dial-member` came to: somebody answered in the node's name, nobody listens there, or nothing came
   * within the time for a dial.
   */
  | {
      readonly kind: 'member-dialled'
      readonly node: string
      readonly incarnation: string
      readonly outcome: 'answered' | 'refused' | 'silent'
    }
  /** An operator wants a placement changed; answered by `placement-answered`. */
  | {
      readonly kind: 'place-asked'
      readonly request: PlacementRequestId
      readonly wish: PlacementWish
      /** The version that is to be changed; undefined for whatever is known. */
      readonly expected: number | undefined
    }
  /** The node goes: it says so to all, and announces nothing more. */
  | { readonly kind: 'leave' }

/** What is to be done for it. */
export type ClusterEffect =
  | CoordinatorEffect
  /**
   * Who serves what has changed: `before` is the view until now, none when this is the first. Whose documents
   * moved is found by comparing the two, slice by slice.
   */
  | {
      readonly kind: 'view-changed'
      readonly placement: Placement
      readonly before: Placement | undefined
      readonly members: readonly MemberChange[]
      /** Tenants and documents of which something else is said. */
      readonly placed: readonly string[]
    }
  /** Finds out whether the member is there, and says so by `member-dialled`, each time. */
  | {
      readonly kind: 'dial-member'
      readonly node: string
      readonly incarnation: string
      readonly address: string
    }
  /** Whether this node may be sure that the others see it; an authority that is not refuses writes. */
  | { readonly kind: 'certainty-changed'; readonly isSure: boolean }
  /** The node must not go on: it ends, and says why. */
  | {
      readonly kind: 'node-refused'
      readonly code: 'FANFOLD_NODE_CLONED'
      readonly message: string
    }
  | PlacementAnswered
  | { readonly kind: 'cluster-note'; readonly fact: ClusterFact }

/** What an operator should know; the rim logs and counts it. */
export type ClusterFact =
  | { readonly event: 'coordinator-lost'; readonly message: string }
  | { readonly event: 'coordinator-found'; readonly lostForMs: number }
  /** From now on nobody dies of silence, and nothing is elected. */
  | { readonly event: 'view-frozen'; readonly knownForMs: number }
  | { readonly event: 'view-thawed' }
  | { readonly event: 'member-unreadable'; readonly message: string }
  /** It is set otherwise than the fleet, and is given nothing; links with it are refused, and say where it differs. */
  | {
      readonly event: 'member-differs'
      readonly node: string
      readonly fingerprint: string
      readonly fleetFingerprint: string
    }
  /** This node itself is, and the others have no links with it. */
  | {
      readonly event: 'self-differs'
      readonly fingerprint: string
      readonly fleetFingerprint: string
    }
  /** It is no more: the others went, or changed. */
  | { readonly event: 'self-agrees' }
  | { readonly event: 'placement-unreadable'; readonly message: string }
  /** The coordinator has less than is known here; it is given back. */
  | { readonly event: 'placements-lost'; readonly count: number }
  | { readonly event: 'members-full'; readonly node: string; readonly membersMax: number }
  | {
      readonly event: 'member-cloned'
      readonly node: string
      /** Addresses of the one that stays and the one that is refused. */
      readonly kept: string
      readonly refused: string
    }
