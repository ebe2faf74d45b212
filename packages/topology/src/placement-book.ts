/*
 * What operators have said, as one node knows it, and the changes that are under way.
 *
 * The last that is known stays known: an entry is replaced by a later version alone. A coordinator that has
 * less than that, which was emptied or failed over to an older copy, is given it back, by whichever node is first.
 */
import type { EffectSink } from '@fanfold/kernel'
import { type ErrorCode, ProtocolError } from '@fanfold/protocol'
import type {
  CoordinatorEffect,
  CoordinatorInput,
  KeptPlacement,
  PlacingId,
} from './coordinator.ts'
import type { Member } from './member.ts'
import type { Placement } from './placement.ts'
import {
  decodePlacement,
  encodePlacement,
  nextEntry,
  type PlacementEntry,
  type PlacementWish,
} from './placement-entry.ts'

/** Names a change that an operator asked for; the driver's own. */
export type PlacementRequestId = number & { readonly unit: 'placement request' }

/** What a change came to: kept, or refused with a reason; `entry` is what is known to be kept. */
export type PlacementAnswered = {
  readonly kind: 'placement-answered'
  readonly request: PlacementRequestId
  readonly entry: PlacementEntry | undefined
  readonly refusal: { readonly code: ErrorCode; readonly message: string } | undefined
}

/** What a reading of placements came to. */
export type PlacementReading = {
  /** Subjects of which something else is said now. */
  readonly changed: readonly string[]
  /** Why entries were not read. */
  readonly unreadable: readonly string[]
  /** Subjects that the coordinator has lost. */
  readonly lost: readonly string[]
}

type BookEffect = CoordinatorEffect | PlacementAnswered
type Known = { readonly entry: PlacementEntry; readonly kept: KeptPlacement }
type Placing = { readonly known: Known; readonly request: PlacementRequestId | undefined }

/** Changes by operators that are under way at a time; a further one is refused. */
const placingsMax = 64
/** Of what was lost, so much is given back at a time. */
const restoringsMax = 16

/** What is placed, as this node knows it. */
export class PlacementBook {
  readonly #known = new Map<string, Known>()
  readonly #placings = new Map<PlacingId, Placing>()
  /** Lost subjects, with the version that the coordinator has instead. */
  readonly #lost = new Map<string, number>()
  /** The latest version of each subject that the coordinator has told of, and could be read. */
  readonly #told = new Map<string, number>()
  #knownSum = 0
  #toldSum = 0
  #count = 0
  #isReachable = true

  /** What is known of a subject. */
  get(subject: string): PlacementEntry | undefined {
    return this.#known.get(subject)?.entry
  }

