import { Prng } from '@fanfold/kernel'
import type {
  ErrorCode,
  LinkEffect,
  LinkFrame,
  LogRecord,
  Position,
  SnapshotManifest,
} from '@fanfold/protocol'
import type { UpstreamNode } from '../src/stream-core.ts'
import { Upstream } from '../src/upstream.ts'
import type { UpstreamEvent } from '../src/upstream-event.ts'
import type { UpstreamLimits } from '../src/upstream-limits.ts'
import { after, at, doc, framesOf, link, recordsOf, snapshotAt } from './build-stream.ts'
import { upstreamNode } from './build-upstream.ts'

export const log = recordsOf(60)
export const head = after(log[9])
export const parent = link(1)

/** An upstream on a link, and what it sends and tells. */
export class Rig {
  readonly node: UpstreamNode
  readonly upstream: Upstream
  nowMs = 0
  #effects: LinkEffect[] = []

  constructor(limits: Partial<UpstreamLimits> = {}, overrides: Partial<UpstreamNode> = {}) {
    this.node = upstreamNode(limits, overrides)
    this.upstream = new Upstream({ doc, prng: new Prng('upstream'), node: this.node })
  }

  attach(to = parent): LinkFrame[] {
    this.upstream.attach(to, at(this.nowMs), this.#effects)
    return this.sent()
  }

  /** Takes frames, and answers with the events of all. */
  take(...frames: LinkFrame[]): UpstreamEvent[] {
    return frames.flatMap(frame => this.upstream.receive(frame, at(this.nowMs), this.#effects))
  }

  /** Lets time pass up to the next deadline, or so many milliseconds. */
  pass(ms: number): UpstreamEvent[] {
    this.nowMs = Math.round((this.nowMs + ms) * 1_000) / 1_000
    return this.upstream.tick(at(this.nowMs), this.#effects)
  }

  /** Milliseconds to the next deadline. */
  get waitMs(): number | undefined {
    const { wakeAt } = this.upstream
    return wakeAt === undefined ? undefined : (wakeAt - at(this.nowMs)) / 1_000
  }

  sent(): LinkFrame[] {
    return framesOf(this.#effects.splice(0))
  }

  /** It is the stream's turn to ask. */
  askNow(): LinkFrame[] {
    this.upstream.askNow(at(this.nowMs), this.#effects)
    return this.sent()
  }

  leave(): LinkFrame[] {
    this.upstream.leave(this.#effects)
    return this.sent()
  }

  holdCredit(isHeld: boolean): void {
    this.upstream.holdCredit(isHeld, at(this.nowMs), this.#effects)
  }

  restart(): UpstreamEvent[] {
    return this.upstream.restart('broken', at(this.nowMs), this.#effects)
  }
}

export const welcome = (
  mode: 'tail' | 'snapshot' = 'snapshot',
  position = head,
  ceiling = 239,
): LinkFrame => ({
  kind: 'welcome',
  doc,
  channel: 7,
  mode,
  head: position,
  ceiling,
})

export const records = (...list: (LogRecord | undefined)[]): LinkFrame => ({
  kind: 'records',
  channel: 7,
  records: list.filter(record => record !== undefined),
})

export const from = (first: number, last: number): LinkFrame =>
  records(...log.slice(first - 1, last))

export const begin = (manifest: SnapshotManifest): LinkFrame => ({
  kind: 'snapshot-begin',
  channel: 7,
  manifest,
})

export const piece = (index: number, bytes: Uint8Array | undefined): LinkFrame => ({
  kind: 'snapshot-piece',
  channel: 7,
  index,
  codec: 0,
  piece: bytes ?? new Uint8Array(1),
})

/** All frames of a snapshot at a position. */
export const snapshotFrames = (position: Position, bytes = 0): LinkFrame[] => {
  const { manifest, pieces } = snapshotAt(position, bytes)
  return [begin(manifest), ...pieces.map((bytes, index) => piece(index, bytes))]
}

export const refused = (code: ErrorCode, retryAfterMs = 0): LinkFrame => ({
  kind: 'refused',
  doc,
  code,
  message: 'no',
  retryAfterMs,
})

/** A rig that is live at the tenth record. */
export const live = (
  limits: Partial<UpstreamLimits> = {},
  overrides: Partial<UpstreamNode> = {},
): Rig => {
  const rig = new Rig(limits, overrides)
  rig.attach()
  rig.take(welcome(), ...snapshotFrames(head))
  rig.sent()
  return rig
}

/** What events say, but for having caught up. */
export const kindsOf = (events: readonly UpstreamEvent[]): string[] =>
  events
    .filter(({ kind }) => kind !== 'caught-up')
    .map(event =>
      event.kind === 'resync'
        ? `resync ${event.reason}`
        : event.kind === 'records'
          ? `records ${event.records.map(({ seq }) => seq)}`
          : event.kind,
    )

/** By what the stream has caught up, each time. */
export const rungsOf = (events: readonly UpstreamEvent[]): string[] =>
  events.flatMap(event => (event.kind === 'caught-up' ? [event.rung] : []))
