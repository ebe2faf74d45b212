import t from 'tap'
import { metricNames, metricRow } from '../src/metric-table.ts'
import { labelValuesMax, Metrics } from '../src/metrics.ts'

const create = (isProcessCollected = false): Metrics =>
  new Metrics({ version: '1.2.3', region: 'eu', isProcessCollected })

t.test('what is counted is rendered', async t => {
  const metrics = create()
  metrics.plain('viewers').set(3)
  metrics.labelled('records_in_total', 'edge').inc(2)
  metrics.labelled('replication_lag_seconds', 'edge').observe(0.004)
  const text = await metrics.render()
  t.match(text, 'fanfold_viewers{region="eu"} 3')
  t.match(text, 'fanfold_records_in_total{role="edge",region="eu"} 2')
  t.match(text, 'fanfold_replication_lag_seconds_bucket{le="0.005",region="eu",role="edge"} 1')
  t.match(text, 'fanfold_build_info{version="1.2.3",region="eu"} 1')
})

t.test('the handle of a label is the same each time', async t => {
  const metrics = create()
  t.equal(metrics.labelled('resyncs_total', 'gap'), metrics.labelled('resyncs_total', 'gap'))
})

t.test('a metric with two labels has a number for each pair of their values', async t => {
  const metrics = create()
  metrics.labelled('catchups_total', 'edge', 'tail').inc()
  metrics.labelled('catchups_total', 'edge', 'replay').inc(2)
  metrics.labelled('catchups_total', 'proxy', 'tail').inc(3)
  const text = await metrics.render()
  t.match(text, 'fanfold_catchups_total{role="edge",rung="tail",region="eu"} 1')
  t.match(text, 'fanfold_catchups_total{role="edge",rung="replay",region="eu"} 2')
  t.match(text, 'fanfold_catchups_total{role="proxy",rung="tail",region="eu"} 3')
})

t.test('label values past the limit count as other', async t => {
  const metrics = create()
  for (let index = 0; index < labelValuesMax + 10; index++) {
    metrics.labelled('link_closes_total', `reason-${index}`).inc()
  }
  const text = await metrics.render()
  t.match(text, 'fanfold_link_closes_total{reason="other",region="eu"} 10')
  t.match(text, `reason-${labelValuesMax - 1}`)
  t.notMatch(text, `reason-${labelValuesMax}"`)
})

t.test('two nodes of one process do not share numbers', async t => {
  const one = create()
  const two = create()
  one.plain('viewers').set(1)
  two.plain('viewers').set(2)
  t.match(await one.render(), 'fanfold_viewers{region="eu"} 1')
  t.match(await two.render(), 'fanfold_viewers{region="eu"} 2')
})

t.test('names say their kind: counters and nothing else end in _total', async t => {
  for (const name of metricNames) {
    t.equal(name.endsWith('_total'), metricRow(name).type === 'counter', name)
    t.match(metricRow(name).meaning, /\.$/, name)
  }
  const text = await create(true).render()
  const gauges = [...text.matchAll(/^# TYPE (\S+) gauge$/gm)].map(([, name]) => name)
  t.ok(gauges.includes('nodejs_eventloop_lag_seconds'))
  t.same(
    gauges.filter(name => name?.endsWith('_total')),
    [],
  )
})
