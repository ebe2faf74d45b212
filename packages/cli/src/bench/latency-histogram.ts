/*
 * Durations, counted in buckets that grow with what they hold: as many buckets for each power of two, so
 * that the middle of one is never further from a value in it than one part in 256, and a histogram has a
 * few thousand numbers however many values it has taken. Histograms of several processes are added up.
 */

/** Buckets for each power of two: half a bucket is at most 1/256 of its value. */
const bucketsPerDoubling = 128
/** Values below this are counted one by one, µs: a bucket there is exact. */
const exactBelowUs = bucketsPerDoubling
/** Longer than this is counted as this: two days, µs. */
const longestUs = 2 ** 37

/** A histogram as it crosses from one process to another. */
export type HistogramParts = {
  /** Of each bucket that is not empty: its number, and how many values are in it. */
  readonly buckets: readonly (readonly [index: number, count: number])[]
  readonly count: number
  readonly maxMs: number
}

/** How often something took how long, with a relative error of at most 0.4 %. */
export class LatencyHistogram {
  readonly #counts: number[] = []
  #count = 0
  #maxMs = 0

  /** The sum of what several processes have counted. */
  static merge(parts: readonly HistogramParts[]): LatencyHistogram {
    const merged = new LatencyHistogram()
    for (const { buckets, count, maxMs } of parts) {
      for (const [index, more] of buckets) {
        merged.#counts[index] = (merged.#counts[index] ?? 0) + more
      }
      merged.#count += count
      merged.#maxMs = Math.max(merged.#maxMs, maxMs)
    }
    return merged
  }

  get count(): number {
    return this.#count
  }

  /** The longest, exactly; 0 when there is none. */
  get maxMs(): number {
    return this.#maxMs
  }

  get parts(): HistogramParts {
    const buckets: [number, number][] = []
    // Buckets that nothing fell into are holes, which entries() would visit.
    for (const index of Object.keys(this.#counts).map(Number)) {
      buckets.push([index, this.#counts[index] ?? 0])
    }
    return { buckets, count: this.#count, maxMs: this.#maxMs }
  }

  /** Counts a duration; one below 0, as of clocks that differ, is 0. */
  add(ms: number): void {
    const index = bucketOf(Math.round(Math.max(0, ms) * 1_000))
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#count++
    if (ms > this.#maxMs) this.#maxMs = ms
  }

  /**
   * The duration that a share of all is at most, ms; `undefined` when there is none.
   *
   * @param share over 0, up to 1
   */
  quantileMs(share: number): number | undefined {
    if (this.#count === 0) return undefined
    let left = Math.ceil(share * this.#count)
    for (const index of Object.keys(this.#counts).map(Number)) {
      left -= this.#counts[index] ?? 0
      if (left <= 0) return Math.min(this.#maxMs, middleUs(index) / 1_000)
    }
    return this.#maxMs
  }
}

/** The number of the bucket of a duration, a whole number of µs. */
function bucketOf(us: number): number {
  const bounded = Math.min(us, longestUs)
  if (bounded < exactBelowUs) return bounded
  const doubling = Math.floor(Math.log2(bounded / exactBelowUs))
  const width = 2 ** doubling
  return (doubling + 1) * bucketsPerDoubling + Math.floor(bounded / width) - bucketsPerDoubling
}

/** The middle of a bucket, µs. */
function middleUs(index: number): number {
  if (index < exactBelowUs) return index
  const doubling = Math.floor(index / bucketsPerDoubling) - 1
  const width = 2 ** doubling
  const lowest = (bucketsPerDoubling + (index % bucketsPerDoubling)) * width
  return lowest + (width - 1) / 2
}
