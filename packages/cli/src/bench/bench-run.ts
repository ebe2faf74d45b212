/* A load test from its first connection to its last: viewers come, writes go out, everybody settles, all is summed up. */
import { CommandError } from '../command-error.ts'
import type { Terminal } from '../terminal.ts'
import type { BenchMetrics } from './bench-metrics.ts'
import { type BenchSettings, splitViewers } from './bench-settings.ts'
import { BenchWriter } from './bench-writer.ts'
import { LatencyHistogram } from './latency-histogram.ts'
import { ReplicaViewer } from './replica-viewer.ts'
import { type Settled, settle } from './settle.ts'
import { Swarm } from './swarm.ts'
import type { SwarmLook } from './swarm-message.ts'
import { type SwarmCounts, SwarmTally, sumCounts } from './swarm-tally.ts'

const lookEveryMs = 100
/** After a signal viewers have so long to be where the last write is, ms. */
const interruptedSettleMs = 1_000

/** Where a load test is, as it is shown meanwhile. */
export type BenchPhase = 'connecting' | 'measuring' | 'settling'

/** Takes what is shown meanwhile; asked for the counts whenever they are shown. */
export type ShowPhase = (phase: BenchPhase, counts: () => SwarmCounts) => void

/** What a load test has found. */
export type BenchFindings = {
  readonly metrics: BenchMetrics
  /** What the latencies without a name before them count from. */
  readonly latencyFrom: 'write' | 'commit'
  readonly isInterrupted: boolean
  /** Whether every replica was held against another one. */
  readonly isCompared: boolean
  /** Records at the end of what is known that nobody was shown. */
  readonly unseen: number
  /** Why viewers and writes failed, by code. */
  readonly failures: Readonly<Record<string, number>>
  readonly violationTexts: readonly string[]
}

/**
 * Runs a load test; a signal ends it early, with what was measured so far.
 *
 * @throws CommandError when no viewer is shown the document, or the first write is refused
 */
export async function runBench(
  settings: BenchSettings,
  { terminal, show }: { readonly terminal: Terminal; readonly show: ShowPhase },
): Promise<BenchFindings> {
  const swarm = new Swarm()
  const writer = makeWriter(settings, { swarm, terminal })
  try {
    await writer?.begin(terminal)
    show('connecting', () => swarm.counts)
    swarm.open(splitViewers(settings))
    await Promise.race([untilIn(settings, { swarm, terminal }), swarm.failed])
    const measured = await measure(settings, { swarm, writer, terminal, show })
    show('settling', () => swarm.counts)
    const { urls, watching } = settings
    const settled = await settle({
      swarm,
      late: new ReplicaViewer({ urls, watching, tally: new SwarmTally() }),
      endSeq: Math.max(measured.seqMax, writer?.lastSeq ?? 0),
      clock: terminal.clock,
      settleMs: terminal.interrupted.aborted ? interruptedSettleMs : settings.settleMs,
    })
    const isInterrupted = terminal.interrupted.aborted
    return { ...sumUp(settings, { writer, measured, settled }), isInterrupted }
  } finally {
    writer?.close()
    swarm.end()
  }
}

function makeWriter(
  { writes, watching, durationMs, settleMs, timeoutMs }: BenchSettings,
  { swarm, terminal }: { readonly swarm: Swarm; readonly terminal: Terminal },
): BenchWriter | undefined {
  if (writes === undefined) return undefined
  return new BenchWriter({
    ...writes,
    doc: watching.doc,
    durationMs,
    lateMsMax: settleMs,
    timeoutMs,
    clock: terminal.clock,
    committed: write => swarm.commit(write),
  })
}

/** Waits until each viewer is in or given up, or none has any more time. */
async function untilIn(
  { viewers, rampPerSecond, timeoutMs, urls }: BenchSettings,
  { swarm, terminal }: { readonly swarm: Swarm; readonly terminal: Terminal },
): Promise<void> {
  const { clock, interrupted } = terminal
  const deadline = clock.now() + (viewers / rampPerSecond) * 1_000 + timeoutMs
  for (;;) {
    const { connected, failed, trouble } = swarm.counts
    if (connected + failed >= viewers && connected > 0) return
    const isOver = connected + failed >= viewers || clock.now() >= deadline
    if (interrupted.aborted || isOver) {
      if (connected > 0) return
      if (interrupted.aborted) throw new CommandError('FANFOLD_INTERRUPTED', 'ended by a signal')
      const message = `no viewer was shown the document at ${urls.join(', ')} (${trouble ?? 'nothing was heard'}): give the --url of edges that run, and a token that allows observing`
      throw new CommandError('FANFOLD_UNREACHABLE', message)
    }
    await clock.wait(lookEveryMs, interrupted)
  }
}

/** What happened while it was measured. */
type Measured = {
  readonly seconds: number
  readonly deliveries: number
  /** Of the deliveries before. */
  readonly before: SwarmCounts
  /** Part of its time that the busiest process was at work, 0 to 1. */
  readonly busy: number
  readonly seqMax: number
}

