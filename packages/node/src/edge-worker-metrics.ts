/*
 * The metrics of a node of several processes, as one node's. What is counted is summed, and what a process that has
 * ended had counted stays in the sum: a counter that falls looks like a restart. What says something of a process
 * itself (memory, processor, event loop) is each one's, and has its name in the label `worker`.
 *
 * A process that does not answer is told of as it last was.
 */
import { AggregatorRegistry, type PrometheusContentType, type Registry } from 'prom-client'
import type { ToldMetric } from './metrics.ts'

/** The name of the process that was started, among the others. */
export const localProxyName = 'local-proxy'

const ownPrefix = 'fanfold_'

/** Of the links between a node's own processes: the node has none of them with others. */
const withinTheNode: ReadonlySet<string> = new Set(
  [
    'links',
    'node_up',
    'link_breaker_state',
    'link_requests_total',
    'link_closes_total',
    'signals_dropped_total',
  ].map(name => `${ownPrefix}${name}`),
)

/** What a process told last, each under its name. */
export class WorkerMetrics {
  readonly #told = new Map<string, readonly ToldMetric[]>()
  /** What those had counted that have ended. */
  #ended: Promise<readonly ToldMetric[]> = Promise.resolve([])

  /** A worker tells its metrics. */
  tell(worker: string, metrics: readonly ToldMetric[]): void {
    this.#told.set(worker, metrics.flatMap(ofWorker))
  }

  /** A worker has ended: what it last told stays counted. */
  end(worker: string): void {
    const counted = this.#told.get(worker)?.filter(isCounted) ?? []
    this.#told.delete(worker)
    this.#ended = this.#ended.then(ended => summed([ended, counted]).getMetricsAsJSON())
  }

  /** All of them with those of the process that was started, as Prometheus reads them. */
  async render(own: readonly ToldMetric[]): Promise<string> {
    const parts = [labelled(localProxyName, own)]
    for (const [worker, metrics] of this.#told) parts.push(labelled(worker, metrics))
    return await summed([...parts, await this.#ended]).metrics()
  }
}

const isCounted = ({ name, type }: ToldMetric): boolean =>
  isOurs(name) && ['counter', 'histogram'].includes(String(type))

const isOurs = (name: string): boolean => name.startsWith(ownPrefix)

/** What a worker says of its links to the local proxy is left out. */
function ofWorker(metric: ToldMetric): ToldMetric[] {
  if (withinTheNode.has(metric.name)) {
    const values = metric.values.filter(({ labels }) => labels['to'] === 'viewers')
    return values.length === 0 ? [] : [{ ...metric, values }]
  }
  const values = metric.values.filter(({ labels }) => labels['to'] !== 'nodes')
  return [{ ...metric, values }]
}

/** Each process has what is of a process. */
const labelled = (worker: string, metrics: readonly ToldMetric[]): readonly ToldMetric[] =>
  metrics.map(metric => {
    if (isOurs(metric.name)) return metric
    const values = metric.values.map(value => ({ ...value, labels: { ...value.labels, worker } }))
    return { ...metric, values, aggregator: 'first' }
  })

const summed = (parts: readonly (readonly ToldMetric[])[]): Registry<PrometheusContentType> =>
  AggregatorRegistry.aggregate<PrometheusContentType>(parts.map(part => [...part]))
