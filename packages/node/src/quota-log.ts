import type { ProcessContext } from './process-context.ts'
import { Seldom } from './seldom.ts'

/** That a tenant is refused, or shown less often, is said once in so long, ms; the metric counts all. */
const againAfterMs = 60_000

/** Tells of tenants that have as much as they may. */
export class QuotaLog {
  readonly #context: Pick<ProcessContext, 'log' | 'metrics'>
  readonly #seldom = new Seldom(againAfterMs, () => performance.now())

  constructor(context: Pick<ProcessContext, 'log' | 'metrics'>) {
    this.#context = context
  }

  /** One more of these was not given to the tenant. */
  refused(
    what: 'documents' | 'viewers',
    { tenant, message }: { readonly tenant: string; readonly message: string },
  ): void {
    const { log, metrics } = this.#context
    metrics.labelled('quota_refusals_total', tenant, what).inc()
    if (!this.#seldom.isDue(`${tenant} ${what}`)) return
    const line = { event: 'quota.refused', tenant, what, reason: message }
    log.warn(line, 'tenant has as many as its quota allows, and gets no more')
  }

  /** Viewers of the tenant were sent as much as they may. */
  spent(fact: { readonly tenant: string; readonly bytesPerSecondMax: number }): void {
    const { log, metrics } = this.#context
    const { tenant, bytesPerSecondMax } = fact
    metrics.labelled('quota_refusals_total', tenant, 'bytes').inc()
    if (!this.#seldom.isDue(`${tenant} bytes`)) return
    const line = { event: 'quota.spent', tenant, bytesPerSecondMax }
    log.warn(line, 'viewers of the tenant are shown less often, as its quota allows no more bytes')
  }
}
