/*
 * A chain of proxies below a parent that holds a whole log, and a follower at its end, on links that
 * remember what went down.
 */
import { aboveLabels, buildLog, labelledText, sha256 } from '@fanfold/conformance'
import { Chain, type LogReadId, Replica } from '@fanfold/document'
import { type Instant, instant, milliseconds, Prng } from '@fanfold/kernel'
import {
  type LinkEffect,
  type LinkId,
  type LinkInput,
  type LogRecord,
  type Position,
  partTags,
  type SignedVariant,
} from '@fanfold/protocol'
import {
  ChildLinks,
  Downstream,
  defaultUpstreamLimits,
  type Follower,
  Following,
  type FollowingEvent,
  RecordRing,
  type ReplayFrame,
  type ReplayOutcome,
  ServedReplays,
} from '@fanfold/replication'
import type { ProxyEffect } from '../src/proxy-effect.ts'
import { ProxyTier } from '../src/proxy-tier.ts'
import { doc, link } from './build-proxy.ts'

const definition = {
  variant: 'ab'.repeat(32),
  viewKey: 'cd'.repeat(16),
  labels: [
    { pattern: '/odds', label: 1 },
    { pattern: '/roles/*', label: 2 },
  ],
}

/** The log: records with labels 1 and 2, the crowd's parts and the authority's. */
export const whole: readonly LogRecord[] = buildLog({
  doc,
  count: 60,
  definition,
  isWhole: true,
}).records

/** Texts above the public part, by the lowest ceiling under which they may be seen. */
export const texts: readonly { readonly tag: number; readonly text: string }[] = [
  { tag: 1, text: labelledText(1, 0).slice(0, -1) },
  { tag: 2, text: labelledText(2, 0).slice(0, -1) },
  { tag: partTags.crowd, text: aboveLabels.crowd },
  { tag: partTags.authority, text: aboveLabels.authority },
]

const ring = { recordsMax: 1_000, bytesMax: 1_000_000, ageMax: milliseconds(60_000) }

/** What takes frames of links and has effects: every node of the chain. */
type Node = {
  receive(input: LinkInput, effects: LinkEffect[]): void
  /** Does what is due now; false when nothing is. */
  turn(effects: LinkEffect[]): boolean
}

/** The parent at the top, which holds every part. */
class Top implements Node {
  readonly #ring = new RecordRing(ring)
  readonly #replica = new Replica(sha256)
  readonly #children: ChildLinks
  readonly #downstream: Downstream
  readonly #reads: { readonly read: LogReadId; readonly after: number }[] = []
  readonly #replays = new ServedReplays({
    chain: new Chain(sha256),
    prng: new Prng('top'),
    logs: {
      read: (_, read, after) => this.#reads.push({ read, after }),
      close: () => undefined,
    },
    note: (_, outcome) => this.replayed.push(outcome),
  })
  /** How each replay ended. */
  readonly replayed: ReplayOutcome[] = []
  variant: SignedVariant | undefined
  #effects: LinkEffect[] = []

  constructor() {
    this.#children = new ChildLinks({
      join: (_, request) => {
        this.#downstream.join(request, this.#replica.position, this.#effects)
        this.#children.hasMore(doc)
      },
      downstream: () => this.#downstream,
      left: () => undefined,
      flush: key => {
        if (this.#downstream.flush(this.#effects)) this.#children.hasMore(key)
      },
      variant: (hash, link) =>
        this.#children.answerVariant(hash, [link], this.variant, this.#effects),
      signal: () => undefined,
      replays: this.#replays,
    })
    this.#downstream = new Downstream({
      doc,
      channel: this.#children.assignChannel(doc),
      ring: this.#ring,
      chain: new Chain(sha256),
      source: this.#replica,
      ceiling: () => partTags.authority,
    })
  }

  get position(): Position {
    return this.#replica.position
  }

  publish(count: number): void {
    const { seq } = this.position
    for (const record of whole.slice(seq, seq + count)) {
      this.#ring.push(record, now)
      this.#replica.append(record)
    }
    this.#children.hasMore(doc)
  }

  receive(input: LinkInput, effects: LinkEffect[]): void {
    this.#effects = effects
    this.#children.receive(input, effects)
  }

  turn(effects: LinkEffect[]): boolean {
    this.#effects = effects
    const reads = this.#reads.splice(0)
    for (const { read, after } of reads) {
      this.#replays.read(read, whole.slice(after, Math.min(after + 7, this.position.seq)))
    }
    if (!this.#children.hasBusy) return reads.length > 0
    this.#children.flushNext(effects)
    return true
  }
}

