/*
 * One check of one document: whether its state is what the authority has, and whether what a cohort is
 * sent is what the definition lets it see.
 *
 * What the parent says of a state arrives before the records behind it (docs/protocol.md, 7.10), so it
 * waits here until that very record is shown. Nothing is done for it on the way there but to look whether
 * the record is the one.
 */
import { hashState, type JsonObject } from '@fanfold/document'
import { equalBytes, type Sha256 } from '@fanfold/kernel'
import { copyJson } from '@fanfold/privacy'
import type { Follower, StateHash } from '@fanfold/replication'
import type { Cohorts } from './cohorts.ts'
import type { Showing } from './showing.ts'
import { type CheckOutcome, ViewSample } from './view-sample.ts'

/** What is compared. */
export type CheckKind = 'state' | 'view'

/** Checks a document from when it is made until it is ended. */
export class DocumentCheck {
  readonly #showing: Showing
  readonly #follower: Follower
  readonly #sha256: Sha256
  readonly #cohorts: Cohorts
  readonly #sample: ViewSample | undefined
  readonly #outcomes = new Map<CheckKind, CheckOutcome>()
  #isAsked = false
  /** What the parent has said, of a record that is not shown yet. */
  #answer: StateHash | undefined

  constructor(options: {
    readonly showing: Showing
    readonly follower: Follower
    readonly sha256: Sha256
    /** What is shown. */
    readonly state: JsonObject
    /** Says which cohort is watched: a number from 0 on, below this one. */
    readonly pick: (count: number) => number
  }) {
    const { showing, follower, sha256, state, pick } = options
    this.#showing = showing
    this.#follower = follower
    this.#sha256 = sha256
    this.#cohorts = showing.shown
    this.#sample = sampleOf(this.#cohorts, state, showing, pick)
    this.#cohorts.sample = this.#sample
    showing.check = this
  }

  /** True while the parent's answer, or the record that it is of, is awaited. */
  get isAwaiting(): boolean {
    return this.#isAsked && !this.#outcomes.has('state')
  }

  /** True when there is nothing more to find out. */
  get isOver(): boolean {
    if ([...this.#outcomes.values()].includes('differs')) return true
    return !this.isAwaiting && this.#outcomes.has('view')
  }

  /** The parent was asked. */
  asked(): void {
    this.#isAsked = true
  }

  /** The parent has answered. */
  answered(answer: StateHash): void {
    if (!this.isAwaiting || this.#answer !== undefined) return
    if (answer.hashes.length === 0) this.#outcomes.set('state', 'none')
    else {
      this.#answer = answer
      this.shown()
    }
  }

  /** A record was shown, or what is shown has begun anew. */
  shown(): void {
    this.passed()
    if (this.#sample?.isFull === true) this.#compareView()
  }

  /** The document has gone on by a record of which the cohorts are told with a later one. */
  passed(): void {
    const answer = this.#answer
    const { seq } = this.#showing.at
    if (answer !== undefined && seq >= answer.at.seq) {
      this.#answer = undefined
      this.#outcomes.set('state', this.#compareState(answer))
    }
  }

  /** Compares what there is to compare; what came of all of it. */
  end(): ReadonlyMap<CheckKind, CheckOutcome> {
    this.#compareView()
    if (this.isAwaiting) this.#outcomes.set('state', 'none')
    if (this.#showing.check === this) this.#showing.check = undefined
    return this.#outcomes
  }

  #compareState({ at, ceiling, hashes }: StateHash): CheckOutcome {
    const { at: shown } = this.#showing
    const isThere =
      shown.seq === at.seq && shown.epoch === at.epoch && equalBytes(shown.hash, at.hash)
    const state = isThere ? this.#stateShown() : undefined
    // What came under another ceiling is given up, or about to be.
    if (state === undefined || ceiling !== this.#follower.upstream.ceiling) return 'none'
    const { definition } = this.#follower.replica
    const own = hashState({ state, definition, sha256: this.#sha256 })
    if (own?.length !== hashes.length) return 'differs'
    const isEqual = own.every(({ tag, hash }, index) => {
      const other = hashes[index]
      return other?.tag === tag && equalBytes(other.hash, hash)
    })
    return isEqual ? 'equal' : 'differs'
  }

  #compareView(): void {
    const sample = this.#sample
    if (sample === undefined || this.#outcomes.has('view')) return
    const cohorts = this.#cohorts
    const isWatched = cohorts.sample === sample && this.#showing.cohorts === cohorts
    const state =
      isWatched && sample.cohort.isCurrent(this.#showing.at) ? this.#stateShown() : undefined
    if (cohorts.sample === sample) cohorts.sample = undefined
    this.#outcomes.set('view', state === undefined ? 'none' : sample.compare(state))
  }

  /** The state that was shown last; undefined where there is none, or another one. */
  #stateShown(): JsonObject | undefined {
    const { replica } = this.#follower
    const { at, isRestartDue } = this.#showing
    if (isRestartDue || replica.isBroken || replica.isDeleted || replica.appliedSeq > at.seq) {
      return undefined
    }
    replica.settle(at.seq - replica.appliedSeq)
    return replica.isBroken ? undefined : replica.appliedState
  }
}

function sampleOf(
  cohorts: Cohorts,
  state: JsonObject,
  { at }: Showing,
  pick: (count: number) => number,
): ViewSample | undefined {
  const cohort = [...cohorts][cohorts.count === 0 ? 0 : pick(cohorts.count)]
  if (cohort === undefined || cohort.failure !== undefined || !cohort.isCurrent(at)) {
    return undefined
  }
  const view = cohort.look(state)
  return view && new ViewSample(cohort, copyJson(view))
}
