/*
 * Frames that take a viewer from the view of one cohort to the view of another: the exact difference of
 * the two, once for all that go this way. Where one of the views is not known, or frames are numbered
 * by each cohort for itself, it is the snapshot of the other.
 */
import type { JsonObject } from '@fanfold/document'
import { encodeUtf8 } from '@fanfold/kernel'
import { copyJson, viewDifference } from '@fanfold/privacy'
import { advanceSilently } from './catch-up.ts'
import { type Cohort, emptyPatch, type Place } from './cohort.ts'
import type { Cohorts } from './cohorts.ts'
import type { Way } from './seat.ts'
import type { Turn } from './turn.ts'

/** Between two cohorts of now; undefined where the view to show fails. */
export function frameBetween(options: {
  readonly cohorts: Cohorts
  readonly from: Cohort
  readonly to: Cohort
  /** The last record that was delivered. */
  readonly at: Place
  readonly state: JsonObject
  readonly turn: Turn
}): Way {
  const { cohorts, from, to, at, state, turn } = options
  if (cohorts.isLarge) return 'pieces'
  if (to.failure !== undefined || from.failure !== undefined || cohorts.terms.isDense) {
    return snapshotNow(options)
  }
  // Both stand at one seq then: nobody goes back, and nobody is sent a range that it does not have.
  if (from.seq !== to.seq) {
    for (const cohort of [from, to]) {
      if (cohort.seq !== at.seq) advanceSilently({ cohorts, cohort, at, turn })
    }
  }
  return cohorts.moveFrame(from, to, () =>
    frameAcross({ cohorts, from, to, before: from.read(state), state }),
  )
}

/** The snapshot of a cohort, numbered no further back than anything that was shown. */
export function snapshotNow(options: {
  readonly cohorts: Cohorts
  readonly to: Cohort
  readonly at: Place
  readonly state: JsonObject
  readonly turn: Turn
}): Way {
  const { cohorts, to: cohort, at, state, turn } = options
  const isOld = cohort.sent.seq < at.seq && cohort.failure === undefined
  if (isOld && !cohorts.terms.isDense && !cohorts.isLarge) {
    advanceSilently({ cohorts, cohort, at, turn })
  }
  return cohorts.snapshotOf(cohort, state)
}

/** From a view that was to what another cohort sees now. */
export function frameAcross(options: {
  /** Those of `to`. */
  readonly cohorts: Cohorts
  readonly from: Cohort
  readonly to: Cohort
  /** What `from` saw; undefined where that is not known. */
  readonly before: JsonObject | undefined
  readonly state: JsonObject
}): Way {
  const { cohorts, from, to, before, state } = options
  if (cohorts.isLarge) return 'pieces'
  if (to.failure !== undefined) return undefined
  if (before === undefined) return cohorts.snapshotOf(to, state)
  const after = to.read(state)
  if (after === undefined) return undefined
  const patch = JSON.stringify(viewDifference(before, after))
  return to.stepFrom(from.seq, encodeUtf8(patch), to.position())
}

/** To a viewer that asked for the view it has; undefined where that fails. */
export function answerFrame(cohorts: Cohorts, cohort: Cohort, state: JsonObject): Way {
  if (cohort.failure !== undefined || cohorts.terms.isDense) {
    return cohorts.snapshotOf(cohort, state)
  }
  return cohort.stepFrom(cohort.seq, emptyPatch, cohort.position())
}

/** What each cohort sees of a state that is about to change. */
export function readViews(cohorts: Cohorts, at: Place, state: JsonObject): Map<Cohort, JsonObject> {
  const views = new Map<Cohort, JsonObject>()
  let copy: JsonObject | undefined
  if (cohorts.isLarge) return views
  for (const cohort of cohorts) {
    if (cohort.failure !== undefined || !cohort.isCurrent(at)) continue
    const view = cohort.read(state)
    if (view === state) {
      // A plain view is the state itself, which will not stay as it is.
      copy ??= copyJson(state)
      views.set(cohort, copy)
    } else if (view !== undefined) {
      views.set(cohort, view)
    }
  }
  return views
}
