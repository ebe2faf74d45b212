import type { ServingFact } from '@fanfold/replication'
import type { Metrics } from './metrics.ts'

/** Counts what a role noted of the children that it serves. */
export function countServing(
  metrics: Metrics,
  role: 'authority' | 'proxy',
  fact: ServingFact,
): void {
  switch (fact.event) {
    case 'join-answered':
      metrics.labelled('joins_total', role, fact.answer).inc()
      return
    case 'snapshot-sent':
      metrics.labelled('snapshot_sent_bytes_total', role).inc(fact.bytes)
      return
    case 'replay-ended':
      metrics.labelled('replays_total', role, fact.outcome).inc()
      return
    case 'lag-told':
      metrics.labelled('child_lag_seconds', role).observe(fact.lagMs / 1000)
  }
}