const now = 0 as Instant

const proxyNode = (proxy: ProxyTier): Node => ({
  receive: (input, effects) => withLinkEffects(effects, all => proxy.receive(input, now, all)),
  turn: effects => {
    const wakeAt = proxy.wakeAt()
    if (wakeAt === undefined || wakeAt > now) return false
    withLinkEffects(effects, all => proxy.tick(now, all))
    return true
  },
})

function withLinkEffects(effects: LinkEffect[], action: (all: ProxyEffect[]) => void): void {
  const all: ProxyEffect[] = []
  action(all)
  for (const effect of all) if ('link' in effect) effects.push(effect)
}

const followingNode = (following: Following): Node => ({
  receive: (input, effects) => following.receive(input, now, effects),
  turn: effects => {
    const wakeAt = following.wakeAt()
    if (wakeAt === undefined || wakeAt > now) return false
    following.tick(now, effects)
    return true
  },
})

/** A link between a node and the next one below it. */
type Hop = {
  /** Of the child's token. */
  ceiling: number
  link: LinkId
  isOpen: boolean
  /** What went down since it was looked at last. */
  down: Uint8Array[]
}

/** Nodes one below the other: the top, proxies, and the follower at the end. */
export class ProxyChain {
  readonly top = new Top()
  readonly proxies: readonly ProxyTier[]
  readonly following: Following
  readonly events: FollowingEvent[] = []
  readonly variants: boolean[] = []
  readonly #replayed: ReplayFrame[] = []
  readonly #hops: Hop[]
  readonly #nodes: Node[]
  readonly #under: { readonly from: number; readonly link: LinkId; readonly frame: Uint8Array }[] =
    []
  #nextLink = 1

