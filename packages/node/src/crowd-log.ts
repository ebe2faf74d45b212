import type { AuthorityFact } from '@fanfold/authority'
import type { ProcessContext } from './process-context.ts'
import { Seldom } from './seldom.ts'

/** That sums of a reducer come to nothing is said once in so long, ms; the metric counts all. */
const againAfterMs = 60_000

type FactOf<Event extends AuthorityFact['event']> = Extract<AuthorityFact, { event: Event }>

/** Counts what an authority makes of what crowds say, and tells of what comes to nothing. */
export class CrowdLog {
  readonly #context: Pick<ProcessContext, 'log' | 'metrics'>
  readonly #seldom = new Seldom(againAfterMs, () => performance.now())

  constructor(context: Pick<ProcessContext, 'log' | 'metrics'>) {
    this.#context = context
  }

  /** Something was judged. */
  counted({ windows, bytes, isRefused, sessions }: FactOf<'crowd-counted'>): void {
    const { metrics } = this.#context
    const outcome = isRefused ? 'refused' : 'counted'
    if (isRefused || windows > 0) metrics.labelled('crowd_aggregates_total', outcome).inc()
    metrics.plain('crowd_windows_committed_total').inc(windows)
    metrics.plain('crowd_bytes_total').inc(bytes)
    metrics.plain('crowd_sessions_total').inc(sessions)
  }

  /** A sum could not be applied. */
  failed({ doc, reducer, code, message }: FactOf<'sum-failed'>): void {
    const { log, metrics } = this.#context
    metrics.labelled('crowd_sums_failed_total', code).inc()
    if (!this.#seldom.isDue(`${doc} ${reducer} ${code}`)) return
    const line = { event: 'crowd.sum-failed', doc, reducer, code, reason: message }
    log.warn(line, 'what a crowd says cannot be applied, and is lost')
  }
}
