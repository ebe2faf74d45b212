/*
 * How what a document shows goes on: from one record to the next, by a snapshot where the history was
 * replaced, and from one definition to another.
 */
import { decodeChange, type JsonObject } from '@fanfold/document'
import { copyBytes } from '@fanfold/kernel'
import { type DocumentKey, type LogRecord, labelMax } from '@fanfold/protocol'
import type { Follower } from '@fanfold/replication'
import type { Cohort, Place, Terms } from './cohort.ts'
import { type CohortLimits, type CohortNames, Cohorts, type DocumentSize } from './cohorts.ts'
import { deliverRecord, placeOf, ruleFailed } from './delivery.ts'
import { frameAcross, readViews } from './move-frames.ts'
import { nobody, type Turned, type WayBetween } from './observe-request.ts'
import type { Observers } from './observers.ts'
import type { Way } from './seat.ts'
import type { Showing } from './showing.ts'
import type { TermsSource } from './terms-source.ts'
import type { Turn } from './turn.ts'

/** What progress needs of the edge. */
export type ProgressPort = CohortNames & {
  readonly turn: Turn
  readonly limits: CohortLimits
  /** The wall's time, ms since 1970. */
  wallClockMs(): number
}

/** Takes what a document shows on. */
export class Progress {
  readonly #doc: DocumentKey
  readonly #follower: Follower
  readonly #showing: Showing
  readonly #observers: Observers
  readonly #terms: TermsSource
  readonly #size: DocumentSize
  readonly #port: ProgressPort
  readonly #changed: (isOther: boolean, turned: Turned) => void
  /** Whether records went by of which the cohorts are told with the next one that they are shown. */
  #isForMany = false

  constructor(options: {
    readonly doc: DocumentKey
    readonly follower: Follower
    readonly showing: Showing
    readonly observers: Observers
    readonly terms: TermsSource
    readonly size: DocumentSize
    readonly port: ProgressPort
    /** What is shown goes on by a definition, another one or not; who can be shown nothing by it. */
    readonly changed: (isOther: boolean, turned: Turned) => void
  }) {
    this.#doc = options.doc
    this.#follower = options.follower
    this.#showing = options.showing
    this.#observers = options.observers
    this.#terms = options.terms
    this.#size = options.size
    this.#port = options.port
    this.#changed = options.changed
  }

  /** Shows what is held, as far as it can be. */
  run(): void {
    const { hasState, replica } = this.#follower
    while (hasState && !replica.isDeleted && !replica.isBroken) {
      if (this.#showing.isRestartDue || replica.appliedSeq > this.#showing.at.seq) {
        if (!this.#restartShown()) return
      } else if (this.#terms.isWaiting) {
        if (!this.#isSkipDue) return
        this.#showing.isRestartDue = true
        continue
      }
      const record = this.#nextRecord()
      if (record === undefined) return
      if (this.#isPassed(record)) {
        this.#isForMany = true
        this.#showing.at = placeOf(record)
        this.#showing.check?.passed()
        continue
      }
      if (!this.#show(record)) return
      this.#isForMany = false
      this.#showing.check?.shown()
      if (this.#showing.allowance?.isOver === true) this.#hold()
    }
  }

  /** What the viewers of the tenant may be sent is spent: they are told of less. */
  #hold(): void {
    const { at, cohorts } = this.#showing
    const { replica } = this.#follower
    cohorts?.hold(at, () => {
      replica.settle(at.seq - replica.appliedSeq)
      return replica.isBroken ? undefined : replica.appliedState
    })
  }

  /** Says for metrics what was shown since the record with seq `first`. */
  noteDelivered(first: number): void {
    const { at, cohorts } = this.#showing
    const viewers = this.#observers.count
    if (viewers === 0 || at.seq <= first || first === 0) return
    const { ring } = this.#follower
    const records: LogRecord[] = []
    for (let seq = first + 1; seq <= at.seq; seq++) {
      const record = ring.get(seq)
      if (record !== undefined) records.push(record)
    }
    this.#port.turn.fact({
      event: 'deltas-delivered',
      doc: this.#doc,
      deltas: at.seq - first,
      records,
      viewers,
      cohorts: cohorts?.count ?? 0,
      committedAtMs: ring.get(first + 1)?.timeMs ?? at.timeMs,
    })
  }

  /**
   * Whether the variant of the next definition cannot be had, and another definition follows: nobody may
   * have that variant any more, and so what is shown goes on by a snapshot under what follows.
   */
  get #isSkipDue(): boolean {
    if (this.#terms.missingSinceMs === undefined) return false
    const { replica, ring } = this.#follower
    const first = this.#showing.at.seq + 2
    for (let seq = replica.position.seq; seq >= first; seq--) {
      const kind = ring.get(seq)?.kind
      // What the ring has let go of may be one.
      if (kind === undefined || kind === 'definition') return true
    }
    return false
  }

  #nextRecord(): LogRecord | undefined {
    const { replica, ring } = this.#follower
    const { seq } = this.#showing.at
    if (seq >= replica.position.seq) return undefined
    const record = ring.get(seq + 1)
    if (record !== undefined) return record
    replica.settle(seq - replica.appliedSeq)
    return replica.peek()?.record
  }

