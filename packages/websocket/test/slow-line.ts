import { DeliveryWindow } from '../src/delivery-window.ts'

/** A line that takes so many bytes a second, in order, and answers probes. */
export type Line = {
  readonly bytesPerSecond: number
  /** From one end to the other and back, ms. */
  readonly roundTripMs: number
  /** When it takes nothing, ms. */
  readonly pauses?: readonly { readonly fromMs: number; readonly toMs: number }[]
}

/** What became of a run over a line. */
export type Run = {
  /** How old the newest state was that the viewer had, at the worst moment after `settledMs`. */
  readonly stateAgeMaxMs: number
  /** How often it came to lag. */
  readonly lags: number
  readonly probes: number
  readonly heldBytesMax: number
  readonly windowBytes: number
}

const stepMs = 5
const sweepMs = 250

/**
 * Sends frames over a simulated line as the sockets do: while the viewer lags, it gets nothing, and once
 * it has drained, one frame that brings it up to date.
 */
export function runOver(options: {
  readonly line: Line
  readonly forMs: number
  /** Bytes of a frame sent at this time, at most one in 5 ms; 0 for none. */
  readonly frameAt: (ms: number) => number
  /** Bytes of what brings a viewer up to date that missed so many. */
  readonly catchUpBytes: (missedBytes: number) => number
  readonly firstBytes?: number
  readonly settledMs?: number
  /** How late the first probe is, 0 to 1. */
  readonly firstProbe?: number
}): Run {
  const { line, forMs, frameAt, catchUpBytes } = options
  const { firstBytes = 0, settledMs = 0, firstProbe = 1 } = options
  const window = new DeliveryWindow({ bytesMax: 262_144, firstProbe })
  const onTheWay: { bytesLeft: number; nonce: number; stateMs: number }[] = []
  const arriving: { atMs: number; stateMs: number }[] = []
  const answers: { atMs: number; nonce: number }[] = []
  let awakeMs = 0
  let nowMs = 0
  let probes = 0
  let isLagging = false
  let missedBytes = 0
  let lags = 0
  let stateMs = 0
  let isBehind = false
  let stateAgeMaxMs = 0
  let heldBytesMax = 0
  let lineBytes = 0

  const probe = () => {
    probes++
    // Any number is as good as another, but for the jitter that the window takes from it.
    window.probe(probes * 7_919, { nowMs, awakeMs })
    onTheWay.push({ bytesLeft: 0, nonce: probes * 7_919, stateMs: -1 })
  }
  const write = (bytes: number) => {
    if (window.isIdle) window.begin(nowMs)
    window.wrote(bytes)
    onTheWay.push({ bytesLeft: bytes, nonce: -1, stateMs: nowMs })
    if (window.takeDueProbe(nowMs)) probe()
  }
  const catchUp = () => {
    if (!isLagging || !window.isDrained) return
    isLagging = false
    if (missedBytes > 0) write(catchUpBytes(missedBytes))
    missedBytes = 0
  }

  if (firstBytes > 0) write(firstBytes)
  for (; nowMs < forMs; nowMs += stepMs) {
    if (nowMs % sweepMs === 0) {
      awakeMs = nowMs
      window.judge(awakeMs)
    }
    while (answers[0] !== undefined && answers[0].atMs <= nowMs) {
      window.confirm(answers.shift()?.nonce ?? 0, { nowMs, awakeMs })
      catchUp()
      if (window.takeDueProbe(nowMs)) probe()
    }
    const bytes = frameAt(nowMs)
    if (bytes > 0) {
      isBehind = true
      if (!isLagging && window.isOver) {
        isLagging = true
        lags++
      }
      if (isLagging) missedBytes += bytes
      else write(bytes)
    }
    const at = nowMs
    const isPaused = line.pauses?.some(({ fromMs, toMs }) => at >= fromMs && at < toMs) ?? false
    lineBytes = isPaused ? 0 : lineBytes + (line.bytesPerSecond * stepMs) / 1_000
    for (let first = onTheWay[0]; first !== undefined; first = onTheWay[0]) {
      const taken = Math.min(first.bytesLeft, lineBytes)
      first.bytesLeft -= taken
      lineBytes -= taken
      if (first.bytesLeft > 0 || isPaused) break
      onTheWay.shift()
      if (first.nonce === -1) {
        arriving.push({ atMs: nowMs + line.roundTripMs / 2, stateMs: first.stateMs })
      } else answers.push({ atMs: nowMs + line.roundTripMs, nonce: first.nonce })
    }
    if (onTheWay.length === 0) lineBytes = 0
    while (arriving[0] !== undefined && arriving[0].atMs <= nowMs) {
      stateMs = arriving.shift()?.stateMs ?? 0
    }
    if (isBehind && nowMs >= settledMs) stateAgeMaxMs = Math.max(stateAgeMaxMs, nowMs - stateMs)
    heldBytesMax = Math.max(heldBytesMax, window.heldBytes)
  }
  return { stateAgeMaxMs, lags, probes, heldBytesMax, windowBytes: window.windowBytes }
}
