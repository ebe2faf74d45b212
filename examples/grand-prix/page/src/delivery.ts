/** What is known of the deltas that arrived. */
export type DeliverySummary = {
  readonly deltas: number
  readonly deltasPerSecond: number
  /** Bytes of the patches as JSON. */
  readonly bytes: number
  readonly epoch: number
  readonly seq: number
  /** Milliseconds from commit to here, of the latest deltas committed while the page followed, oldest first. */
  readonly latencies: readonly number[]
  readonly medianMs: number | undefined
  readonly worstMs: number | undefined
}

/** One delta as the client hands it out. */
export type Arrival = {
  readonly epoch: number
  readonly seq: number
  readonly patch: readonly unknown[]
  /** When it was committed, by the authority's clock. */
  readonly time: number
}

const latenciesMax = 90
const rateWindowMs = 5_000
const arrivalsMax = 1_000

/** Counts deltas; bounded whatever arrives. */
export class Delivery {
  #deltas = 0
  #bytes = 0
  #epoch = 0
  #seq = 0
  #measuredFromMs = Number.POSITIVE_INFINITY
  readonly #latencies: number[] = []
  readonly #arrivals: number[] = []

  /**
   * Says whether the page follows the document, from `nowMs` on. What was committed before it did
   * waited for the page to come, and that wait is nobody's latency.
   */
  setFollowing(isFollowing: boolean, nowMs: number): void {
    this.#measuredFromMs = isFollowing ? nowMs : Number.POSITIVE_INFINITY
  }

  /** Counts one, at `nowMs` of this machine's clock. */
  add(arrival: Arrival, nowMs: number): void {
    this.#deltas += 1
    this.#bytes += JSON.stringify(arrival.patch).length
    this.#epoch = arrival.epoch
    this.#seq = arrival.seq
    this.#arrivals.push(nowMs)
    if (this.#arrivals.length > arrivalsMax) this.#arrivals.shift()
    if (arrival.time < this.#measuredFromMs) return
    // Clocks of two machines differ a little: less than nothing is nothing.
    this.#latencies.push(Math.max(0, nowMs - arrival.time))
    if (this.#latencies.length > latenciesMax) this.#latencies.shift()
  }

  /** All of it, at `nowMs`. */
  summary(nowMs: number): DeliverySummary {
    const recent = this.#arrivals.filter(atMs => atMs > nowMs - rateWindowMs).length
    const sorted = [...this.#latencies].sort((a, b) => a - b)
    return {
      deltas: this.#deltas,
      deltasPerSecond: recent / (rateWindowMs / 1000),
      bytes: this.#bytes,
      epoch: this.#epoch,
      seq: this.#seq,
      latencies: [...this.#latencies],
      medianMs: sorted[sorted.length >> 1],
      worstMs: sorted.at(-1),
    }
  }
}
