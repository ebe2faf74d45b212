/*
 * The metrics of a node, in a registry of their own. A caller takes a handle once and keeps it: looking
 * a label up at each increment would cost more than the increment.
 */
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client'
import { type MetricName, metricNames, metricRow, type metricTable } from './metric-table.ts'

/** Values of the labels of one metric; what comes after them counts as `other`. */
export const labelValuesMax = 64

/** Names that prom-client collects and that promtool refuses: gauges that end like counters. */
const refusedDefaults = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

/** A number that only grows. */
export interface CounterHandle {
  inc(value?: number): void
}

/** A number that goes up and down. */
export interface GaugeHandle {
  set(value: number): void
}

/** A distribution; lags and times are in seconds. */
export interface HistogramHandle {
  observe(value: number): void
}

type HandleOf<Row> = Row extends { type: 'counter' }
  ? CounterHandle
  : Row extends { type: 'gauge' }
    ? GaugeHandle
    : HistogramHandle

type Unlabelled = {
  [Name in MetricName]: (typeof metricTable)[Name] extends { labels: readonly string[] }
    ? never
    : Name
}[MetricName]

type Labelled = Exclude<MetricName, Unlabelled>

/** A value for each label of a metric, in their order. */
type ValuesOf<Row> = Row extends { labels: readonly [string, string] }
  ? readonly [string, string]
  : readonly [string]

/** Gauges whose label has the values of now, and no others. */
type GaugeOfMany =
  | 'node_up'
  | 'link_breaker_state'
  | 'quota_documents'
  | 'quota_viewers'
  | 'quota_held'

/** A metric with its values, as one process tells it to another. */
export type ToldMetric = MetricObjectWithValues<MetricValue<string>>

/** What a node's metrics say of the node itself. */
export type MetricsOptions = {
  readonly version: string
  readonly region: string
  /** Whether memory, CPU and event loop of the process are collected too: once per process. */
  readonly isProcessCollected: boolean
}

/** The metrics of a node. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #metrics = new Map<MetricName, Counter | Gauge | Histogram>()
  readonly #handles = new Map<string, unknown>()
  readonly #valueCounts = new Map<MetricName, number>()

  constructor(options: MetricsOptions) {
    this.#registry.setDefaultLabels({ region: options.region })
    for (const name of metricNames) this.#metrics.set(name, this.#create(name))
    if (options.isProcessCollected) {
      // A sample each 10 ms, the default, would be most of what an idle node does.
      collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 200 })
      for (const name of refusedDefaults) this.#registry.removeSingleMetric(name)
    }
    this.labelled('build_info', options.version).set(1)
  }

  /** The handle of a metric without a label. */
  plain<Name extends Unlabelled>(name: Name): HandleOf<(typeof metricTable)[Name]> {
    return this.#metrics.get(name) as unknown as HandleOf<(typeof metricTable)[Name]>
  }

  /** The handle of a metric for a value of each of its labels; the same each time. */
  labelled<Name extends Labelled>(
    name: Name,
    ...values: ValuesOf<(typeof metricTable)[Name]>
  ): HandleOf<(typeof metricTable)[Name]> {
    type Handle = HandleOf<(typeof metricTable)[Name]>
    const key = `${name} ${values.join(' ')}`
    const known = this.#handles.get(key)
    if (known !== undefined) return known as Handle
    const count = this.#valueCounts.get(name) ?? 0
    const isFull = count >= labelValuesMax && values.some(value => value !== 'other')
    if (isFull)
      return this.#handleOf(
        name,
        values.map(() => 'other'),
      ) as Handle
    this.#valueCounts.set(name, count + 1)
    return this.#handleOf(name, values) as Handle
  }

  /** A gauge has these values of its label and no others; beyond `labelValuesMax` the rest is left out. */
  setAll(name: GaugeOfMany, values: ReadonlyMap<string, number>): void {
    const gauge = this.#metrics.get(name) as Gauge
    gauge.reset()
    for (const [label, number] of [...values].slice(0, labelValuesMax)) {
      gauge.labels(label).set(number)
    }
  }

  /** All metrics as Prometheus reads them. */
  async render(): Promise<string> {
    return await this.#registry.metrics()
  }

  /** All metrics with their values, for another process. */
  async told(): Promise<readonly ToldMetric[]> {
    return await this.#registry.getMetricsAsJSON()
  }

  /** The media type of what `render` gives. */
  get contentType(): string {
    return this.#registry.contentType
  }

  #handleOf(name: Labelled, values: readonly string[]): unknown {
    const handle = this.#metrics.get(name)?.labels(...values)
    this.#handles.set(`${name} ${values.join(' ')}`, handle)
    return handle
  }

  #create(name: MetricName): Counter | Gauge | Histogram {
    const { type, labels = [], buckets, isGreatest, meaning } = metricRow(name)
    const settings = {
      name: `fanfold_${name}`,
      help: meaning,
      labelNames: [...labels],
      aggregator: isGreatest ? ('max' as const) : ('sum' as const),
      registers: [this.#registry],
    }
    if (type === 'counter') return new Counter(settings)
    if (type === 'gauge') return new Gauge(settings)
    return new Histogram({ ...settings, buckets: [...(buckets ?? [])] })
  }
}
