/*
 * Who is alive, as one node sees it.
 *
 * A member is alive while it was heard less than `memberDeadAfterMs` ago. When that was is told with each
 * announcement as an age, by the clock of whoever took it; no two clocks are compared, and no wall's.
 *
 * Death comes sooner by word (it withdraws) or by proof: a connection that closed is a suspicion, which a
 * dial settles. Refused: nobody is there, dead at once. Answered: alive. No answer: the deadline decides.
 *
 * Of two incarnations of a node the one that started later counts, so a restart replaces and never adds. If
 * the older one goes on announcing itself after the newer one's first word, the two run at once: a clone of
 * a disk or of a configuration. The older one stays, the newer one is refused. The proof is that the older one
 * has got older: what a node left behind when it ended does not, however late it is heard.
 *
 * While the view is frozen nobody dies of silence or of refusals: it is for times in which silence
 * says nothing. Afterwards everybody has the whole of `memberDeadAfterMs` again.
 */
import { after, assert, Deadlines, type Instant, milliseconds } from '@fanfold/kernel'
import type { SettledMember } from './fleet-fingerprint.ts'
import { isSameStanding, type Member } from './member.ts'

/** Timers and bounds of a view. */
export type MembersOptions = {
  /** How often a member announces itself, ms. */
  readonly heartbeatMs: number
  /** A member that was not heard for so long is dead, ms; at least three heartbeats. */
  readonly memberDeadAfterMs: number
  /** Members beyond so many are not taken, and that is told. */
  readonly membersMax: number
}

/** What holds unless an operator says otherwise. */
export const defaultMembersOptions: MembersOptions = {
  heartbeatMs: 1_000,
  memberDeadAfterMs: 5_000,
  membersMax: 10_000,
}

/** How a member went. */
export type Departure = 'silent' | 'refused' | 'withdrawn'

/** What changed in the view; how busy a member is changes nothing. */
export type MemberChange =
  | { readonly kind: 'member-joined'; readonly member: Member }
  /** The same incarnation says something else of itself. */
  | { readonly kind: 'member-changed'; readonly member: Member; readonly before: Member }
  | { readonly kind: 'member-restarted'; readonly member: Member; readonly before: Member }
  | { readonly kind: 'member-left'; readonly member: Member; readonly why: Departure }
  /** Two of one node at once: `member` stays, `refused` counts no more. */
  | { readonly kind: 'member-cloned'; readonly member: Member; readonly refused: Member }
  /** There is no room for `node`; told once until somebody leaves. */
  | { readonly kind: 'members-full'; readonly node: string; readonly membersMax: number }

type Held = {
  member: Member
  heardAt: Instant
  /** First word of this incarnation. */
  readonly firstHeardAt: Instant
  /** By its last word, so that it can be compared with another incarnation in the same reading. */
  startedAt: Instant
  /**
   * Incarnations that were found to have started before this one, latest found last, and how long each was up
   * when it was first heard after it; undefined until it is.
   */
  readonly older: Map<string, number | undefined>
  /** Incarnations that were refused as clones, latest last. */
  readonly refused: readonly string[]
  isSuspected: boolean
  /** Nobody was there when it was dialled, while the view was frozen. */
  isRefused: boolean
}

type Buried = { readonly incarnation: string; readonly at: Instant; readonly why: Departure }

/** Clones of one node that are remembered. */
const clonesMax = 8
/** Incarnations of one node that are known to be older than the one that counts. */
const olderMax = 8

/** The view of who is alive. */
export class Members {
  readonly #options: MembersOptions
  readonly #held = new Map<string, Held>()
  readonly #silence = new Deadlines<string>()
  // Who died of another cause than silence, for as long as an old announcement could bring it back.
  readonly #buried = new Map<string, Buried>()
  readonly #forget = new Deadlines<string>()
  #isFrozen = false
  #isFull = false

  constructor(options: MembersOptions) {
    const { heartbeatMs, memberDeadAfterMs, membersMax } = options
    assert(
      heartbeatMs > 0 && memberDeadAfterMs >= 3 * heartbeatMs,
      `memberDeadAfterMs is at least 3 heartbeats, got ${memberDeadAfterMs} and heartbeatMs ${heartbeatMs}`,
    )
    assert(membersMax >= 1, `at least one member, got membersMax ${membersMax}`)
    this.#options = options
  }