  /** All that is known. */
  *[Symbol.iterator](): IterableIterator<PlacementEntry> {
    for (const { entry } of this.#known.values()) yield entry
  }

  /**
   * The versions of all that the coordinator has told, added up. It tells all nodes in one order, and versions
   * only grow: whoever has as much has heard of whatever this node has heard of.
   */
  get heard(): number {
    return Math.min(this.#toldSum, Number.MAX_SAFE_INTEGER)
  }

  /**
   * True when a member may not have heard of all that is known here. What this node has placed itself nobody
   * has surely heard before this node is told of it as the others are.
   */
  isBehind({ node, placementsHeard = this.heard }: Member, self: string): boolean {
    return this.#toldSum < this.#knownSum || (node !== self && placementsHeard < this.heard)
  }

  /** True while something is to be given back. */
  get hasLost(): boolean {
    return this.#lost.size > 0
  }

  /** Takes what the coordinator tells. */
  read(input: Extract<CoordinatorInput, { kind: 'placements-read' }>): PlacementReading {
    const changed: string[] = []
    const unreadable: string[] = []
    for (const kept of input.placements) {
      const problem = this.#take(kept, changed)
      if (problem === undefined) this.#hear(kept)
      else unreadable.push(problem)
    }
    const told = new Map(input.placements.map(({ subject, version }) => [subject, version]))
    const lost: string[] = []
    for (const [subject, { kept }] of this.#known) {
      const version = told.get(subject) ?? (input.isWhole ? 0 : undefined)
      if (version === undefined) continue
      if (version >= kept.version) {
        this.#lost.delete(subject)
      } else {
        this.#lost.set(subject, version)
        lost.push(subject)
      }
    }
    return { changed, unreadable, lost }
  }

  /** Gives back what was lost, some at a time. */
  restore(effects: EffectSink<BookEffect>): void {
    let underWay = this.#placings.size - this.#askedCount
    for (const [subject, expected] of this.#lost) {
      if (underWay >= restoringsMax) return
      underWay++
      this.#lost.delete(subject)
      const known = this.#known.get(subject)
      if (known !== undefined) this.#place(known, expected, undefined, effects)
    }
  }

  /**
   * An operator's wish; with `expected` only if that is the version which is known.
   *
   * @param placement who is there to be named; undefined while that is not known
   */
  place(
    asked: {
      readonly request: PlacementRequestId
      readonly wish: PlacementWish
      readonly expected: number | undefined
    },
    placement: Placement | undefined,
    effects: EffectSink<BookEffect>,
  ): void {
    const { request, wish, expected } = asked
    const before = this.get(wish.subject)
    const version = before?.version ?? 0
    const problem =
      // What else is said of what is placed already is no matter of whether its node can serve it now.
      wish.node === undefined || wish.node === before?.node
        ? undefined
        : placement?.problemOfPlacing(wish.subject, wish.node)
    const refuse = (code: ErrorCode, message: string): void => {
      effects.push({
        kind: 'placement-answered',
        request,
        entry: before,
        refusal: { code, message },
      })
    }
    if (placement === undefined) {
      refuse(
        'FANFOLD_COORDINATOR_UNREACHABLE',
        'who is in the fleet and what is placed is not known yet: nothing is changed; ask again when it is',
      )
    } else if (!this.#isReachable) {
      refuse(
        'FANFOLD_COORDINATOR_UNREACHABLE',
        'where members meet cannot be reached: nothing is changed, all that is placed holds; ask again when it can',
      )
    } else if (expected !== undefined && expected !== version) {
      const message = `${wish.subject} is at version ${version}, not ${expected}`
      refuse('FANFOLD_PLACEMENT_CONFLICT', message)
    } else if (problem !== undefined) {
      refuse(problem.code, problem.message)
    } else if (this.#askedCount >= placingsMax) {
      refuse('FANFOLD_OVERLOADED', `${placingsMax} placements are under way; come back`)
    } else {
      const known = knownOf(nextEntry(before, wish))
      const flaw = flawOf(known)
      // What others could not read would be in their way for good.
      if (flaw !== undefined) refuse('FANFOLD_INVALID_VALUE', flaw)
      else this.#place(known, version, request, effects)
    }
  }

  /** Takes the answer to a placing; the subject, when something else is said of it now. */
  answered(
    input: Extract<CoordinatorInput, { kind: 'placed' | 'place-refused' | 'place-unanswered' }>,
    effects: EffectSink<BookEffect>,
  ): string[] {
    const placing = this.#placings.get(input.placing)
    if (placing === undefined) return []
    this.#placings.delete(input.placing)
    const { known, request } = placing
    const { subject } = known.entry
    const changed: string[] = []
    if (input.kind === 'placed') this.#take(known.kept, changed)
    if (input.kind === 'place-refused' && input.kept !== undefined) this.#take(input.kept, changed)
    if (request !== undefined) {
      const refusal = input.kind === 'placed' ? undefined : refusalOf(input)
      effects.push({ kind: 'placement-answered', request, entry: this.get(subject), refusal })
    }
    this.restore(effects)
    return changed
  }

  /** Whether the coordinator can be reached. */
  setReachable(isReachable: boolean): void {
    this.#isReachable = isReachable
    // Everything is told anew when it is found.
    if (!isReachable) this.#lost.clear()
  }

  /** Changes by operators that are under way. */
  get #askedCount(): number {
    let count = 0
    for (const { request } of this.#placings.values()) if (request !== undefined) count++
    return count
  }

  #place(
    known: Known,
    expected: number,
    request: PlacementRequestId | undefined,
    effects: EffectSink<BookEffect>,
  ): void {
    const placing = ++this.#count as PlacingId
    this.#placings.set(placing, { known, request })
    effects.push({ kind: 'coordinator-place', placing, expected, placement: known.kept })
  }

  #hear({ subject, version }: KeptPlacement): void {
    const before = this.#told.get(subject) ?? 0
    if (version <= before) return
    this.#told.set(subject, version)
    this.#toldSum += version - before
  }

  /** Takes an entry that is later than what is known; what is wrong with it. */
  #take(kept: KeptPlacement, changed: string[]): string | undefined {
    const { subject, version, bytes } = kept
    const before = this.#known.get(subject)?.kept.version ?? 0
    if (version <= before) return undefined
    const entry = readEntry(bytes)
    if (typeof entry === 'string') return `${subject} at version ${version}: ${entry}`
    if (entry.subject !== subject || entry.version !== version) {
      return `${subject} at version ${version}: it holds ${entry.subject} at version ${entry.version}`
    }
    this.#known.set(subject, { entry, kept })
    this.#knownSum += version - before
    changed.push(subject)
    return undefined
  }
}

/** Why a change is not known to be kept; what nobody knows is to be looked at. */
function refusalOf({
  kind,
  code,
  message,
}: Extract<CoordinatorInput, { kind: 'place-refused' | 'place-unanswered' }>): NonNullable<
  PlacementAnswered['refusal']
> {
  const advice = kind === 'place-unanswered' ? ': look at what is placed, and ask again' : ''
  return { code, message: `${message}${advice}` }
}

/** An entry from what was kept; in words what is wrong with it when it is none. */
function readEntry(bytes: Uint8Array): PlacementEntry | string {
  try {
    return decodePlacement(bytes)
  } catch (error) {
    if (error instanceof ProtocolError) return error.message
    throw error
  }
}

/** What is wrong with an entry that was made here. */
function flawOf({ kept }: Known): string | undefined {
  const read = readEntry(kept.bytes)
  return typeof read === 'string' ? read : undefined
}

const knownOf = (entry: PlacementEntry): Known => {
  const { subject, version } = entry
  return { entry, kept: { subject, version, bytes: encodePlacement(entry) } }
}
