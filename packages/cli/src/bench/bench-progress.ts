import { Presets, SingleBar } from 'cli-progress'
import { RateMeter } from '../feed/feed-progress.ts'
import type { Output } from '../output.ts'
import type { BenchPhase, ShowPhase } from './bench-run.ts'
import type { SwarmCounts } from './swarm-tally.ts'

/** How often progress is told where no bar can be drawn, ms. */
const noteEveryMs = 2_000
/** How often a bar is drawn, ms: processes say what they count twice a second. */
const drawEveryMs = 500

/** Shows where a load test is: a bar on a terminal, elsewhere a line now and then, nothing with `--quiet`. */
export function showBench(options: {
  readonly viewers: number
  readonly durationMs: number
  readonly output: Output
  /** Standard error of the process, when it is a terminal. */
  readonly stream: NodeJS.WritableStream | undefined
}): { readonly show: ShowPhase; readonly stop: () => void } {
  const { viewers, durationMs, output, stream } = options
  if (output.isQuiet) return { show: () => undefined, stop: () => undefined }
  const meter = new RateMeter(performance.now())
  const format = '{bar} {phase} | {text}'
  const bar =
    stream === undefined
      ? undefined
      : new SingleBar({ format, stream, hideCursor: true }, Presets.shades_classic)
  bar?.start(1_000, 0, { phase: 'connecting', text: '' })
  let timer: NodeJS.Timeout | undefined
  const show: ShowPhase = (phase, counts) => {
    clearInterval(timer)
    const startedAt = performance.now()
    const tell = (): void => {
      const now = counts()
      const rate = meter.rate(now.deliveries, performance.now())
      const text = benchProgressText(phase, { counts: now, viewers, rate })
      const done =
        phase === 'connecting'
          ? now.connected / viewers
          : (performance.now() - startedAt) / durationMs
      if (bar === undefined) output.note(`${phase}: ${text}`).catch(() => undefined)
      else bar.update(Math.min(1_000, Math.round(1_000 * done)), { phase, text })
    }
    timer = setInterval(tell, bar === undefined ? noteEveryMs : drawEveryMs)
  }
  const stop = (): void => {
    clearInterval(timer)
    bar?.stop()
  }
  return { show, stop }
}

/** Progress as one line. */
export function benchProgressText(
  phase: BenchPhase,
  now: { readonly counts: SwarmCounts; readonly viewers: number; readonly rate: number },
): string {
  const { counts, viewers, rate } = now
  const parts = [`${counts.connected} of ${viewers} viewers`]
  if (counts.failed > 0) parts.push(`${counts.failed} failed`)
  if (phase !== 'connecting') parts.push(`${rate} deliveries/s`)
  if (counts.reconnects > 0) parts.push(`${counts.reconnects} reconnects`)
  if (counts.violations > 0) parts.push(`${counts.violations} VIOLATIONS`)
  return parts.join(', ')
}