  /** Members that are alive. */
  get count(): number {
    return this.#held.size
  }

  /** True while nobody dies of silence. */
  get isFrozen(): boolean {
    return this.#isFrozen
  }

  /** The member of this node id, when it is alive. */
  get(node: string): Member | undefined {
    return this.#held.get(node)?.member
  }

  /** When a member was last heard. */
  heardAt(node: string): Instant | undefined {
    return this.#held.get(node)?.heardAt
  }

  /** What each member is set to, and when it started by its last word. */
  get settings(): SettledMember[] {
    return [...this.#held.values()].map(({ member: { fingerprint }, startedAt }) => {
      return { fingerprint, startedAt }
    })
  }

  /** All that are alive. */
  *[Symbol.iterator](): IterableIterator<Member> {
    for (const { member } of this.#held.values()) yield member
  }

  /**
   * Takes an announcement that was heard at `heardAt`, which may be long ago. Of those of one reading, the
   * latest to have started come first.
   *
   * @param quietMs for so long nobody at all was heard, which is no silence of this one
   */
  hear(member: Member, heardAt: Instant, now: Instant, quietMs = 0): MemberChange[] {
    const { node, incarnation } = member
    const held = this.#held.get(node)
    // The same word, told again.
    if (held?.member === member) return []
    if (heardAt <= this.#before(now, this.#options.memberDeadAfterMs + quietMs)) return []
    if (this.#isBuried(member, heardAt)) return []
    if (held === undefined) return this.#join(member, heardAt)
    if (held.refused.includes(incarnation)) return []
    if (held.member.incarnation === incarnation) return this.#hearAgain(held, member, heardAt)
    return this.#hearOther(held, member, heardAt)
  }

  /** An incarnation says that it goes. */
  withdraw(node: string, incarnation: string, now: Instant): MemberChange[] {
    const held = this.#held.get(node)
    if (held?.member.incarnation !== incarnation) return []
    return [this.#bury(held, 'withdrawn', now)]
  }

  /** A connection to the node closed. Who is to be dialled for that; nobody when it is under way. */
  suspect(node: string): Member | undefined {
    const held = this.#held.get(node)
    if (held === undefined || held.isSuspected) return undefined
    held.isSuspected = true
    return held.member
  }

  /** What a dial for a suspicion came to. Each that was asked for comes to something. */
  dialled(
    dial: {
      readonly node: string
      readonly incarnation: string
      readonly outcome: 'answered' | 'refused' | 'silent'
    },
    now: Instant,
  ): MemberChange[] {
    const held = this.#held.get(dial.node)
    if (held?.member.incarnation !== dial.incarnation) return []
    held.isSuspected = false
    held.isRefused = dial.outcome === 'refused'
    return held.isRefused && !this.#isFrozen ? [this.#bury(held, 'refused', now)] : []
  }

  /** From now on silence says nothing. */
  freeze(): void {
    this.#isFrozen = true
  }

  /** Silence counts again, from now on. */
  thaw(now: Instant): MemberChange[] {
    if (!this.#isFrozen) return []
    this.#isFrozen = false
    const changes: MemberChange[] = []
    for (const held of [...this.#held.values()]) {
      if (held.isRefused) changes.push(this.#bury(held, 'refused', now))
      else this.#waitFor(held, now)
    }
    return changes
  }

  /** When somebody may be dead of silence. */
  wakeAt(): Instant | undefined {
    return this.#isFrozen ? undefined : this.#silence.wakeAt()
  }

  /** Who is dead of silence at `now`, up to when all that was said was heard. */
  tick(now: Instant): MemberChange[] {
    for (const node of this.#forget.due(now)) this.#buried.delete(node)
    if (this.#isFrozen) return []
    const changes: MemberChange[] = []
    for (const node of this.#silence.due(now)) {
      const held = this.#held.get(node)
      assert(held !== undefined, `who is waited for is held, got ${node}`)
      changes.push(this.#remove(held, 'silent'))
    }
    return changes
  }

  #hearAgain(held: Held, member: Member, heardAt: Instant): MemberChange[] {
    // Of one incarnation a later word has a longer time up; an older one may be heard after it.
    if (member.upMs < held.member.upMs) return []
    const before = held.member
    held.member = member
    held.startedAt = startOf(member, heardAt)
    if (heardAt > held.heardAt) {
      held.isRefused = false
      this.#waitFor(held, heardAt)
    }
    return isSameStanding(before, member) ? [] : [{ kind: 'member-changed', member, before }]
  }

  #hearOther(held: Held, other: Member, heardAt: Instant): MemberChange[] {
    const before = held.member
    // Found once: as its clock goes, the start of who is heard again and again may seem to move.
    const isOlder = held.older.has(other.incarnation)
    if (!isOlder && startOf(other, heardAt) > held.startedAt) {
      this.#hold(other, heardAt, { refused: held.refused, older: held.older })
      note(held.older, before.incarnation, undefined)
      return [{ kind: 'member-restarted', member: other, before }]
    }
    const wasUpMs = held.older.get(other.incarnation)
    if (wasUpMs === undefined) {
      note(held.older, other.incarnation, other.upMs)
      return []
    }
    const { heartbeatMs } = this.#options
    // Announcements under way when their sender ended are no proof; two heartbeats later none is under way. To who
    // was stopped meanwhile they seem to be new, and of those the last may be a heartbeat older than the first.
    const underWayMs = 2 * heartbeatMs
    const provenAt = after(held.firstHeardAt, milliseconds(underWayMs))
    if (heardAt < provenAt || other.upMs < wasUpMs + underWayMs) return []
    const refused = [...held.refused, before.incarnation].slice(-clonesMax)
    this.#hold(other, heardAt, { refused, older: new Map() })
    return [{ kind: 'member-cloned', member: other, refused: before }]
  }

  #join(member: Member, heardAt: Instant): MemberChange[] {
    const { membersMax } = this.#options
    if (this.#held.size >= membersMax) {
      if (this.#isFull) return []
      this.#isFull = true
      return [{ kind: 'members-full', node: member.node, membersMax }]
    }
    this.#hold(member, heardAt, { refused: [], older: new Map() })
    return [{ kind: 'member-joined', member }]
  }

  #hold(member: Member, heardAt: Instant, others: Pick<Held, 'refused' | 'older'>): void {
    const held: Held = {
      member,
      heardAt,
      firstHeardAt: heardAt,
      startedAt: startOf(member, heardAt),
      ...others,
      isSuspected: false,
      isRefused: false,
    }
    this.#held.set(member.node, held)
    this.#waitFor(held, heardAt)
  }

  #waitFor(held: Held, heardAt: Instant): void {
    held.heardAt = heardAt
    const { memberDeadAfterMs } = this.#options
    this.#silence.set(held.member.node, after(heardAt, milliseconds(memberDeadAfterMs)))
  }

  #bury(held: Held, why: Departure, now: Instant): MemberChange {
    const { node, incarnation } = held.member
    this.#buried.set(node, { incarnation, at: now, why })
    // By then an announcement from before is too old to be taken.
    this.#forget.set(node, after(now, milliseconds(2 * this.#options.memberDeadAfterMs)))
    return this.#remove(held, why)
  }

  #remove({ member }: Held, why: Departure): MemberChange {
    this.#held.delete(member.node)
    this.#silence.set(member.node, undefined)
    this.#isFull = false
    return { kind: 'member-left', member, why }
  }

  /** Of one that was refused, a word that is a heartbeat younger than that proves life. */
  #isBuried({ node, incarnation }: Member, heardAt: Instant): boolean {
    const buried = this.#buried.get(node)
    if (buried?.incarnation !== incarnation) return false
    if (buried.why === 'withdrawn') return true
    return heardAt < after(buried.at, milliseconds(this.#options.heartbeatMs))
  }

  #before(now: Instant, ms: number): Instant {
    return after(now, milliseconds(-ms))
  }
}

/** Notes what is known of an older incarnation, and forgets one too many. */
function note(older: Held['older'], incarnation: string, upMs: number | undefined): void {
  older.delete(incarnation)
  older.set(incarnation, upMs)
  for (const oldest of older.keys()) {
    if (older.size <= olderMax) break
    older.delete(oldest)
  }
}

const startOf = (member: Member, heardAt: Instant): Instant =>
  after(heardAt, milliseconds(-member.upMs))
