import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Delivery } from './delivery.ts'

const refreshMs = 250

/** How the deltas travel: time from commit to this page, how many, how much. */
export function DeliveryStrip(props: {
  readonly delivery: Delivery
  readonly source: string
}): VNode {
  const { delivery, source } = props
  const [summary, setSummary] = useState(() => delivery.summary(Date.now()))
  useEffect(() => {
    const timer = setInterval(() => setSummary(delivery.summary(Date.now())), refreshMs)
    return () => clearInterval(timer)
  }, [delivery])

  const { medianMs, worstMs, latencies, deltas, deltasPerSecond, bytes, epoch, seq } = summary
  return (
    <footer class="delivery">
      <p class="brand">
        <b>fanfold</b> <span class="source">{source}</span>
      </p>
      <p class="latency" title="from commit at the authority to this page">
        <small>commit → here</small>
        <Sparkline values={latencies} />
        <b class="number">{medianMs === undefined ? '–' : `${medianMs} ms`}</b>
        <span class="number worst">{worstMs === undefined ? '' : `max ${worstMs}`}</span>
      </p>
      <p>
        <small>deltas</small> <b class="number">{deltas.toLocaleString('en')}</b>
      </p>
      <p>
        <small>per second</small> <b class="number">{deltasPerSecond.toFixed(1)}</b>
      </p>
      <p>
        <small>epoch:seq</small>{' '}
        <b class="number">
          {epoch}:{seq}
        </b>
      </p>
      <p>
        <small>received</small> <b class="number">{formatBytes(bytes)}</b>
      </p>
    </footer>
  )
}

const width = 150
const height = 22

function Sparkline({ values }: { readonly values: readonly number[] }): VNode {
  const top = Math.max(20, ...values)
  const step = width / 89
  const from = width - (values.length - 1) * step
  const points = values.map(
    (value, index) =>
      `${(from + index * step).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`,
  )
  const line = points.join(' ')
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {values.length < 2 ? null : (
        <g>
          <polygon points={`${from.toFixed(1)},${height} ${line} ${width},${height}`} />
          <polyline points={line} />
        </g>
      )}
    </svg>
  )
}

function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024
    ? `${(bytes / 1024).toFixed(1)} KiB`
    : `${(bytes / 1024 / 1024).toFixed(2)} MiB`
}
