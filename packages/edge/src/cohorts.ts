import type { JsonObject } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import type { CohortId } from '@fanfold/protocol'
import type { ByteAllowance } from './byte-allowance.ts'
import { Cohort, type CohortAudience, type Place, type Terms } from './cohort.ts'
import { FrameCache } from './frame-cache.ts'
import type { LargeSnapshot } from './large-snapshot.ts'
import { Paces } from './pace.ts'
import type { Way } from './seat.ts'
import type { ViewSample } from './view-sample.ts'

/** Bounds of the cohorts of one document. */
export type CohortLimits = {
  readonly cohortsMax: number
  /** Bytes of snapshots, and of deltas after them, that are kept for newcomers. */
  readonly cachedBytesMax: number
}

/** Whether a document is too large to be written out in a turn. */
export type DocumentSize = { readonly isLarge: boolean }

/** What the viewers of the document's tenant may be sent; undefined where nothing bounds that. */
export type Spending = { readonly allowance: ByteAllowance | undefined }

/** What tells cohorts apart. */
export type CohortNames = {
  /** One that was never used before. */
  nextCohort(): CohortId
  /** `pointSaltBytes` fresh random bytes. */
  salt(): Uint8Array
  /** So much was written out for viewers that join. */
  wrote(bytes: number): void
}

/** A delta that takes viewers from one cohort's view to another's, made once for all that go this way. */
type MoveFrame = { readonly fromSeq: number; readonly toSeq: number; readonly frame: Uint8Array }

/** Ways between cohorts that are kept; beyond, all are made anew. */
const movesMax = 64
/** Catch-ups of different places that are kept for one cohort; beyond, all are made anew. */
const catchUpsMax = 64
/** Views in pieces that frames are kept for, of one cohort; beyond, the oldest is led on by the ring. */
const largesMax = 4

/** The cohorts of one document under one definition, and the frames that are made once for many. */
export class Cohorts implements Iterable<Cohort> {
  readonly terms: Terms
  readonly #limits: CohortLimits
  readonly #names: CohortNames
  /** When cohorts with a pace are led on. */
  readonly paces: Paces = new Paces()
  readonly #size: DocumentSize
  readonly #spending: Spending
  readonly #byKey = new Map<string, Cohort>()
  /** Those without a pace, which are told of each record. */
  readonly #prompt = new Set<Cohort>()
  /** Views in pieces that something leads on from, the newest one last. */
  readonly #larges = new Map<Cohort, LargeSnapshot[]>()
  #frames: FrameCache
  readonly #moves = new Map<string, MoveFrame>()
  readonly #catchUps = new Map<string, Uint8Array | undefined>()
  /** The last snapshot for one that came between two deltas of a paced cohort. */
  #beside: { readonly cohort: Cohort; readonly seq: number; readonly frame: Uint8Array } | undefined
  #unplain = 0
  /** What one of the cohorts is sent, while it is checked. */
  sample: ViewSample | undefined

  constructor(options: {
    readonly terms: Terms
    readonly limits: CohortLimits
    readonly names: CohortNames
    readonly size: DocumentSize
    readonly spending: Spending
  }) {
    const { terms, limits, names } = options
    this.terms = terms
    this.#size = options.size
    this.#spending = options.spending
    this.#limits = limits
    this.#names = names
    this.#frames = new FrameCache(limits.cachedBytesMax)
  }

  get count(): number {
    return this.#byKey.size
  }

  /** The cohorts that are told of each record. */
  get prompt(): ReadonlySet<Cohort> {
    return this.#prompt
  }

  /**
   * True when no turn may write a whole view out. What a `view` makes is as large as its author wants:
   * it is taken for small.
   */
  get isLarge(): boolean {
    return this.#size.isLarge && !this.areComputed
  }

  /** True where the definition has a `view`, which is asked again whatever a record changes. */
  get areComputed(): boolean {
    return this.terms.rules.definition.view !== undefined
  }

  /** True where what a cohort with a pace sees is compared, as no record says what changes in it. */
  get areCompared(): boolean {
    return this.terms.isDense || this.areComputed
  }

  /** True when every cohort that is told of records sees the state as it is. */
  get areAllPlain(): boolean {
    return this.#unplain === 0
  }

  [Symbol.iterator](): IterableIterator<Cohort> {
    return this.#byKey.values()
  }

