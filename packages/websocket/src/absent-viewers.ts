import type { CohortId } from '@fanfold/protocol'
import type { Viewer } from './viewer.ts'

/** Which viewers are away from a cohort because they lagged there, and have not entered it again. */
export class AbsentViewers {
  readonly #viewers = new Map<CohortId, Set<Viewer>>()

  /** A viewer is away from a cohort. */
  add(cohort: CohortId, viewer: Viewer): void {
    const viewers = this.#viewers.get(cohort)
    if (viewers === undefined) this.#viewers.set(cohort, new Set([viewer]))
    else viewers.add(viewer)
  }

  /** It is no more. */
  delete(cohort: CohortId, viewer: Viewer): void {
    const viewers = this.#viewers.get(cohort)
    if (viewers?.delete(viewer) === true && viewers.size === 0) this.#viewers.delete(cohort)
  }

  /** Those who are away from a cohort. */
  of(cohort: CohortId): Iterable<Viewer> {
    return this.#viewers.get(cohort) ?? []
  }
}
