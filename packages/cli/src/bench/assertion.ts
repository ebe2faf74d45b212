/* What a load test is held against: `p99<150ms`, `missing=0`. */
import { usageError } from '../command-error.ts'
import {
  type BenchMetrics,
  benchMetrics,
  isMetricName,
  type MetricName,
  metricNames,
  metricText,
} from './bench-metrics.ts'

const holds = {
  '<': (seen: number, bound: number): boolean => seen < bound,
  '<=': (seen: number, bound: number): boolean => seen <= bound,
  '>': (seen: number, bound: number): boolean => seen > bound,
  '>=': (seen: number, bound: number): boolean => seen >= bound,
  '=': (seen: number, bound: number): boolean => seen === bound,
} as const

type Comparison = keyof typeof holds

/** What the value of a metric must be. */
export type Assertion = {
  /** As it was given. */
  readonly text: string
  readonly metric: MetricName
  readonly comparison: Comparison
  /** In the unit of the metric. */
  readonly bound: number
}

/** What became of one. */
export type JudgedAssertion = {
  readonly assertion: string
  readonly seen: number | undefined
  readonly ok: boolean
}

/** Units that a value may be given in, as multiples of the metric's own. */
const unitsOf: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ms: { '': 1, us: 0.001, ms: 1, s: 1_000, m: 60_000 },
  s: { '': 1, ms: 0.001, s: 1, m: 60, h: 3_600 },
  bytes: { '': 1, B: 1, kB: 1_000, KiB: 1_024, MB: 1_000_000, MiB: 1_048_576 },
  '%': { '': 1, '%': 1 },
  '1/s': { '': 1, '/s': 1 },
  '': { '': 1 },
}

const isComparison = (text: string): text is Comparison => Object.hasOwn(holds, text)

/** @throws CommandError that lists the metrics, for one that cannot be read */
export function parseAssertion(text: string): Assertion {
  const match = /^\s*(\w+)\s*(<=|>=|<|>|=)\s*(\d{1,15}(?:\.\d{1,9})?)\s*([%/A-Za-z]*)\s*$/.exec(
    text,
  )
  if (match === null) throw wrong(text, 'is a metric, one of < <= > >= =, and a value')
  const [, metric = '', comparison = '', number = '', unit = ''] = match
  if (!isMetricName(metric) || !isComparison(comparison)) {
    throw wrong(text, `names no metric (${metric})`)
  }
  const units = unitsOf[benchMetrics[metric].unit] ?? {}
  const factor = units[unit]
  if (factor === undefined) {
    const known = Object.keys(units).filter(name => name !== '')
    const wanted = known.length === 0 ? 'has no unit' : `is in ${known.join(', ')}`
    throw wrong(text, `has a unit ${unit}, and ${metric} ${wanted}`)
  }
  // A tenth of a percent of what no one measures: 1.1 * 1000 is to be 1100.
  const bound = Number((Number(number) * factor).toPrecision(12))
  return { text: text.trim(), metric, comparison, bound }
}

const wrong = (text: string, what: string) =>
  usageError(`--assert ${JSON.stringify(text)} ${what}; metrics: ${metricNames.join(', ')}`)

/** What a result makes of it. What was not measured holds for nothing. */
export function judge(
  { text, metric, comparison, bound }: Assertion,
  metrics: BenchMetrics,
): JudgedAssertion {
  const seen = metrics[metric]
  return { assertion: text, seen, ok: seen !== undefined && holds[comparison](seen, bound) }
}

/** One that failed, in words: what was expected, and what was seen. */
export function failureText({ text, metric }: Assertion, { seen }: JudgedAssertion): string {
  return `expected ${text}, saw ${metricText(metric, seen)}`
}
