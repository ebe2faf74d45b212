import { sha256 } from '@fanfold/conformance'
import { type Instant, Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type LinkInput,
  type LogRecord,
  type Position,
} from '@fanfold/protocol'
import { Following, type FollowingEvent } from '../src/following.ts'
import { defaultUpstreamLimits } from '../src/upstream-limits.ts'
import {
  after,
  at,
  doc,
  framesOf,
  link,
  recordsOf,
  ringLimits,
  snapshotAt,
} from './build-stream.ts'

export const log: readonly LogRecord[] = recordsOf(400)
export const head: Position = after(log[9])
export const first: LinkId = link(1)
export const second: LinkId = link(2)
const peer = { node: 'parent', incarnation: '1', region: 'r', roles: [], ceiling: 239 }

/** Everything that a node follows, with what it tells. */
export class Rig {
  readonly variants: { hash: string; isHere: boolean }[] = []
  readonly told: { doc: DocumentKey; event: FollowingEvent }[] = []
  readonly following: Following
  nowMs = 0
  onTold: ((doc: DocumentKey, event: FollowingEvent) => void) | undefined
  readonly #effects: LinkEffect[] = []

  constructor(pendingBytesMax = 1_000_000) {
    this.following = new Following({
      sha256,
      prng: new Prng('following'),
      limits: { ring: ringLimits(), upstream: defaultUpstreamLimits, pendingBytesMax },
      lingerMs: 1_000,
      tell: (doc, event) => {
        this.told.push({ doc, event })
        this.onTold?.(doc, event)
      },
      tellVariant: (hash, variant) => this.variants.push({ hash, isHere: variant !== undefined }),
    })
  }

  follow(key = doc): void {
    this.following.follow(key, at(this.nowMs), this.#effects)
  }

  unfollow(key = doc): void {
    this.following.unfollow(key, this.#effects)
  }

  open(link = first): void {
    this.#receive({ kind: 'link-opened', link, peer, dialled: true })
  }

  close(link = first): void {
    this.#receive({ kind: 'link-closed', link, reason: 'gone' })
  }

  restart(): void {
    this.following.restart(doc, at(this.nowMs), this.#effects)
  }

  take(frames: readonly LinkFrame[], from = first): void {
    for (const frame of frames) this.bytes(encodeLinkFrame(frame), from)
  }

  bytes(bytes: Uint8Array, from = first): void {
    this.#receive({ kind: 'link-frame', link: from, frame: bytes })
  }

  pass(ms: number): void {
    this.nowMs += ms
    this.following.tick(at(this.nowMs), this.#effects)
  }

  #receive(input: LinkInput): void {
    this.following.receive(input, at(this.nowMs), this.#effects)
  }

  effects(): LinkEffect[] {
    return this.#effects.splice(0)
  }

  sent(to = first): LinkFrame[] {
    return framesOf(this.effects(), to)
  }

  events(): string[] {
    return this.told.splice(0).map(({ event }) => event.kind)
  }

  get now(): Instant {
    return at(this.nowMs)
  }

  /** How long the document has been stale, ms. */
  get staleMs(): number | undefined {
    const staleFor = this.following.staleFor(doc, at(this.nowMs))
    return staleFor === undefined ? undefined : staleFor / 1_000
  }
}

export const welcome = (
  mode: 'tail' | 'snapshot',
  channel = 7,
  key = doc,
  ceiling = 239,
): LinkFrame => ({
  kind: 'welcome',
  doc: key,
  channel,
  mode,
  head,
  ceiling,
})

export const snapshotFrames = (position: Position, channel = 7): LinkFrame[] => {
  const { manifest, pieces } = snapshotAt(position)
  return [
    { kind: 'snapshot-begin', channel, manifest },
    ...pieces.map(
      (piece, index): LinkFrame => ({ kind: 'snapshot-piece', channel, index, codec: 0, piece }),
    ),
  ]
}

export const records = (list: readonly LogRecord[], channel = 7): LinkFrame => ({
  kind: 'records',
  channel,
  records: list,
})

export const status = (stale: boolean, ageMs: number): LinkFrame => ({
  kind: 'status',
  channel: 7,
  stale,
  ageMs,
})

/** A rig that follows the document, live at the tenth record. */
export const live = (pendingBytesMax?: number): Rig => {
  const rig = new Rig(pendingBytesMax)
  rig.open()
  rig.follow()
  rig.take([welcome('snapshot'), ...snapshotFrames(head)])
  rig.effects()
  rig.events()
  return rig
}
