import t from 'tap'
import { WorkerMetrics } from '../src/edge-worker-metrics.ts'
import { Metrics } from '../src/metrics.ts'

const create = (isProcessCollected = false): Metrics =>
  new Metrics({ version: '1.2.3', region: 'eu', isProcessCollected })

const linesOf = (text: string, name: string): string[] =>
  text.split('\n').filter(line => line.startsWith(`fanfold_${name}`))

t.test('what processes count is summed, label by label', async t => {
  const own = create()
  own.labelled('joins_total', 'proxy', 'tail').inc(2)
  const merged = new WorkerMetrics()
  for (const [worker, viewers] of [
    ['1', 3],
    ['2', 4],
  ] as const) {
    const metrics = create()
    metrics.plain('viewers').set(viewers)
    metrics.plain('cohorts').set(2)
    metrics.labelled('records_out_total', 'edge').inc(10 * viewers)
    metrics.plain('delivery_lag_seconds').observe(0.004)
    merged.tell(worker, await metrics.told())
  }
  const text = await merged.render(await own.told())
  t.same(linesOf(text, 'viewers{'), ['fanfold_viewers{region="eu"} 7'])
  t.same(linesOf(text, 'cohorts{'), ['fanfold_cohorts{region="eu"} 4'])
  t.same(linesOf(text, 'records_out_total{'), [
    'fanfold_records_out_total{role="edge",region="eu"} 70',
  ])
  t.match(text, 'fanfold_delivery_lag_seconds_bucket{le="0.005",region="eu"} 2')
  t.match(text, 'fanfold_delivery_lag_seconds_count{region="eu"} 2')
  t.match(text, 'fanfold_joins_total{role="proxy",answer="tail",region="eu"} 2')
})

t.test('of what is no sum the greatest is told', async t => {
  const merged = new WorkerMetrics()
  for (const worker of ['1', '2']) {
    const metrics = create()
    metrics.setAll('quota_held', new Map([['acme', worker === '1' ? 1 : 0]]))
    merged.tell(worker, await metrics.told())
  }
  const text = await merged.render(await create().told())
  t.same(linesOf(text, 'quota_held{'), ['fanfold_quota_held{tenant="acme",region="eu"} 1'])
  t.same(linesOf(text, 'build_info{'), ['fanfold_build_info{version="1.2.3",region="eu"} 1'])
})

t.test('links between the processes of a node are no links of it', async t => {
  const own = create()
  own.labelled('links', 'up').set(1)
  own.setAll('node_up', new Map([['parent', 1]]))
  const metrics = create()
  metrics.labelled('links', 'up').set(1)
  metrics.setAll('node_up', new Map([['ws://127.0.0.1:1', 1]]))
  metrics.labelled('sent_bytes_total', 'nodes').inc(5)
  metrics.labelled('sent_bytes_total', 'viewers').inc(7)
  metrics.labelled('signals_dropped_total', 'nodes').inc(5)
  metrics.labelled('signals_dropped_total', 'viewers').inc(7)
  const merged = new WorkerMetrics()
  merged.tell('1', await metrics.told())
  const text = await merged.render(await own.told())
  t.same(linesOf(text, 'links{'), ['fanfold_links{direction="up",region="eu"} 1'])
  t.same(linesOf(text, 'node_up{'), ['fanfold_node_up{node="parent",region="eu"} 1'])
  for (const name of ['sent_bytes_total', 'signals_dropped_total']) {
    t.same(linesOf(text, `${name}{`), [`fanfold_${name}{to="viewers",region="eu"} 7`])
  }
})

t.test('what one had counted that has ended stays counted, and what it had does not', async t => {
  const merged = new WorkerMetrics()
  for (let index = 1; index <= 3; index++) {
    const metrics = create(true)
    metrics.plain('viewers').set(5)
    metrics.plain('conflations_total').inc(index)
    metrics.plain('delivery_lag_seconds').observe(0.004)
    merged.tell('1', await metrics.told())
    merged.end('1')
  }
  merged.end('2')
  const text = await merged.render(await create().told())
  t.match(text, 'fanfold_conflations_total{region="eu"} 6')
  t.match(text, 'fanfold_delivery_lag_seconds_count{region="eu"} 3')
  t.match(text, 'fanfold_viewers{region="eu"} 0')
  t.notMatch(text, 'process_resident_memory_bytes')
})

t.test('what is of a process itself has its name', async t => {
  const merged = new WorkerMetrics()
  merged.tell('1', await create(true).told())
  const text = await merged.render(await create(true).told())
  const lines = text.split('\n').filter(line => line.startsWith('process_resident_memory_bytes{'))
  t.match(lines, [/worker="local-proxy"/, /worker="1"/])
})
