/*
 * What the histories of a run show of time: how long writers waited for an acknowledgement, and viewers
 * for something new.
 */
import {
  isView,
  type ViewerHistoryEvent,
  type WriterHistoryEvent,
} from './clients/client-messages.ts'
import { type Death, DeathsSeen, type DeathTime, type NodeNotice, type Resumes } from './deaths.ts'
import { Delays, type Phase } from './delays.ts'
import type { Histogram } from './histogram.ts'
import { historyEvents, historyLines, type RunFiles, type RunVerdict } from './judge-run.ts'
import type { StageTimes } from './stage.ts'

/** Numbers of a run. */
export type Seen = {
  readonly acknowledged: number
  readonly refused: number
  readonly unknown: number
  /** Longest time without any acknowledgement while writers wrote, ms. */
  readonly ackGapMs: number
  /** Longest time in which a viewer was shown nothing new while writers wrote, ms. */
  readonly viewGapMs: number
  /** The same of the viewer that waited least. */
  readonly viewGapLeastMs: number
  /** Snapshots that viewers were shown after their first. */
  readonly resets: number
  readonly deltas: number
  /** How often a viewer was told that it is not live any more. */
  readonly stales: number
  /** How often a viewer lost its connection. */
  readonly linesLost: number
  /** When writers had stopped, until all viewers showed the last write, ms. */
  readonly convergedMs: number
  /** How often each code was answered to a write. */
  readonly refusals: Readonly<Record<string, number>>
  /** By phase of the scenario: from when a change was sent until it was shown, for 99 of 100, ms. */
  readonly delaysMs: Readonly<Record<string, number>>
  /** Where nodes were killed: how soon they were missed, and how long others waited. */
  readonly deaths: Readonly<Record<DeathTime, Histogram>> | undefined
  /** How connections of viewers went on that were lost. */
  readonly resumes: Resumes
  /** What the scenario measured by itself. */
  readonly measures: Readonly<Record<string, number>>
}

/** The longest time between events, the ends of the time included. */
class Gap {
  #lastMs: number
  #longestMs = 0
  readonly #endMs: number

  constructor({ startedAtMs, pausedAtMs }: StageTimes) {
    this.#lastMs = startedAtMs
    this.#endMs = pausedAtMs
  }

  add(atMs: number): void {
    const ms = Math.min(atMs, this.#endMs)
    if (ms <= this.#lastMs) return
    this.#longestMs = Math.max(this.#longestMs, ms - this.#lastMs)
    this.#lastMs = ms
  }

  get longestMs(): number {
    return Math.max(this.#longestMs, this.#endMs - this.#lastMs)
  }
}

const isWithin = (event: { readonly atMs: number }, times: StageTimes): boolean =>
  event.atMs > times.startedAtMs && event.atMs < times.pausedAtMs

const noticeEvents: readonly string[] = ['link.parent-lost', 'link.peer-lost', 'fleet.member-left']

/** Of the log of a node, what it says of others that are gone. */
async function* noticesIn(path: string): AsyncGenerator<NodeNotice> {
  for await (const line of historyLines(path)) {
    if (!noticeEvents.some(event => line.includes(`"event":"${event}"`))) continue
    // Written by a node of this version.
    const { node, event, peer, member, time } = JSON.parse(line)
    yield { node, event, about: peer ?? member, atMs: Date.parse(time) }
  }
}

/** Reads the histories of a run. */
export async function seenOf(
  files: RunFiles,
  run: {
    readonly times: StageTimes
    readonly verdict: RunVerdict
    readonly convergedMs: number
    readonly measures: Readonly<Record<string, number>>
    readonly phases: readonly Phase[]
    readonly deaths: readonly Death[]
  },
): Promise<Seen> {
  const { times, verdict, convergedMs, measures, phases, deaths } = run
  const died = new DeathsSeen(deaths)
  const delays = new Delays(phases)
  const acks = new Gap(times)
  const refusals: Record<string, number> = {}
  for (const path of files.writers) {
    for await (const event of historyEvents<WriterHistoryEvent>(path)) {
      if (event.kind === 'invoke') delays.sent(event.doc, event.id, event.atMs)
      if (event.kind === 'ok') {
        acks.add(event.atMs)
        if (isWithin(event, times)) died.acknowledged(event.doc, event.atMs)
        delays.acknowledged(event.doc, event.id, event.seq)
      }
      if (event.kind === 'fail') refusals[event.code] = (refusals[event.code] ?? 0) + 1
    }
  }
  const views = new Map<string, Gap>()
  let snapshots = 0
  let stales = 0
  let linesLost = 0
  for (const path of files.viewers) {
    for await (const event of historyEvents<ViewerHistoryEvent>(path)) {
      const gap = views.get(event.viewer) ?? new Gap(times)
      views.set(event.viewer, gap)
      if (event.kind === 'status') {
        if (event.status !== 'live' && isWithin(event, times)) stales++
      } else if (event.kind === 'line-lost') {
        if (!isWithin(event, times)) continue
        linesLost++
        died.lineLost(event.viewer, event.url, event.atMs)
      } else if (isView(event) && event.kind !== 'end') {
        gap.add(event.atMs)
        const { kind } = event
        if (isWithin(event, times)) died.shown({ ...event, kind })
        if (event.kind === 'snapshot') snapshots++
        else delays.shown(event.doc, event.seq, event.atMs)
      }
    }
  }
  for (const path of files.nodeLogs ?? []) {
    for await (const notice of noticesIn(path)) died.noticed(notice)
  }
  const gaps = [...views.values()].map(({ longestMs }) => longestMs)
  const { acknowledged, refused, unknownIn, unknownOut } = verdict.writes
  return {
    acknowledged,
    refused,
    unknown: unknownIn + unknownOut,
    ackGapMs: acks.longestMs,
    viewGapMs: Math.max(0, ...gaps),
    viewGapLeastMs: gaps.length === 0 ? 0 : Math.min(...gaps),
    resets: Math.max(0, snapshots - views.size),
    deltas: verdict.views.deltas,
    stales,
    linesLost,
    convergedMs,
    refusals,
    delaysMs: delays.percentiles(),
    deaths: deaths.length === 0 ? undefined : died.histograms(),
    resumes: died.resumes,
    measures,
  }
}
