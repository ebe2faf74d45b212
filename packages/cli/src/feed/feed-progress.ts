import { Presets, SingleBar } from 'cli-progress'
import type { Output } from '../output.ts'
import type { FeedReport } from './feed-report.ts'

/** How often progress is told where no bar can be drawn, ms. */
const noteEveryMs = 2_000
/** How often a bar is drawn, ms. */
const drawEveryMs = 200

/** Where a feed is. */
export type FeedPosition = { readonly bytes: number; readonly report: FeedReport }

/** Shows how far a feed is: a bar on a terminal, elsewhere a line now and then, nothing with `--quiet`. */
export function showProgress(options: {
  readonly bytesTotal: number
  readonly position: () => FeedPosition
  readonly output: Output
  /** Standard error of the process, when it is a terminal. */
  readonly stream: NodeJS.WritableStream | undefined
}): () => void {
  const { bytesTotal, position, output, stream } = options
  if (output.isQuiet) return () => undefined
  const meter = new RateMeter(performance.now())
  if (stream === undefined) {
    const timer = setInterval(() => {
      const { bytes, report } = position()
      const rate = meter.rate(report.sent, performance.now())
      output.note(progressText({ bytes, report }, bytesTotal, rate)).catch(() => undefined)
    }, noteEveryMs)
    return () => clearInterval(timer)
  }
  const format = '{bar} {percentage}% | line {line} | {rate} lines/s'
  const bar = new SingleBar({ format, stream, hideCursor: true }, Presets.shades_classic)
  bar.start(bytesTotal, 0, { line: 0, rate: 0 })
  const timer = setInterval(() => {
    const { bytes, report } = position()
    bar.update(bytes, {
      line: report.reached,
      rate: meter.rate(report.sent, performance.now()),
    })
  }, drawEveryMs)
  return () => {
    clearInterval(timer)
    const { bytes, report } = position()
    bar.update(bytes, { line: report.reached })
    bar.stop()
  }
}

/** Progress as one line. */
export function progressText(
  { bytes, report }: FeedPosition,
  bytesTotal: number,
  rate: number,
): string {
  const percent = bytesTotal === 0 ? 100 : Math.floor((100 * bytes) / bytesTotal)
  return `${percent}% read, line ${report.reached} reached, ${report.malformed} malformed, ${rate} lines/s`
}

/** Lines a second, over the time between two looks. */
export class RateMeter {
  #count = 0
  #at: number

  /** @param nowMs of a clock that never goes back */
  constructor(nowMs: number) {
    this.#at = nowMs
  }

  /** @param nowMs of the same clock */
  rate(count: number, nowMs: number): number {
    const seconds = (nowMs - this.#at) / 1_000
    const rate = seconds > 0 ? Math.round((count - this.#count) / seconds) : 0
    this.#count = count
    this.#at = nowMs
    return rate
  }
}
