import type { CohortId } from '@fanfold/protocol'
import type { RimViewer } from './rim-viewer.ts'

const nobody: ReadonlySet<never> = new Set()

/** Who sits in which cohort of one edge; a viewer knows its seats, a cohort its viewers. */
export class RimCohorts<Viewer extends Pick<RimViewer<unknown, unknown>, 'seats'>> {
  readonly #members = new Map<CohortId, Set<Viewer>>()

  /** Cohorts that have a viewer. */
  get count(): number {
    return this.#members.size
  }

  /** Those who sit there, and who takes a seat while they are gone through. */
  of(cohort: CohortId): ReadonlySet<Viewer> {
    return this.#members.get(cohort) ?? nobody
  }

  /** Takes a seat, or keeps it, as of this mark. */
  enter(cohort: CohortId, viewer: Viewer, mark: number): void {
    let members = this.#members.get(cohort)
    if (members === undefined) {
      members = new Set()
      this.#members.set(cohort, members)
    }
    members.add(viewer)
    viewer.seats.set(cohort, mark)
  }

  /** Gives its seat up, if it has one. */
  leave(cohort: CohortId, viewer: Viewer): void {
    viewer.seats.delete(cohort)
    const members = this.#members.get(cohort)
    if (members?.delete(viewer) && members.size === 0) this.#members.delete(cohort)
  }

  /** Gives up all its seats. */
  leaveAll(viewer: Viewer): void {
    for (const cohort of [...viewer.seats.keys()]) this.leave(cohort, viewer)
  }
}