  /** Whether computed views go by the record: another change has come with it, and can be shown at once. */
  #isPassed({ kind, seq }: LogRecord): boolean {
    const { cohorts } = this.#showing
    if (kind !== 'delta' || cohorts === undefined) return false
    if (!cohorts.areComputed || cohorts.areAllPlain) return false
    const { replica, ring } = this.#follower
    return seq < replica.position.seq && ring.get(seq + 1)?.kind === 'delta'
  }

  /** False when what comes after the record has to wait. */
  #show(record: LogRecord): boolean {
    switch (record.kind) {
      case 'definition':
        return this.#changeDefinition(record)
      case 'create':
      case 'delete':
        // Whoever sees the document still gets what it has become.
        this.#showing.isRestartDue = this.#observers.count > 0
        if (!this.#showing.isRestartDue) this.#deliver(record)
        return true
      default:
        this.#deliver(record)
        return !this.#follower.replica.isBroken
    }
  }

  #changeDefinition(record: LogRecord): boolean {
    const change = decodeChange(record)
    if (change?.kind !== 'definition') {
      // Not what a record is: applying it shows that the replica is broken.
      this.#follower.replica.settle(Number.POSITIVE_INFINITY)
      return false
    }
    const before = this.#showing.terms
    const terms = this.#terms.termsOf(change.definition, before)
    if (terms === 'awaited') return false
    this.#nowUnder(terms, before, this.#regroupBy(terms, record))
    return !this.#follower.replica.isBroken
  }

  #restartShown(): boolean {
    const { replica, ring } = this.#follower
    const before = this.#showing.terms
    const state = replica.state()
    const terms = replica.isBroken ? 'awaited' : this.#terms.termsOf(replica.definition, before)
    // A definition comes before the first state.
    if (terms === 'awaited' || state === undefined) return false
    const { epoch, seq, hash } = replica.position
    const timeMs = ring.get(seq)?.timeMs ?? this.#port.wallClockMs()
    const place = { epoch, seq, hash: copyBytes(hash), timeMs }
    this.#showing.isRestartDue = false
    this.#isForMany = false
    this.#nowUnder(terms, before, this.#restartFrom(terms, place, state))
    return true
  }

  #nowUnder(terms: Terms | undefined, before: Terms | undefined, turned: Turned): void {
    this.#terms.settle(terms, before)
    this.#changed(terms !== before, turned)
  }

  /** Sends the cohorts what the record after the last one is to them. */
  #deliver(record: LogRecord): void {
    if (this.#showing.cohorts !== undefined) {
      deliverRecord(
        {
          cohorts: this.#showing.cohorts,
          replica: this.#follower.replica,
          turn: this.#port.turn,
          isWhole: this.#showing.ceiling === labelMax,
          isForMany: this.#isForMany,
          wallClockMs: () => this.#port.wallClockMs(),
          tellStatus: cohort => this.#observers.tellStatus(cohort),
          restarted: (cohort, way) => {
            // A large view that is asked for now is of the state that this record has led to.
            this.#showing.at = placeOf(record)
            this.#observers.restarted(cohort, way)
          },
        },
        record,
      )
    }
    if (!this.#follower.replica.isBroken) this.#showing.at = placeOf(record)
  }

  /** The highest label of which the stream may bring something. */
  get #ceilingNow(): number {
    return Math.min(this.#follower.upstream.ceiling, labelMax)
  }

  /**
   * What is shown goes on from `place`, where the history was replaced: everybody gets a snapshot.
   * Returns viewers that can be shown nothing, where nobody can.
   */
  #restartFrom(terms: Terms | undefined, place: Place, state: JsonObject): Turned {
    const ceiling = this.#ceilingNow
    const isChanged =
      this.#showing.isChanged || ceiling !== this.#showing.ceiling || terms !== this.#showing.terms
    const cohorts = this.#showing.cohorts
    this.#showing.ceiling = ceiling
    this.#showing.at = place
    if (isChanged || cohorts === undefined) {
      return this.#begin(terms, state, (_from, to) => this.#showing.cohorts?.snapshotOf(to, state))
    }
    const { turn } = this.#port
    for (const cohort of [...cohorts]) {
      const before = cohort.failure
      const way = cohorts.restart(cohort, place, state)
      this.#observers.restarted(cohort, way)
      if (cohort.failure !== undefined) turn.fact(ruleFailed(this.#doc, cohort.failure))
      if (before !== undefined || cohort.failure !== undefined) this.#observers.tellStatus(cohort)
    }
    return nobody
  }

  /**
   * Everybody is looked at anew by what the record says, and gets the difference between what the
   * document showed before it and shows after it. Returns viewers that can be shown nothing.
   */
  #regroupBy(terms: Terms | undefined, record: LogRecord): Turned {
    const { replica } = this.#follower
    const old = this.#showing.cohorts
    const wasAt = this.#showing.at
    let views = new Map<Cohort, JsonObject>()
    if (this.#observers.count > 0) {
      replica.settle(record.seq - 1 - replica.appliedSeq)
      const state = replica.appliedState
      if (old !== undefined && state !== undefined) views = readViews(old, wasAt, state)
      replica.settle(1)
    }
    if (replica.isBroken) return nobody
    this.#showing.at = placeOf(record)
    this.#showing.ceiling = this.#ceilingNow
    const state = this.#observers.count > 0 ? replica.appliedState : undefined
    if (state === undefined) return this.#begin(terms, undefined, () => undefined, wasAt.seq)
    const isDense = old?.terms.isDense === true || terms?.isDense === true
    const ways = new Map<string, Way>()
    const wayBetween: WayBetween = (from, to, isKnown) => {
      const key = `${from.id}>${to.id} ${isKnown}`
      if (!ways.has(key)) {
        const before = isDense || !isKnown ? undefined : views.get(from)
        ways.set(key, frameAcross({ cohorts: this.#showing.shown, from, to, before, state }))
      }
      return ways.get(key)
    }
    return this.#begin(terms, state, wayBetween, wasAt.seq)
  }

  /** New cohorts, into which everybody is let anew. */
  #begin(
    terms: Terms | undefined,
    state: JsonObject | undefined,
    wayBetween: WayBetween,
    wasAt = -1,
  ): Turned {
    const { limits } = this.#port
    this.#showing.isChanged = false
    this.#showing.cohorts?.forgetLarges()
    this.#showing.cohorts =
      terms === undefined
        ? undefined
        : new Cohorts({
            terms,
            limits,
            names: this.#port,
            size: this.#size,
            spending: this.#showing,
          })
    return this.#observers.regroup(state, wayBetween, wasAt)
  }
}