  /**
   * @param ceilings of the tokens of the children, from the top down
   * @param options whether all do without snapshots; how many records the rings below the top hold
   */
  constructor(
    ceilings: readonly number[],
    options: { readonly isSnapshotDisabled?: boolean; readonly recordsMax?: number } = {},
  ) {
    const { isSnapshotDisabled = false, recordsMax = ring.recordsMax } = options
    const limits = {
      ring: { ...ring, recordsMax },
      upstream: defaultUpstreamLimits,
      pendingBytesMax: 1_000_000,
    }
    this.following = new Following({
      sha256,
      prng: new Prng('chain'),
      limits,
      lingerMs: 1_000,
      tell: (_, event) => this.events.push(event),
      tellVariant: (_, variant) => this.variants.push(variant !== undefined),
      relay: frame => this.#replayed.push(frame),
      isSnapshotDisabled,
    })
    this.proxies = ceilings.slice(1).map((_, index) => {
      const prng = new Prng(`proxy ${index}`)
      const bounds = { follower: limits, lingerMs: 1_000 }
      return new ProxyTier({ sha256, prng, limits: bounds, isSnapshotDisabled })
    })
    this.#nodes = [this.top, ...this.proxies.map(proxyNode), followingNode(this.following)]
    this.#hops = ceilings.map(ceiling => ({ ceiling, link: link(0), isOpen: false, down: [] }))
    this.top.publish(10)
    for (const hop of this.#hops.keys()) this.open(hop)
    this.#do(this.#nodes.length - 1, effects => this.following.follow(doc, now, effects))
    this.settle()
  }

  /** The follower of the document at the end. */
  get follower(): Follower {
    const follower = this.following.get(doc)
    if (follower === undefined) throw new Error('the document is followed')
    return follower
  }

  /** Texts that went down a hop since the last time. */
  textsDown(hop: number): string[] {
    const all = Buffer.concat(this.#hops[hop]?.down.splice(0) ?? [])
    return texts.filter(({ text }) => all.includes(text)).map(({ text }) => text)
  }

  /** A link opens, its child's token as it is from now on. */
  open(hop: number, ceiling: number = this.#at(hop).ceiling): void {
    const id = link(this.#nextLink++)
    Object.assign(this.#at(hop), { ceiling, link: id, isOpen: true })
    const peer = { node: `n${hop}`, incarnation: '1', region: 'r', roles: [], ceiling }
    for (const [node, dialled] of [
      [hop, false],
      [hop + 1, true],
    ] as const) {
      this.receive(node, { kind: 'link-opened', link: id, peer, dialled })
    }
  }

  close(hop: number): void {
    const { link } = this.#at(hop)
    this.#at(hop).isOpen = false
    for (const node of [hop, hop + 1]) {
      this.receive(node, { kind: 'link-closed', link, reason: 'cut' })
    }
  }

  publish(count: number): void {
    this.top.publish(count)
    this.settle()
  }

  /** All frames of a replay that the node at the end asks for, giving credit as they come. */
  replay(have: Position | undefined, credit: number): ReplayFrame[] {
    const last = this.#nodes.length - 1
    const { replays } = this.following
    let replay = 0
    this.#do(last, effects => {
      const link = this.following.parents.linkToAsk(doc, instant(0), effects)
      if (link === undefined) throw new Error('the node at the end has a parent')
      replay = replays.ask(link, { kind: 'relay' }, { doc, have, credit }, effects)
    })
    const frames: ReplayFrame[] = []
    for (let round = 0; round < 1_000 && frames.at(-1)?.kind !== 'replay-ended'; round++) {
      this.settle()
      let bytes = 0
      for (const frame of this.#replayed.splice(0)) {
        frames.push(frame)
        if (frame.kind === 'replay')
          for (const record of frame.records) bytes += record.bytes.length
      }
      if (bytes > 0) this.#do(last, effects => replays.credit(replay, bytes, effects))
    }
    return frames
  }

  /** An input of one node, by its place from the top. */
  receive(node: number, input: LinkInput): void {
    this.#do(node, effects => this.#nodes[node]?.receive(input, effects))
  }

  /** Everything under way arrives, and what is due now is done. */
  settle(): void {
    for (let round = 0; round < 10_000; round++) {
      const next = this.#under.shift()
      if (next !== undefined) this.#carry(next.from, next.link, next.frame)
      else if (!this.#turn()) return
    }
    throw new Error('the chain comes to rest')
  }

  #turn(): boolean {
    let isBusy = false
    for (const [index, node] of this.#nodes.entries()) {
      this.#do(index, effects => {
        if (node.turn(effects)) isBusy = true
      })
    }
    return isBusy
  }

  #carry(from: number, link: LinkId, frame: Uint8Array): void {
    const hop = this.#hops.findIndex(hop => hop.link === link && hop.isOpen)
    if (hop === -1) return
    const isDown = from === hop
    if (isDown) this.#at(hop).down.push(frame)
    this.receive(isDown ? hop + 1 : hop, { kind: 'link-frame', link, frame })
  }

  #do(node: number, action: (effects: LinkEffect[]) => void): void {
    const effects: LinkEffect[] = []
    action(effects)
    for (const effect of effects) {
      if (effect.kind === 'link-close') continue
      this.#under.push({ from: node, link: effect.link, frame: effect.frame })
    }
  }

  #at(hop: number): Hop {
    const found = this.#hops[hop]
    if (found === undefined) throw new Error(`a hop of the chain, got ${hop}`)
    return found
  }
}
