/*
 * A paced cohort is led on from where it stands to now: by the values now of all that the records since
 * have touched, or, where no record says what a cohort sees, by the difference of its views.
 */
import type { JsonObject } from '@fanfold/document'
import { encodeUtf8 } from '@fanfold/kernel'
import { catchUpPatch } from '@fanfold/privacy'
import type { RecordRing } from '@fanfold/replication'
import { isParsed, patchesBetween } from './catch-up.ts'
import type { Cohort, Place } from './cohort.ts'
import type { Cohorts } from './cohorts.ts'
import type { Way } from './seat.ts'
import type { Turn } from './turn.ts'

/** What became of a paced cohort. */
export type Led =
  /** It sees what it saw. */
  | { readonly kind: 'same' }
  /** For all of it. */
  | { readonly kind: 'delta'; readonly frame: Uint8Array }
  /** It goes on by a snapshot; none while its view fails. */
  | { readonly kind: 'snapshot'; readonly way: Way }

/** Leads a paced cohort on to `at`, the last record. */
export function leadOn(options: {
  readonly cohorts: Cohorts
  readonly cohort: Cohort
  readonly ring: RecordRing
  readonly at: Place
  readonly state: JsonObject
  readonly turn: Turn
  /** The wall's time, ms since 1970. */
  readonly nowMs: number
}): Led {
  const { cohorts, cohort, at, state, turn, nowMs } = options
  const snapshot = (): Led => ({ kind: 'snapshot', way: cohorts.restart(cohort, at, state) })
  if (cohort.failure !== undefined) return snapshot()
  if (cohort.isCurrent(at)) return { kind: 'same' }
  const patchJson = cohorts.areCompared ? compared(cohort, state) : conflated(options)
  if (patchJson === undefined || patchJson.length > (cohort.snapshotBytes ?? patchJson.length)) {
    return snapshot()
  }
  if (patchJson === '[]') {
    cohort.skipTo(at.seq)
    return { kind: 'same' }
  }
  // The last record may be one that its viewers are not shown: nor is its time.
  const place = { ...at, timeMs: cohort.isPlain ? at.timeMs : nowMs }
  return { kind: 'delta', frame: cohorts.advance(cohort, place, encodeUtf8(patchJson), turn.now) }
}

function compared(cohort: Cohort, state: JsonObject): string | undefined {
  const patch = cohort.compare(state)
  return patch && JSON.stringify(patch)
}

function conflated({
  cohorts,
  cohort,
  ring,
  at,
  state,
}: Parameters<typeof leadOn>[0]): string | undefined {
  if (!isParsed(ring, cohort.shownSeq, cohort.snapshotBytes)) return undefined
  const patches = patchesBetween(ring, cohort.shownSeq, at.seq, cohorts.terms.variant)
  if (patches === undefined) return undefined
  const step = catchUpPatch({ view: cohort.view, state, patches })
  return step.kind === 'delta' ? step.patchJson : undefined
}
