import { type HistogramParts, LatencyHistogram } from './latency-histogram.ts'
import { WriteLedger } from './write-ledger.ts'

/** Violations that are told in words; the rest are counted. */
const violationsNamedMax = 5
/** Kinds of failures that are told apart: a server may invent codes. */
const failureCodesMax = 50

/** What the viewers of one process have counted. */
export type SwarmCounts = {
  readonly connected: number
  readonly failed: number
  readonly reconnects: number
  readonly turnedAway: number
  readonly tooSlow: number
  readonly lags: number
  readonly deliveries: number
  /** Deltas whose size is known, and their bytes: those of viewers that keep no view. */
  readonly sizedDeliveries: number
  readonly deliveredBytes: number
  readonly violations: number
  /** The first of them, in words. */
  readonly violationTexts: readonly string[]
  /** Why viewers failed, by code. */
  readonly failures: Readonly<Record<string, number>>
  /** The last thing that went wrong with a connection, also when it was got over. */
  readonly trouble: string | undefined
}

/** Counts of all viewers of one process. */
export class SwarmTally {
  connected = 0
  reconnects = 0
  turnedAway = 0
  tooSlow = 0
  lags = 0
  deliveries = 0
  sizedDeliveries = 0
  deliveredBytes = 0
  trouble: string | undefined
  /** Handshakes under way. */
  dialling = 0
  /** Whether latencies count by now. */
  isMeasuring = false
  #failed = 0
  #violations = 0
  readonly #violationTexts: string[] = []
  readonly #failures = new Map<string, number>()
  readonly #sinceWrite = new LatencyHistogram()
  readonly #sinceCommit = new LatencyHistogram()
  readonly #waits = new LatencyHistogram()
  /** When the process began to read what came in this turn of its loop. */
  #turnStartMs: number | undefined
  /** What viewers see of the load test's own writes. */
  readonly ledger: WriteLedger = new WriteLedger(ms => this.#sinceWrite.add(ms))

  /** A viewer is given up. */
  fail(code: string): void {
    this.#failed++
    const known = this.#failures.has(code) || this.#failures.size < failureCodesMax
    const name = known ? code : 'other'
    this.#failures.set(name, (this.#failures.get(name) ?? 0) + 1)
  }

  violate(text: string): void {
    this.#violations++
    if (this.#violationTexts.length < violationsNamedMax) this.#violationTexts.push(text)
  }

  /**
   * A viewer received a delta.
   *
   * @param committedAtMs ms since 1970, by the clock of the authority
   */
  deliver(committedAtMs: number): void {
    this.deliveries++
    if (!this.isMeasuring) return
    this.#sinceCommit.add(Date.now() - committedAtMs)
    const nowMs = performance.now()
    if (this.#turnStartMs === undefined) {
      this.#turnStartMs = nowMs
      // It comes when all that is there has been read.
      setImmediate(() => {
        this.#turnStartMs = undefined
      })
    }
    this.#waits.add(nowMs - this.#turnStartMs)
  }

  get counts(): SwarmCounts {
    const { connected, reconnects, turnedAway, tooSlow, lags, deliveries, trouble } = this
    const { sizedDeliveries, deliveredBytes } = this
    return {
      connected,
      failed: this.#failed,
      reconnects,
      turnedAway,
      tooSlow,
      lags,
      deliveries,
      sizedDeliveries,
      deliveredBytes,
      violations: this.#violations,
      violationTexts: [...this.#violationTexts],
      failures: Object.fromEntries(this.#failures),
      trouble,
    }
  }

  get sinceWrite(): HistogramParts {
    return this.#sinceWrite.parts
  }

  get sinceCommit(): HistogramParts {
    return this.#sinceCommit.parts
  }

  /** How long deltas had to wait at most until this process had read what others were sent. */
  get waits(): HistogramParts {
    return this.#waits.parts
  }
}

/** The counts of several processes, as one. */
export function sumCounts(all: readonly SwarmCounts[]): SwarmCounts {
  const sum = (of: (counts: SwarmCounts) => number): number =>
    all.reduce((total, counts) => total + of(counts), 0)
  const failures: Record<string, number> = {}
  for (const counts of all) {
    for (const [code, count] of Object.entries(counts.failures)) {
      failures[code] = (failures[code] ?? 0) + count
    }
  }
  return {
    connected: sum(({ connected }) => connected),
    failed: sum(({ failed }) => failed),
    reconnects: sum(({ reconnects }) => reconnects),
    turnedAway: sum(({ turnedAway }) => turnedAway),
    tooSlow: sum(({ tooSlow }) => tooSlow),
    lags: sum(({ lags }) => lags),
    deliveries: sum(({ deliveries }) => deliveries),
    sizedDeliveries: sum(({ sizedDeliveries }) => sizedDeliveries),
    deliveredBytes: sum(({ deliveredBytes }) => deliveredBytes),
    violations: sum(({ violations }) => violations),
    violationTexts: all
      .flatMap(({ violationTexts }) => violationTexts)
      .slice(0, violationsNamedMax),
    failures,
    trouble: all.map(({ trouble }) => trouble).find(trouble => trouble !== undefined),
  }
}