async function measure(
  { durationMs }: BenchSettings,
  context: {
    readonly swarm: Swarm
    readonly writer: BenchWriter | undefined
    readonly terminal: Terminal
    readonly show: ShowPhase
  },
): Promise<Measured> {
  const { swarm, writer, terminal, show } = context
  const { clock, interrupted } = terminal
  swarm.measure()
  // What is asked after it is answered after it: by then all of them measure.
  const before = countsOf(await swarm.look())
  show('measuring', () => swarm.counts)
  const own = performance.eventLoopUtilization()
  const startMs = clock.now()
  const writing = writer?.run(interrupted) ?? Promise.resolve()
  const failed = Promise.race([swarm.failed, failureOf(writing)])
  await Promise.race([clock.wait(durationMs, interrupted), failed])
  const looks = await swarm.look()
  const seconds = (clock.now() - startMs) / 1_000
  const { utilization } = performance.eventLoopUtilization(own)
  await Promise.race([writing, failed])
  return {
    seconds,
    deliveries: countsOf(looks).deliveries - before.deliveries,
    before,
    busy: Math.max(utilization, ...looks.map(({ busy }) => busy)),
    seqMax: Math.max(...looks.map(({ seqMax }) => seqMax)),
  }
}

/** Rejects as `work` does; does not end where it resolves. */
const failureOf = (work: Promise<void>): Promise<never> =>
  work.then(() => new Promise<never>(() => undefined))

const countsOf = (looks: readonly SwarmLook[]): SwarmCounts =>
  sumCounts(looks.map(({ counts }) => counts))

function sumUp(
  { viewers }: BenchSettings,
  found: {
    readonly writer: BenchWriter | undefined
    readonly measured: Measured
    readonly settled: Settled
  },
): Omit<BenchFindings, 'isInterrupted'> {
  const { writer, measured, settled } = found
  const { looks } = settled
  const counts = countsOf(looks)
  const sum = (of: (look: SwarmLook) => number): number =>
    looks.reduce((total, look) => total + of(look), 0)
  const sinceWrite = LatencyHistogram.merge(looks.map(look => look.sinceWrite))
  const sinceCommit = LatencyHistogram.merge(looks.map(look => look.sinceCommit))
  const latencyFrom = sinceWrite.count > 0 ? 'write' : 'commit'
  const latency = sinceWrite.count > 0 ? sinceWrite : sinceCommit
  const ack = writer?.sinceDue
  const writes = writer?.committed ?? 0
  const sized = counts.sizedDeliveries - measured.before.sizedDeliveries
  const bytes = counts.deliveredBytes - measured.before.deliveredBytes
  const metrics: BenchMetrics = {
    viewers,
    connected: counts.connected,
    failed: viewers - counts.connected + sum(({ refused }) => refused),
    stale: sum(({ stale }) => stale),
    away: sum(({ away }) => away),
    replicas: sum(({ replicaCount }) => replicaCount),
    reconnects: counts.reconnects,
    turnedAway: counts.turnedAway,
    tooSlow: counts.tooSlow,
    lags: counts.lags,
    seconds: rounded(measured.seconds),
    writes,
    writesFailed: writer?.failed ?? 0,
    writesJoined:
      sinceWrite.count === 0
        ? undefined
        : Math.max(0, writes - Math.max(...looks.map(({ lastWrites }) => lastWrites))),
    deliveries: counts.deliveries - measured.before.deliveries,
    deliveriesPerSecond: rounded(measured.deliveries / measured.seconds),
    bytesPerDelivery: sized === 0 ? undefined : rounded(bytes / sized),
    missing: sum(({ missing }) => missing),
    violations: counts.violations + settled.violations.length,
    p50: quantile(latency, 0.5),
    p90: quantile(latency, 0.9),
    p99: quantile(latency, 0.99),
    p999: quantile(latency, 0.999),
    max: quantile(latency, 1),
    commitP50: quantile(sinceCommit, 0.5),
    commitP99: quantile(sinceCommit, 0.99),
    commitMax: quantile(sinceCommit, 1),
    ackP50: quantile(ack, 0.5),
    ackP99: quantile(ack, 0.99),
    ackMax: quantile(ack, 1),
    swarmWaitP99: quantile(LatencyHistogram.merge(looks.map(({ waits }) => waits)), 0.99),
    swarmBusy: Math.round(measured.busy * 100),
  }
  return {
    metrics,
    latencyFrom,
    isCompared: settled.isCompared,
    unseen: settled.unseen,
    failures: { ...counts.failures, ...writer?.failures },
    violationTexts: [...settled.violations, ...counts.violationTexts],
  }
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000

function quantile(histogram: LatencyHistogram | undefined, share: number): number | undefined {
  const ms = share === 1 && histogram?.count ? histogram.maxMs : histogram?.quantileMs(share)
  return ms === undefined ? undefined : rounded(ms)
}
