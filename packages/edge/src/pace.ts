/*
 * Viewers that want no more than so many deltas a second are cohorts of their own: equal audience, view
 * state and pace. Such a cohort is not told of records. It is led on from where it stands to now by one
 * delta, at once when it was quiet for its period, else when that is over.
 */
import { after, Deadlines, type Duration, type Instant, milliseconds } from '@fanfold/kernel'
import type { Cohort } from './cohort.ts'

/** The longest period; who wants less than a delta in so long gets one in so long. */
const periodMsMax = 60_000

/**
 * The shortest time between two deltas for a viewer that wants at most so many a second; undefined for
 * one that wants all. In whole milliseconds, so that there are not more paces than can be counted.
 */
export function paceOf(maxRate: number | undefined): Duration | undefined {
  if (maxRate === undefined) return undefined
  return milliseconds(Math.min(periodMsMax, Math.max(1, Math.ceil(1_000 / maxRate))))
}

/** When which paced cohort of a document is led on. A record costs one that is due nothing. */
export class Paces {
  readonly #due = new Deadlines<Cohort>()
  /** Cohorts that nothing has happened to since they were led on. */
  readonly #quiet = new Set<Cohort>()

  /** The cohort was led on, or is new: it is due when something happens. */
  rest(cohort: Cohort): void {
    this.#due.set(cohort, undefined)
    this.#quiet.add(cohort)
  }

  /** Something has happened to the document. */
  wake(now: Instant): void {
    for (const cohort of this.#quiet) this.#due.set(cohort, dueAt(cohort, now))
    this.#quiet.clear()
  }

  /** Something has happened to the cohort alone. */
  wakeOne(cohort: Cohort, now: Instant): void {
    if (this.#quiet.delete(cohort)) this.#due.set(cohort, dueAt(cohort, now))
  }

  /** The cohort is gone. */
  drop(cohort: Cohort): void {
    this.#due.set(cohort, undefined)
    this.#quiet.delete(cohort)
  }

  /** When the next cohort is due. */
  wakeAt(): Instant | undefined {
    return this.#due.wakeAt()
  }

  /** The cohort that was due is left for later, before those that become due meanwhile. */
  leave(cohort: Cohort, now: Instant): void {
    this.#due.set(cohort, now)
  }

  /** Cohorts that are due, each to `rest` again, or to be left. */
  due(now: Instant): Cohort[] {
    return [...this.#due.due(now)]
  }
}

function dueAt({ pace, toldAt }: Cohort, now: Instant): Instant {
  if (pace === undefined || toldAt === undefined) return now
  const due = after(toldAt, pace)
  return due > now ? due : now
}
