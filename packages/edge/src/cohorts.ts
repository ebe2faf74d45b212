import type { JsonObject } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import type { CohortId } from '@fanfold/protocol'
import { Cohort, type CohortAudience, type Place, type Terms } from './cohort.ts'
import { FrameCache } from './frame-cache.ts'

/** Bounds of the cohorts of one document. */
export type CohortLimits = {
  readonly cohortsMax: number
  /** Bytes of snapshots, and of deltas after them, that are kept for newcomers. */
  readonly cachedBytesMax: number
}

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

/** The cohorts of one document under one definition, and the frames that are made once for many. */
export class Cohorts implements Iterable<Cohort> {
  readonly terms: Terms
  readonly #limits: CohortLimits
  readonly #names: CohortNames
  readonly #byKey = new Map<string, Cohort>()
  #frames: FrameCache
  readonly #moves = new Map<string, MoveFrame>()
  readonly #catchUps = new Map<string, Uint8Array | undefined>()
  #unplain = 0

  constructor(terms: Terms, limits: CohortLimits, names: CohortNames) {
    this.terms = terms
    this.#limits = limits
    this.#names = names
    this.#frames = new FrameCache(limits.cachedBytesMax)
  }

  get count(): number {
    return this.#byKey.size
  }

  /** True when every cohort sees the state as it is. */
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
    const cohort = new Cohort({ id, terms: this.terms, audience, place, salt })
    this.#byKey.set(audience.key, cohort)
    if (!cohort.isPlain) {
      this.#unplain++
      cohort.read(state)
    }
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
    if (!cohort.isPlain) this.#unplain--
  }

  /** Takes the cohort's viewers on by a delta; returns the frame for all of them. */
  advance(...[cohort, ...step]: [cohort: Cohort, ...Parameters<Cohort['advance']>]): Uint8Array {
    const frame = cohort.advance(...step)
    this.#frames.push(cohort, frame)
    this.#forgetPaths()
    return frame
  }

  /** Puts the cohort's viewers where a snapshot of now does; undefined when the view fails. */
  restart(cohort: Cohort, place: Place, state: JsonObject): Uint8Array | undefined {
    this.#frames.drop(cohort)
    this.#forgetPaths()
    const view = cohort.reread(state)
    if (view === undefined) return undefined
    cohort.restartAt(place)
    return this.#makeSnapshot(cohort, view)
  }

  /**
   * What brings a newcomer up to date: a snapshot, and the deltas after it. The snapshot is not older
   * than `seqMin`, which is what the viewer has seen: nobody is taken back.
   */
  framesOf(cohort: Cohort, state: JsonObject, seqMin: number): readonly Uint8Array[] {
    const cached = cohort.failure === undefined ? this.#frames.get(cohort, seqMin) : undefined
    if (cached !== undefined) return cached
    const snapshot = this.snapshotOf(cohort, state)
    return snapshot === undefined ? [] : [snapshot]
  }

  /** A snapshot of now; undefined when the view fails. */
  snapshotOf(cohort: Cohort, state: JsonObject): Uint8Array | undefined {
    if (cohort.failure !== undefined) return undefined
    const cached = this.#frames.get(cohort)
    if (cached?.length === 1) return cached[0]
    const view = cohort.read(state)
    return view === undefined ? undefined : this.#makeSnapshot(cohort, view)
  }

  /** The frame from one cohort to another, where both stand; `make` makes it when it is not here. */
  moveFrame(from: Cohort, to: Cohort, make: () => Uint8Array | undefined): Uint8Array | undefined {
    const key = `${from.id}>${to.id}`
    const before = this.#moves.get(key)
    if (before?.fromSeq === from.seq && before.toSeq === to.seq) return before.frame
    if (this.#moves.size >= movesMax) this.#moves.clear()
    const frame = make()
    if (frame !== undefined) this.#moves.set(key, { fromSeq: from.seq, toSeq: to.seq, frame })
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
    for (const cohort of this) cohort.giveUp()
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
