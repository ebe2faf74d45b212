import type { JsonObject, JsonValue } from '@fanfold/document'
import type { Duration } from '@fanfold/kernel'
import type { Grants } from '@fanfold/protocol'
import { admit, type Refusal } from './admission.ts'
import type { Cohort, CohortAudience, Place } from './cohort.ts'
import type { Cohorts } from './cohorts.ts'
import { ruleFailed } from './delivery.ts'
import type { Turn } from './turn.ts'

/** A viewer's cohort, or why it is refused. */
export type Found = { readonly ok: true; readonly cohort: Cohort } | Refusal

/** The cohort for a viewer by what its token says now, made at `at` when there is none. */
export function findCohort(options: {
  readonly cohorts: Cohorts
  readonly grants: Grants
  readonly viewState: JsonValue | undefined
  readonly pace: Duration | undefined
  readonly isViewStateOptional: boolean
  /** Highest label that the edge has of the document. */
  readonly ceiling: number
  readonly at: Place
  readonly state: JsonObject
  readonly turn: Turn
}): Found {
  const { cohorts, at, state, turn } = options
  const { doc, rules } = cohorts.terms
  const { definition } = rules
  const policy = definition.observe
  if (policy === undefined) {
    return { ok: false, code: 'FANFOLD_FORBIDDEN', message: `nobody may observe ${doc}` }
  }
  const admission = admit({ ...options, doc, definition, policy })
  if (!admission.ok) {
    const { code, failure } = admission
    if (failure !== undefined) turn.fact({ event: 'rule-failed', doc, code, ...failure })
    return admission
  }
  const cohort = cohorts.of(pacedAs(admission, cohorts, options.pace), at, state)
  if (cohort === undefined) {
    const message = `there are as many different views of ${doc} here as may be`
    return { ok: false, code: 'FANFOLD_OVERLOADED', message }
  }
  const isNew = cohort.size === 0
  if (isNew && cohort.failure !== undefined) turn.fact(ruleFailed(doc, cohort.failure))
  return { ok: true, cohort }
}

/** Who wants a pace is in a cohort of its own; what is large and has to be compared has none. */
function pacedAs(
  admission: Omit<CohortAudience, 'pace'>,
  cohorts: Cohorts,
  wanted: Duration | undefined,
): CohortAudience {
  const pace = cohorts.isLarge && cohorts.areCompared ? undefined : wanted
  const key = pace === undefined ? admission.key : `${pace} ${admission.key}`
  return { ...admission, key, pace }
}
