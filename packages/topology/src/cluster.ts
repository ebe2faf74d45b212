/*
 * One node's part in the fleet: it announces itself, hears the others, and says who serves what.
 *
 * The view is kept from evidence. Silence of a member counts as far as the coordinator has told us something, and
 * only while two things are so: it tells us something, and it takes our own announcements. While one of them is not (it is lost, it is paused,
 * it takes no writes, or this process itself stood still) the view is frozen at the last that is known: nobody
 * dies, nothing is elected, and how old the view is is told. When both are so again, everybody has the whole
 * time anew. A node that cannot be sure that others still see it says that too: an authority then refuses
 * writes, out of politeness; what keeps two from writing is the log.
 *
 * Until it has heard who is there, what is placed, and that it was itself taken, a node has no view at all: an
 * authority that has just started would else think that all documents are its own. It begins frozen: while the
 * coordinator was away nobody could announce himself, and who was there before is there.
 *
 * Whoever drives it performs its coordinator effects on a Coordinator, dials for it, and acts on its views.
 */
import {
  after,
  assert,
  between,
  earliest,
  type Instant,
  type Machine,
  milliseconds,
  type Prng,
  unreachable,
} from '@fanfold/kernel'
import { ProtocolError } from '@fanfold/protocol'
import type { ClusterEffect, ClusterFact, ClusterInput, OwnMember } from './cluster-effect.ts'
import { type CoordinatorInput, coordinatorLimits } from './coordinator.ts'
import { DifferingMembers } from './differing-members.ts'
import { fleetFingerprint } from './fleet-fingerprint.ts'
import { encodeMember, type Member, type MemberLoad, readMember } from './member.ts'
import { type MemberChange, Members, type MembersOptions } from './members.ts'
import { Placement } from './placement.ts'
import { PlacementBook } from './placement-book.ts'
import { Renewal } from './renewal.ts'

/** How a node takes part. */
export type ClusterOptions = {
  readonly self: OwnMember
  readonly members: MembersOptions
  /**
   * How long a node believes in itself after an announcement that was taken, ms: less than
   * `memberDeadAfterMs`, by more than clocks drift apart in that time.
   */
  readonly renewedForMs: number
  /** When this incarnation started. */
  readonly startedAt: Instant
  readonly prng: Prng
}

/** The part of `memberDeadAfterMs` after which a node is unsure of itself: the rest is more than clocks drift apart. */
const renewedShare = 0.8

/** What `renewedForMs` is for these timers. */
export const renewedForMsOf = ({ memberDeadAfterMs }: MembersOptions): number =>
  memberDeadAfterMs * renewedShare

/** What one reading tells of a member. */
type Heard = { readonly member: Member; readonly ageMs: number }

const sinceStartMs = ({ member, ageMs }: Heard): number => member.upMs + ageMs

/** A node's part in the fleet. */
export class Cluster implements Machine<ClusterInput, ClusterEffect> {
  readonly #options: ClusterOptions
  readonly #members: Members
  readonly #book: PlacementBook = new PlacementBook()
  readonly #renewal: Renewal
  readonly #differing: DifferingMembers
  #self: OwnMember
  #load: MemberLoad = { documents: 0, viewers: 0, children: 0, bytesPerSecond: 0 }
  #placement: Placement | undefined
  #isStarted = false
  #isWithdrawn = false
  #isSure = false
  /** Silence has said something at some time. */
  #wasEvident = false
  #lostAt: Instant | undefined
  #readAt: Instant | undefined
  #hasPlacements = false
  #restoreAt: Instant | undefined

  constructor(options: ClusterOptions) {
    const { members, renewedForMs, startedAt, prng } = options
    assert(
      renewedForMs < members.memberDeadAfterMs,
      `renewedForMs is less than memberDeadAfterMs, got ${renewedForMs} and ${members.memberDeadAfterMs}`,
    )
    const { value: tellEveryMs } = coordinatorLimits.tellEveryMs
    assert(
      members.memberDeadAfterMs >= 3 * tellEveryMs,
      `memberDeadAfterMs is at least 3 times what a coordinator may be silent, got ${members.memberDeadAfterMs} and ${tellEveryMs}`,
    )
    this.#options = options
    this.#self = options.self
    this.#differing = new DifferingMembers(options.self.node)
    this.#members = new Members(members)
    this.#members.freeze()
    const { heartbeatMs } = members
    this.#renewal = new Renewal({ heartbeatMs, renewedForMs, firstAt: startedAt, prng })
  }