  /**
   * The cohort for such viewers, made at `place` when there is none: then its view is read, unless it
   * is plain. Undefined when there are too many.
   */
  of(audience: CohortAudience, place: Place, state: JsonObject): Cohort | undefined {
    const before = this.#byKey.get(audience.key)
    if (before !== undefined) return before
    if (this.#byKey.size >= this.#limits.cohortsMax) return undefined
    const [id, salt] = [this.#names.nextCohort(), this.#names.salt()]
    const isPaced = audience.pace !== undefined
    const besideId = isPaced ? this.#names.nextCohort() : undefined
    const cohort = new Cohort({ id, besideId, terms: this.terms, audience, place, salt })
    this.#byKey.set(audience.key, cohort)
    if (isPaced) this.paces.rest(cohort)
    else this.#prompt.add(cohort)
    if (!cohort.isPlain && !isPaced) this.#unplain++
    if (isPaced && this.areCompared) cohort.compare(state)
    else if (!cohort.isPlain && !this.isLarge) cohort.read(state)
    return cohort
  }

  /** A viewer is in the cohort from now on. */
  enter(cohort: Cohort): void {
    cohort.size++
  }

  /** A viewer is in the cohort no more; with the last one the cohort goes. */
  leave(cohort: Cohort): void {
    cohort.size--
    this.dropIfEmpty(cohort)
  }

  /** A cohort that was made for a viewer who did not enter it goes. */
  dropIfEmpty(cohort: Cohort): void {
    assert(cohort.size >= 0, `a cohort has at least no viewers, got ${cohort.size}`)
    if (cohort.size > 0 || this.#byKey.get(cohort.key) !== cohort) return
    this.#byKey.delete(cohort.key)
    this.#frames.drop(cohort)
    this.sample?.spoil(cohort)
    this.#forgetLarge(cohort)
    this.paces.drop(cohort)
    this.#leavePrompt(cohort)
  }

  /**
   * All are told of less from now on, and are led on as those with a pace are: what the viewers of their tenant may
   * be sent is spent. They were told of all up to `at`; `stateNow` is of there.
   */
  hold(at: Place, stateNow: () => JsonObject | undefined): void {
    // What is large and has to be compared is told of each record, whoever wants less.
    if (this.#prompt.size === 0 || (this.isLarge && this.areCompared)) return
    const state = this.areCompared ? stateNow() : undefined
    if (this.areCompared && state === undefined) return
    for (const cohort of [...this.#prompt]) {
      cohort.hold(this.#names.nextCohort(), at, state)
      this.#leavePrompt(cohort)
      this.paces.rest(cohort)
    }
  }

  /** One that is held, and was led on to the last record, is told of each again. */
  letGo(cohort: Cohort): void {
    cohort.letGo()
    this.paces.drop(cohort)
    this.#prompt.add(cohort)
    if (!cohort.isPlain) this.#unplain++
  }

  #leavePrompt(cohort: Cohort): void {
    if (this.#prompt.delete(cohort) && !cohort.isPlain) this.#unplain--
  }

  /** Takes the cohort's viewers on by a delta; returns the frame for all of them. */
  advance(...[cohort, ...step]: [cohort: Cohort, ...Parameters<Cohort['advance']>]): Uint8Array {
    const frame = cohort.advance(...step)
    this.#spending.allowance?.spend(frame.length, cohort.size)
    this.#frames.push(cohort, frame)
    this.sample?.follow(cohort, frame)
    for (const large of this.#larges.get(cohort) ?? []) large.follow(frame)
    this.#forgetPaths()
    return frame
  }

  /** Puts the cohort's viewers where a snapshot of now does. */
  restart(cohort: Cohort, place: Place, state: JsonObject): Way {
    this.#frames.drop(cohort)
    this.sample?.spoil(cohort)
    this.#forgetLarge(cohort)
    this.#forgetPaths()
    if (this.isLarge) {
      cohort.begin()
      cohort.restartAt(place)
      return 'pieces'
    }
    const view = cohort.reread(state)
    if (view === undefined) return undefined
    cohort.restartAt(place)
    return this.#makeSnapshot(cohort, view)
  }

  /**
   * What brings a newcomer up to date: a snapshot, and the deltas after it. The snapshot is not older
   * than `seqMin`, which is what the viewer has seen: nobody is taken back.
   */
  framesOf(cohort: Cohort, state: JsonObject, seqMin: number): readonly Uint8Array[] | 'pieces' {
    if (this.isLarge) return 'pieces'
    const cached = cohort.failure === undefined ? this.#frames.get(cohort, seqMin) : undefined
    if (cached !== undefined) return cached
    const snapshot = this.snapshotOf(cohort, state)
    return snapshot === undefined ? [] : snapshot === 'pieces' ? snapshot : [snapshot]
  }

  /** A snapshot of now, which is where the cohort stands. */
  snapshotOf(cohort: Cohort, state: JsonObject): Way {
    if (this.isLarge) return 'pieces'
    if (cohort.failure !== undefined) return undefined
    const cached = this.#frames.get(cohort)
    if (cached?.length === 1) return cached[0]
    const view = cohort.read(state)
    return view === undefined ? undefined : this.#makeSnapshot(cohort, view)
  }

  /** A snapshot of now for one that comes between two deltas of a paced cohort. */
  snapshotBeside(cohort: Cohort, at: Place, state: JsonObject): Way {
    if (this.isLarge) return 'pieces'
    if (this.#beside?.cohort === cohort && this.#beside.seq === at.seq) return this.#beside.frame
    const view = cohort.look(state)
    if (view === undefined) return undefined
    const frame = cohort.snapshot(view, at)
    this.#names.wrote(frame.length)
    this.#beside = { cohort, seq: at.seq, frame }
    return frame
  }

  /**
   * The view in pieces that is made of the cohort, or being made, if something leads on from it and it
   * is not older than `seqMin`.
   */
  largeSnapshot(cohort: Cohort, seqMin: number): LargeSnapshot | undefined {
    const snapshot = this.#larges.get(cohort)?.findLast(isKept)
    return snapshot === undefined || snapshot.shownSeq < seqMin ? undefined : snapshot
  }

  /** A view in pieces is being made: what its cohort is sent from now on follows it. */
  keepLarge(snapshot: LargeSnapshot): void {
    const larges = this.#larges.get(snapshot.cohort)?.filter(isKept) ?? []
    if (larges.length >= largesMax) larges.shift()?.forget()
    this.#larges.set(snapshot.cohort, [...larges, snapshot])
  }

  /** Others take the place of these cohorts: no view in pieces is kept for newcomers. */
  forgetLarges(): void {
    for (const cohort of [...this.#larges.keys()]) this.#forgetLarge(cohort)
  }

  /** The frame from one cohort to another, where both stand; `make` makes it when it is not here. */
  moveFrame(from: Cohort, to: Cohort, make: () => Way): Way {
    const key = `${from.id}>${to.id}`
    const before = this.#moves.get(key)
    if (before?.fromSeq === from.seq && before.toSeq === to.seq) return before.frame
    if (this.#moves.size >= movesMax) this.#moves.clear()
    const frame = make()
    if (typeof frame === 'object') this.#moves.set(key, { fromSeq: from.seq, toSeq: to.seq, frame })
    return frame
  }

  /** The frame from a place in the log to where a cohort stands; `make` makes it when it is not here. */
  catchUpFrame(
    cohort: Cohort,
    fromSeq: number,
    make: () => Uint8Array | undefined,
  ): Uint8Array | undefined {
    const key = `${fromSeq}>${cohort.id}>${cohort.seq}`
    if (this.#catchUps.has(key)) return this.#catchUps.get(key)
    if (this.#catchUps.size >= catchUpsMax) this.#catchUps.clear()
    const frame = make()
    // Also that there is none: where many come back, only a snapshot is made for them.
    this.#catchUps.set(key, frame)
    return frame
  }

  /** Keeps nothing that was made of the state. */
  giveUp(): void {
    this.#frames = new FrameCache(this.#limits.cachedBytesMax)
    this.#forgetPaths()
    this.#beside = undefined
    this.sample = undefined
    this.forgetLarges()
    for (const cohort of this) cohort.giveUp()
  }

  /** Lets go what is kept for nobody; called every some seconds. */
  sweep(): void {
    for (const cohort of [...this]) this.dropIfEmpty(cohort)
    this.#frames.sweep()
    for (const [cohort, larges] of this.#larges) {
      for (const large of larges) large.sweep()
      const kept = larges.filter(isKept)
      if (kept.length > 0) this.#larges.set(cohort, kept)
      else this.#larges.delete(cohort)
    }
  }

  #forgetLarge(cohort: Cohort): void {
    for (const large of this.#larges.get(cohort) ?? []) large.forget()
    this.#larges.delete(cohort)
  }

  #makeSnapshot(cohort: Cohort, view: JsonObject): Uint8Array {
    const snapshot = cohort.snapshot(view)
    this.#names.wrote(snapshot.length)
    this.#frames.put(cohort, snapshot)
    return snapshot
  }

  /** What leads to where a cohort stood does not lead to where it stands. */
  #forgetPaths(): void {
    if (this.#catchUps.size > 0) this.#catchUps.clear()
    if (this.#moves.size > 0) this.#moves.clear()
  }
}

const isKept = (large: LargeSnapshot): boolean => large.isKept
