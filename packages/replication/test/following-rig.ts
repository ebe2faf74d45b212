import { sha256 } from '@fanfold/conformance'
import type { ReplicaWorkerInput, WarmDocument } from '@fanfold/document'
import { type Instant, Prng } from '@fanfold/kernel'
import {
  type DocumentKey,
  decodeLinkFrame,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type LinkInput,
  type LogRecord,
  type Position,
} from '@fanfold/protocol'
import type { ReplayFrame, ReplayWish } from '../src/asked-replays.ts'
import { Following } from '../src/following.ts'
import type { FollowingEvent } from '../src/following-event.ts'
import type { FollowingEffect, RouteInput } from '../src/parent-effect.ts'
import { defaultUpstreamLimits, type UpstreamLimits } from '../src/upstream-limits.ts'
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

/** What of a node that follows documents is not as it mostly is. */
export type FollowingOptions = {
  readonly pendingBytesMax?: number
  readonly largeStateBytes?: number
  readonly upstream?: Partial<UpstreamLimits>
} & Partial<
  Pick<
    ConstructorParameters<typeof Following>[0],
    'isStateNeeded' | 'isSnapshotDisabled' | 'codec' | 'assemblyLimits' | 'routes'
  >
>

/** Everything that a node follows, with what it tells. */
export class Rig {
  readonly variants: { hash: string; isHere: boolean }[] = []
  readonly told: { doc: DocumentKey; event: FollowingEvent }[] = []
  readonly following: Following
  nowMs = 0
  onTold: ((doc: DocumentKey, event: FollowingEvent) => void) | undefined
  readonly relayed: ReplayFrame[] = []
  readonly #effects: FollowingEffect[] = []
  /** Parents that were told that a document is left: they say so before they say anything else. */
  readonly #leaving: { readonly link: LinkId; readonly doc: DocumentKey }[] = []
  readonly #sink = {
    push: (effect: FollowingEffect): void => {
      const frame = effect.kind === 'link-send' ? decodeLinkFrame(effect.frame) : undefined
      if (effect.kind === 'link-send' && frame?.kind === 'leave') {
        this.#leaving.push({ link: effect.link, doc: frame.doc })
      }
      this.#effects.push(effect)
    },
  }

  constructor(options: FollowingOptions = {}) {
    const { pendingBytesMax = 1_000_000, upstream, largeStateBytes, ...others } = options
    this.following = new Following({
      sha256,
      prng: new Prng('following'),
      limits: {
        ring: ringLimits(),
        upstream: { ...defaultUpstreamLimits, ...upstream },
        pendingBytesMax,
        largeStateBytes,
      },
      lingerMs: 1_000,
      tell: (doc, event) => {
        this.told.push({ doc, event })
        this.onTold?.(doc, event)
      },
      tellVariant: (hash, variant) => this.variants.push({ hash, isHere: variant !== undefined }),
      relay: frame => this.relayed.push(frame),
      ...others,
    })
  }

  follow(key = doc, warm?: WarmDocument): void {
    const check = warm && this.following.check(key, warm)
    check?.step(Number.POSITIVE_INFINITY, at(this.nowMs))
    this.following.follow(key, at(this.nowMs), this.#sink, check?.verified)
  }

  unfollow(key = doc): void {
    this.following.unfollow(key, this.#sink)
  }

  open(link = first, node = peer.node): void {
    this.#receive({ kind: 'link-opened', link, peer: { ...peer, node }, dialled: true })
  }

  /** Routes are otherwise from now on. */
  reroute(): void {
    this.#receive({ kind: 'routes-changed' })
  }

  unreachable(node: string): void {
    this.#receive({ kind: 'node-unreachable', node })
  }

  close(link = first): void {
    this.#receive({ kind: 'link-closed', link, reason: 'gone' })
  }

  restart(): void {
    this.following.restart(doc, at(this.nowMs), this.#sink)
  }

  take(frames: readonly LinkFrame[], from = first): void {
    for (const frame of frames) this.bytes(encodeLinkFrame(frame), from)
  }

  /** What was on its way before the parent heard that a document is left. */
  takeLate(frames: readonly LinkFrame[], from = first): void {
    for (const frame of frames) {
      this.#receive({ kind: 'link-frame', link: from, frame: encodeLinkFrame(frame) })
    }
  }

  bytes(bytes: Uint8Array, from = first): void {
    for (const { link, doc } of this.#leaving.splice(0)) {
      const left = encodeLinkFrame({ kind: 'left', doc })
      this.#receive({ kind: 'link-frame', link, frame: left })
    }
    this.#receive({ kind: 'link-frame', link: from, frame: bytes })
  }

  presence(count: number): void {
    this.following.presence(doc, count, at(this.nowMs), this.#sink)
  }

  lag(ms: number): void {
    this.following.lag(doc, ms, at(this.nowMs), this.#sink)
  }

  answer(input: ReplicaWorkerInput): void {
    this.following.receiveWorker(input, at(this.nowMs), this.#sink)
  }

  /** Asks for a replay for a child; its number, undefined without a parent. */
  askReplay(wish: Partial<ReplayWish> = {}): number | undefined {
    const whole = { doc, have: undefined, credit: 1_000, ...wish }
    const link = this.following.parents.linkToAsk(whole.doc, at(this.nowMs), this.#sink)
    return link && this.following.replays.ask(link, { kind: 'relay' }, whole, this.#sink)
  }

  /** The link that the document is asked of. */
  linkFor(key = doc): LinkId | undefined {
    return this.following.parents.linkToAsk(key, at(this.nowMs), this.#sink)
  }

  creditReplay(replay: number, bytes: number): void {
    this.following.replays.credit(replay, bytes, this.#sink)
  }

  leaveReplay(replay: number): void {
    this.following.replays.leave(replay, this.#sink)
  }

  /** How many parents the driver was told to connect to, each time that it was, since the last time. */
  wanted(): number[] {
    const effects = this.effects()
    this.#effects.push(...effects.filter(({ kind }) => kind !== 'want-parents'))
    return effects.flatMap(effect => (effect.kind === 'want-parents' ? [effect.count] : []))
  }

  /** Which nodes the driver was told to connect to last, since the last time; undefined when it was not. */
  wantedNodes(): readonly string[] | undefined {
    const effects = this.effects()
    this.#effects.push(...effects.filter(({ kind }) => kind !== 'want-nodes'))
    return effects.flatMap(effect => (effect.kind === 'want-nodes' ? [effect.nodes] : [])).at(-1)
  }

  pass(ms: number): void {
    this.nowMs += ms
    this.following.tick(at(this.nowMs), this.#sink)
  }

  #receive(input: LinkInput | RouteInput): void {
    this.following.receive(input, at(this.nowMs), this.#sink)
  }

  effects(): FollowingEffect[] {
    return this.#effects.splice(0)
  }

  sent(to = first): LinkFrame[] {
    return framesOf(linkEffects(this.effects()), to)
  }

  /** Kinds of what was told since the last time, but for having caught up. */
  events(): string[] {
    const kinds = this.told.splice(0).map(({ event }) => event.kind)
    return kinds.filter(kind => kind !== 'caught-up')
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

/** Those of the effects that are on links. */
export const linkEffects = (effects: readonly FollowingEffect[]): LinkEffect[] =>
  effects.filter(
    (effect): effect is LinkEffect =>
      effect.kind === 'link-send' || effect.kind === 'link-signal' || effect.kind === 'link-close',
  )

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

export const snapshotFrames = (position: Position, channel = 7, bytes = 0): LinkFrame[] => {
  const { manifest, pieces } = snapshotAt(position, bytes)
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
export const live = (options?: FollowingOptions): Rig => {
  const rig = new Rig(options)
  rig.open()
  rig.follow()
  rig.take([welcome('snapshot'), ...snapshotFrames(head)])
  rig.effects()
  rig.events()
  return rig
}