  /** Who serves what; undefined until enough is known. */
  get placement(): Placement | undefined {
    return this.#placement
  }

  /** Nodes that may not have heard yet of all that is placed as far as this node knows, itself included. */
  get behind(): readonly Member[] {
    const { node: self } = this.#self
    return [...this.#members].filter(member => this.#book.isBehind(member, self))
  }

  /** True while nobody dies and nothing is elected, because silence says nothing. */
  get isFrozen(): boolean {
    return this.#members.isFrozen
  }

  /** Until when this node may be sure that the others see it; undefined before they do. */
  get renewedUntil(): Instant | undefined {
    return this.#isWithdrawn ? undefined : this.#renewal.until
  }

  /** True when the others see this node for sure. */
  isSure(now: Instant): boolean {
    const until = this.renewedUntil
    return until !== undefined && now < until
  }

  /** How old what is known of the others is; undefined when nothing ever was. */
  knownForMs(now: Instant): number | undefined {
    return this.#readAt === undefined ? undefined : between(this.#readAt, now) / 1_000
  }

  receive(input: ClusterInput, now: Instant, effects: ClusterEffect[]): void {
    // What was waited for while the process stood still is not what the others kept silent about.
    this.#checkEvidence(now, effects)
    switch (input.kind) {
      case 'load-measured':
        this.#load = input.load
        return
      case 'self-changed':
        this.#self = { ...this.#self, ...input.changes }
        if (this.#isStarted && !this.#isWithdrawn) this.#renewal.hurry(now)
        return
      case 'peer-lost':
        this.#suspect(input.node, effects)
        return
      case 'member-dialled':
        this.#apply(this.#members.dialled(input, now), effects)
        return
      case 'place-asked':
        this.#book.place(input, this.#placement, effects)
        return
      case 'leave':
        this.#withdraw(effects)
        this.#tellCertainty(now, effects)
        return
      default:
        this.#hear(input, now, effects)
        this.#checkEvidence(now, effects)
        this.#tellCertainty(now, effects)
    }
  }

  wakeAt(): Instant | undefined {
    if (!this.#isStarted) return this.#options.startedAt
    let at = earliest(this.#isWithdrawn ? undefined : this.#renewal.nextAt, this.#restoreAt)
    const silentAt = this.#members.wakeAt()
    const isSilent =
      silentAt !== undefined && this.#readAt !== undefined && silentAt <= this.#readAt
    at = earliest(at, isSilent ? silentAt : undefined)
    at = earliest(at, this.#members.isFrozen ? undefined : this.#evidenceUntil())
    return earliest(at, this.#isSure ? this.renewedUntil : undefined)
  }

  tick(now: Instant, effects: ClusterEffect[]): void {
    if (!this.#isStarted) {
      if (now < this.#options.startedAt) return
      this.#isStarted = true
      effects.push({ kind: 'coordinator-watch' })
    }
    this.#checkEvidence(now, effects)
    this.#tellCertainty(now, effects)
    const { nextAt } = this.#renewal
    if (!this.#isWithdrawn && nextAt !== undefined && now >= nextAt) this.#announce(now, effects)
    if (this.#restoreAt !== undefined && now >= this.#restoreAt) {
      this.#restoreAt = undefined
      this.#book.restore(effects)
    }
    // Who was silent until the last reading; what was said since is not known.
    if (this.#readAt !== undefined) this.#apply(this.#members.tick(this.#readAt), effects)
  }

  #hear(input: CoordinatorInput, now: Instant, effects: ClusterEffect[]): void {
    switch (input.kind) {
      case 'members-heard':
        this.#hearMembers(input, now, effects)
        return
      case 'member-withdrawn':
        this.#apply(this.#members.withdraw(input.node, input.incarnation, now), effects)
        return
      case 'placements-read':
        this.#readPlacements(input, now, effects)
        return
      case 'announced':
        this.#hearSelf(this.#renewal.answered(input.announcement), now, effects)
        return
      case 'placed':
      case 'place-refused':
      case 'place-unanswered':
        this.#show([], this.#book.answered(input, effects), effects)
        return
      case 'coordinator-lost':
        this.#lose(input.message, now, effects)
        return
      case 'coordinator-found':
        this.#find(now, effects)
        return
      default:
        unreachable(input)
    }
  }

  #hearMembers(
    input: Extract<CoordinatorInput, { kind: 'members-heard' }>,
    now: Instant,
    effects: ClusterEffect[],
  ): void {
    this.#readAt = now
    const heard: Heard[] = []
    let youngestMs = Number.POSITIVE_INFINITY
    for (const { bytes, ageMs: toldMs } of input.members) {
      const member = this.#decode(bytes, effects)
      if (member === undefined) continue
      const ageMs = Math.max(0, toldMs)
      heard.push({ member, ageMs })
      if (member.node !== this.#self.node) youngestMs = Math.min(youngestMs, ageMs)
    }
    heard.sort((one, other) => sinceStartMs(one) - sinceStartMs(other))
    const isQuiet = this.#members.isFrozen && youngestMs < Number.POSITIVE_INFINITY
    const quietMs = isQuiet ? youngestMs : 0
    const changes: MemberChange[] = []
    for (const { member, ageMs } of heard) {
      const heardAt = after(now, milliseconds(-ageMs))
      changes.push(...this.#members.hear(member, heardAt, now, quietMs))
    }
    this.#apply(changes, effects)
  }

  /** It was taken, so all the others hear it: the node is one of those that are alive. */
  #hearSelf(sentAt: Instant | undefined, now: Instant, effects: ClusterEffect[]): void {
    if (sentAt === undefined || this.#isWithdrawn) return
    // Later it hears itself as it hears the others.
    const { node, incarnation } = this.#self
    const isKnown = this.#members.get(node)?.incarnation === incarnation
    const changes = isKnown ? [] : this.#members.hear(this.#memberAt(sentAt), sentAt, now)
    this.#apply(changes, effects)
  }

  #readPlacements(
    input: Extract<CoordinatorInput, { kind: 'placements-read' }>,
    now: Instant,
    effects: ClusterEffect[],
  ): void {
    const { changed, unreadable, lost } = this.#book.read(input)
    for (const message of unreadable) note(effects, { event: 'placement-unreadable', message })
    if (lost.length > 0) {
      note(effects, { event: 'placements-lost', count: lost.length })
      // All nodes see it at once; the first that gives it back saves the others the work.
      const { heartbeatMs } = this.#options.members
      const wait = milliseconds(heartbeatMs * this.#options.prng.fraction())
      this.#restoreAt ??= after(now, wait)
    }
    const isFirst = input.isWhole && !this.#hasPlacements
    this.#hasPlacements ||= input.isWhole
    this.#show([], changed, effects, isFirst)
  }

  #lose(message: string, now: Instant, effects: ClusterEffect[]): void {
    if (this.#lostAt !== undefined) return
    this.#lostAt = now
    this.#renewal.pause()
    this.#book.setReachable(false)
    this.#restoreAt = undefined
    note(effects, { event: 'coordinator-lost', message })
  }

  #find(now: Instant, effects: ClusterEffect[]): void {
    if (this.#lostAt === undefined) return
    const lostForMs = between(this.#lostAt, now) / 1_000
    this.#lostAt = undefined
    this.#renewal.resume(now)
    this.#book.setReachable(true)
    note(effects, { event: 'coordinator-found', lostForMs })
  }

  /** Freezes the view when silence has come to say nothing, and thaws it when it says something again. */
  #checkEvidence(now: Instant, effects: ClusterEffect[]): void {
    const until = this.#evidenceUntil()
    const isEvident = this.#lostAt === undefined && until !== undefined && now < until
    if (isEvident === !this.#members.isFrozen || (until === undefined && !this.#members.isFrozen)) {
      return
    }
    if (isEvident) {
      if (this.#wasEvident) note(effects, { event: 'view-thawed' })
      this.#wasEvident = true
      this.#apply(this.#members.thaw(now), effects)
    } else {
      this.#members.freeze()
      note(effects, { event: 'view-frozen', knownForMs: this.knownForMs(now) ?? 0 })
    }
  }

  /** Until when silence says something: half of what a member's death takes after the older evidence. */
  #evidenceUntil(): Instant | undefined {
    const { from } = this.#renewal
    if (this.#readAt === undefined || from === undefined) return undefined
    // One that has withdrawn announces nothing more, and goes on by what it is told.
    const oldest = this.#isWithdrawn ? this.#readAt : (Math.min(this.#readAt, from) as Instant)
    return after(oldest, milliseconds(this.#options.members.memberDeadAfterMs / 2))
  }

  #announce(now: Instant, effects: ClusterEffect[]): void {
    const { node, incarnation } = this.#self
    effects.push({
      kind: 'coordinator-announce',
      announcement: this.#renewal.send(now),
      node,
      incarnation,
      bytes: encodeMember(this.#memberAt(now)),
    })
  }

  #withdraw(effects: ClusterEffect[]): void {
    if (this.#isWithdrawn) return
    this.#isWithdrawn = true
    const { node, incarnation } = this.#self
    effects.push({ kind: 'coordinator-withdraw', node, incarnation })
  }

  #suspect(node: string, effects: ClusterEffect[]): void {
    if (node === this.#self.node) return
    const member = this.#members.suspect(node)
    if (member === undefined) return
    const { incarnation, address } = member
    effects.push({ kind: 'dial-member', node, incarnation, address })
  }

  #apply(changes: readonly MemberChange[], effects: ClusterEffect[]): void {
    for (const change of changes) {
      if (change.kind === 'members-full') {
        const { node, membersMax } = change
        note(effects, { event: 'members-full', node, membersMax })
        continue
      }
      if (change.kind === 'member-cloned') this.#tellClone(change, effects)
    }
    const isReady = this.#placement !== undefined
    this.#show(changes, [], effects, !isReady)
  }

  #tellClone(
    { member, refused }: Extract<MemberChange, { kind: 'member-cloned' }>,
    effects: ClusterEffect[],
  ): void {
    const { node } = member
    note(effects, { event: 'member-cloned', node, kept: member.address, refused: refused.address })
    if (refused.incarnation !== this.#self.incarnation) return
    this.#withdraw(effects)
    effects.push({
      kind: 'node-refused',
      code: 'FANFOLD_NODE_CLONED',
      message: `node id ${node} is in use at ${member.address}, by an incarnation that started before this one; give this node a node id of its own, and a data directory that is no copy`,
    })
  }

  /** Makes the view anew when something of it changed; `isFirst` when it may be the first. */
  #show(
    members: readonly MemberChange[],
    placed: readonly string[],
    effects: ClusterEffect[],
    isFirst = false,
  ): void {
    const isReady =
      this.#readAt !== undefined && this.#hasPlacements && this.#renewal.from !== undefined
    if (!isReady || (!isFirst && members.length === 0 && placed.length === 0)) return
    const before = this.#placement
    const placement = new Placement({
      members: this.#members,
      entries: this.#book,
      fingerprint: fleetFingerprint(this.#members.settings),
    })
    this.#placement = placement
    for (const fact of this.#differing.update(placement)) note(effects, fact)
    effects.push({ kind: 'view-changed', placement, before, members, placed })
  }

  #tellCertainty(now: Instant, effects: ClusterEffect[]): void {
    const isSure = this.isSure(now)
    if (isSure === this.#isSure) return
    this.#isSure = isSure
    effects.push({ kind: 'certainty-changed', isSure })
  }

  #memberAt(now: Instant): Member {
    const upMs = Math.floor(between(this.#options.startedAt, now) / 1_000)
    return { ...this.#self, upMs, load: this.#load, placementsHeard: this.#book.heard }
  }

  #decode(bytes: Uint8Array, effects: ClusterEffect[]): Member | undefined {
    try {
      return readMember(bytes)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      note(effects, { event: 'member-unreadable', message: error.message })
      return undefined
    }
  }
}

const note = (effects: ClusterEffect[], fact: ClusterFact): void => {
  effects.push({ kind: 'cluster-note', fact })
}
