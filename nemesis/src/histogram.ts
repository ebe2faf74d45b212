/** Upper ends of what is counted together; what is above the last has a count of its own, ms. */
const boundsMs = [50, 100, 250, 500, 750, 1_000, 1_500, 2_500, 4_000, 6_000, 10_000]

/** How often what took how long. */
export type Histogram = {
  readonly what: string
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly most: number
  /** Of each bound that something is below of, and above the one before: the bound, ms, and how many. */
  readonly counts: readonly (readonly [upToMs: number, count: number])[]
}

/** The value below which a share of sorted values is. */
const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0

/** Counts times, ms. */
export function histogramOf(what: string, times: readonly number[]): Histogram {
  const sorted = times.toSorted((one, other) => one - other)
  const bounds = [...boundsMs, Number.POSITIVE_INFINITY]
  const counts = bounds.map((upToMs, index): [number, number] => {
    const from = bounds[index - 1] ?? Number.NEGATIVE_INFINITY
    return [upToMs, sorted.filter(ms => ms > from && ms <= upToMs).length]
  })
  return {
    what,
    count: sorted.length,
    p50: at(sorted, 0.5),
    p90: at(sorted, 0.9),
    p99: at(sorted, 0.99),
    most: sorted.at(-1) ?? 0,
    counts: counts.filter(([, count]) => count > 0),
  }
}

const number = (value: number): string => Math.round(value).toLocaleString('en')

/** One in words. */
export function histogramWords({ what, count, p50, p90, p99, most, counts }: Histogram): string {
  const parts = counts.map(([upToMs, many]) => {
    const bound = Number.isFinite(upToMs) ? `≤ ${number(upToMs)}` : 'more'
    return `${bound}: ${number(many)}`
  })
  const shares = `median ${number(p50)}, 90 % ${number(p90)}, 99 % ${number(p99)}`
  return `${what}: ${number(count)} times, ${shares}, most ${number(most)} (${parts.join(', ')})`
}
