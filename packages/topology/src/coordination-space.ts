/*
 * The coordinator of nodes in one process: of `fanfold dev`, of tests, of simulated worlds.
 *
 * The space is what Redis is elsewhere: it holds what was announced and placed, and measures ages by its own
 * clock. Each node opens a coordinator on it, which answers later, in order. It can be put out of reach, as a
 * server can.
 */
import { assert, between, type Instant } from '@fanfold/kernel'
import {
  type Coordinator,
  type CoordinatorEffect,
  type CoordinatorInput,
  coordinatorLimits,
  type KeptPlacement,
} from './coordinator.ts'
import { defaultMembersOptions } from './members.ts'
import { placementLimits } from './placement-entry.ts'

/** Time, as the driver has it. */
export type SpaceTime = {
  readonly now: () => Instant
  /** Calls `task` once after `delayMs` unless the returned function is called before. */
  readonly after: (delayMs: number, task: () => void) => () => void
}

/** Bounds of a space. */
export type SpaceLimits = {
  /** Incarnations whose announcements are held; beyond so many the oldest is forgotten. */
  readonly membersMax: number
  /** Subjects that are placed; a further one is refused. */
  readonly placementsMax: number
}

type Announcement = {
  readonly node: string
  readonly incarnation: string
  readonly bytes: Uint8Array
  readonly at: Instant
}

/** What is announced is told within so long, together with what else was announced meanwhile, ms. */
const toldWithinMs = 50
/** Of what is told every second, so often it is only what is new, and then all that is held. */
const newsBetween = 1

type Receive = (input: CoordinatorInput) => void

/** What several coordinators in one process share. */
export class CoordinationSpace {
  readonly #time: SpaceTime
  readonly #limits: SpaceLimits
  /** By node and incarnation, least lately renewed first. */
  readonly #announcements = new Map<string, Announcement>()
  readonly #placements = new Map<string, KeptPlacement>()
  readonly #open = new Set<SpaceCoordinator>()
  #unreachable: string | undefined

