import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { Metrics } from '../src/metrics.ts'
import { countServing } from '../src/serving-metrics.ts'

const doc = parseDocumentKey('acme/match/final')

t.test('what roles note of their children is counted by role', async t => {
  const metrics = new Metrics({ version: '1.2.3', region: 'eu', isProcessCollected: false })
  countServing(metrics, 'authority', { event: 'join-answered', doc, answer: 'snapshot' })
  countServing(metrics, 'proxy', { event: 'join-answered', doc, answer: 'tail' })
  countServing(metrics, 'authority', { event: 'snapshot-sent', doc, bytes: 1_000 })
  countServing(metrics, 'authority', { event: 'replay-ended', doc, outcome: 'complete' })
  countServing(metrics, 'proxy', { event: 'lag-told', doc, lagMs: 120 })
  const text = await metrics.render()
  for (const line of [
    'fanfold_joins_total{role="authority",answer="snapshot",region="eu"} 1',
    'fanfold_joins_total{role="proxy",answer="tail",region="eu"} 1',
    'fanfold_snapshot_sent_bytes_total{role="authority",region="eu"} 1000',
    'fanfold_replays_total{role="authority",outcome="complete",region="eu"} 1',
    'fanfold_child_lag_seconds_bucket{le="0.25",region="eu",role="proxy"} 1',
  ]) {
    t.match(text, line)
  }
})