  constructor(options: { readonly time: SpaceTime; readonly limits?: Partial<SpaceLimits> }) {
    this.#time = options.time
    this.#limits = {
      membersMax: defaultMembersOptions.membersMax,
      placementsMax: placementLimits.placementsMax.value,
      ...options.limits,
    }
  }

  /** A coordinator of its own for one node. */
  open(receive: Receive): Coordinator {
    const coordinator = new SpaceCoordinator(this, this.#time, receive)
    this.#open.add(coordinator)
    if (this.#unreachable !== undefined) coordinator.lose(this.#unreachable)
    return coordinator
  }

  /** From now on nobody reaches the space, for the reason given; `undefined`: all do again. */
  setUnreachable(reason: string | undefined): void {
    const was = this.#unreachable
    this.#unreachable = reason
    for (const coordinator of this.#open) {
      if (reason !== undefined && was === undefined) coordinator.lose(reason)
      if (reason === undefined && was !== undefined) coordinator.find()
    }
  }

  /** Forgets everything, as a server does that was emptied. */
  clear(): void {
    this.#announcements.clear()
    this.#placements.clear()
  }

  /** All that is held of members, with ages. */
  members(): CoordinatorInput[] {
    const now = this.#time.now()
    const { value: keptForMs } = coordinatorLimits.keptForMs
    for (const [name, { at }] of this.#announcements) {
      // Those behind it were renewed later.
      if (between(at, now) < keptForMs * 1_000) break
      this.#announcements.delete(name)
    }
    return heardAt(now, [...this.#announcements.values()])
  }

  /** All that is placed. */
  placements(): CoordinatorInput {
    return { kind: 'placements-read', isWhole: true, placements: [...this.#placements.values()] }
  }

  announce(announcement: Omit<Announcement, 'at'>): void {
    const { node, incarnation, bytes } = announcement
    const name = nameOf(node, incarnation)
    this.#announcements.delete(name)
    if (this.#announcements.size >= this.#limits.membersMax) {
      for (const oldest of this.#announcements.keys()) {
        this.#announcements.delete(oldest)
        break
      }
    }
    const taken: Announcement = { node, incarnation, bytes, at: this.#time.now() }
    this.#announcements.set(name, taken)
    for (const coordinator of this.#open) coordinator.hear(taken)
  }

  withdraw(node: string, incarnation: string): void {
    this.#announcements.delete(nameOf(node, incarnation))
    this.#tellAll({ kind: 'member-withdrawn', node, incarnation })
  }

  /** What a placing comes to. */
  place(effect: Extract<CoordinatorEffect, { kind: 'coordinator-place' }>): CoordinatorInput {
    const { placing, expected, placement } = effect
    const { subject, version } = placement
    assert(version > expected, `a version after ${expected}, got ${version} of ${subject}`)
    const kept = this.#placements.get(subject)
    if ((kept?.version ?? 0) !== expected) {
      return {
        kind: 'place-refused',
        placing,
        code: 'FANFOLD_PLACEMENT_CONFLICT',
        message: `${subject} is at version ${kept?.version ?? 0}, not ${expected}`,
        kept,
      }
    }
    const { placementsMax } = this.#limits
    if (kept === undefined && this.#placements.size >= placementsMax) {
      return {
        kind: 'place-refused',
        placing,
        code: 'FANFOLD_PLACEMENTS_FULL',
        message: `${placementsMax} subjects are placed, and no more may be`,
        kept,
      }
    }
    this.#placements.set(subject, placement)
    this.#tellAll({ kind: 'placements-read', isWhole: false, placements: [placement] })
    return { kind: 'placed', placing }
  }

  leave(coordinator: SpaceCoordinator): void {
    this.#open.delete(coordinator)
  }

  #tellAll(input: CoordinatorInput): void {
    for (const coordinator of this.#open) coordinator.tell(input)
  }
}

/** Announcements as they are told at `now`, in one input or more, without any in one that says so. */
function heardAt(now: Instant, announcements: readonly Announcement[]): CoordinatorInput[] {
  const { value: toldMax } = coordinatorLimits.membersToldMax
  const inputs: CoordinatorInput[] = []
  let from = 0
  do {
    const members = announcements
      .slice(from, from + toldMax)
      .map(({ bytes, at }) => ({ bytes, ageMs: Math.floor(between(at, now) / 1_000) }))
    inputs.push({ kind: 'members-heard', members })
    from += toldMax
  } while (from < announcements.length)
  return inputs
}

const nameOf = (node: string, incarnation: string): string => `${node}/${incarnation}`

/** One node's end: what it hears comes later, in order. */
class SpaceCoordinator implements Coordinator {
  readonly #space: CoordinationSpace
  readonly #time: SpaceTime
  readonly #receive: Receive
  #waiting: CoordinatorInput[] = []
  /** Announced, and not told yet. */
  #news: Announcement[] = []
  #cancelNews: (() => void) | undefined
  #isFlushing = false
  #isWatching = false
  #isLost = false
  #isClosed = false
  #cancelTelling: (() => void) | undefined

  constructor(space: CoordinationSpace, time: SpaceTime, receive: Receive) {
    this.#space = space
    this.#time = time
    this.#receive = receive
  }

  perform(effect: CoordinatorEffect): void {
    assert(!this.#isClosed, `a coordinator that is open, got ${effect.kind}`)
    switch (effect.kind) {
      case 'coordinator-watch':
        this.#isWatching = true
        if (!this.#isLost) this.#tellEverything()
        return
      case 'coordinator-announce':
        if (this.#isLost) return
        this.#space.announce(effect)
        this.#answer({ kind: 'announced', announcement: effect.announcement })
        return
      case 'coordinator-withdraw':
        if (!this.#isLost) this.#space.withdraw(effect.node, effect.incarnation)
        return
      case 'coordinator-place':
        this.#answer(this.#isLost ? unanswered(effect.placing) : this.#space.place(effect))
    }
  }

  async close(): Promise<void> {
    this.#isWatching = false
    this.#cancelTelling?.()
    this.#forgetNews()
    this.#space.leave(this)
    this.#isClosed = true
    if (this.#waiting.length === 0) return
    await new Promise<void>(resolve => this.#time.after(0, resolve))
  }

  /** What was announced is told soon, in one with what else is. */
  hear(announcement: Announcement): void {
    if (!this.#isWatching || this.#isLost) return
    this.#news.push(announcement)
    this.#cancelNews ??= this.#time.after(toldWithinMs, () => this.#tellNews())
  }

  /** What watchers are told. */
  tell(input: CoordinatorInput): void {
    if (this.#isWatching && !this.#isLost) this.#answer(input)
  }

  /** The space cannot be reached from here. */
  lose(message: string): void {
    this.#isLost = true
    this.#cancelTelling?.()
    this.#forgetNews()
    this.#answer({ kind: 'coordinator-lost', code: 'FANFOLD_COORDINATOR_UNREACHABLE', message })
  }

  /** The space can be reached again. */
  find(): void {
    this.#isLost = false
    this.#answer({ kind: 'coordinator-found' })
    if (this.#isWatching) this.#tellEverything()
  }

  #tellEverything(): void {
    this.#answer(this.#space.placements())
    this.#tellAll()
  }

  #tellAll(): void {
    this.#forgetNews()
    for (const input of this.#space.members()) this.#wait(input)
    this.#tellAgain(newsBetween)
  }

  /** In a while: so many times what is new, or that nothing is, and then all of it. */
  #tellAgain(count: number): void {
    const { value: everyMs } = coordinatorLimits.tellEveryMs
    this.#cancelTelling = this.#time.after(everyMs, () => {
      if (count === 0) {
        this.#tellAll()
        return
      }
      this.#tellNews()
      this.#tellAgain(count - 1)
    })
  }

  #tellNews(): void {
    const news = this.#news
    this.#forgetNews()
    for (const input of heardAt(this.#time.now(), news)) this.#wait(input)
  }

  #forgetNews(): void {
    this.#news = []
    this.#cancelNews?.()
    this.#cancelNews = undefined
  }

  #answer(input: CoordinatorInput): void {
    // All is told in its order.
    if (this.#news.length > 0) this.#tellNews()
    this.#wait(input)
  }

  #wait(input: CoordinatorInput): void {
    this.#waiting.push(input)
    if (this.#isFlushing) return
    this.#isFlushing = true
    this.#time.after(0, () => this.#flush())
  }

  #flush(): void {
    this.#isFlushing = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const input of waiting) this.#receive(input)
  }
}

const unanswered = (
  placing: Extract<CoordinatorInput, { kind: 'place-unanswered' }>['placing'],
): CoordinatorInput => ({
  kind: 'place-unanswered',
  placing,
  code: 'FANFOLD_COORDINATOR_UNREACHABLE',
  message: 'the coordinator cannot be reached',
})
