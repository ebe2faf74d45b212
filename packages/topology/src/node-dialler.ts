/*
 * Keeps links to the nodes that a role wants, wherever they are.
 *
 * A node that is not reached is dialled again after waits that grow, and after some failures in a row only now
 * and then (see circuit-breaker.ts); each time that it is not reached is told, so that what would be had from
 * it is had elsewhere meanwhile. A link that nobody wants any more is kept for a while: who moves away may
 * come back, and what is under way arrives.
 *
 * A node that fails again and again although it is alive is one that this node is cut off from. That is told, so that
 * others are asked for what is there; and it is dialled on, by its breaker, also while nobody wants it, until it is
 * reached: else nobody would find out that it can be.
 *
 * Whoever drives it dials for it, and shows it what happens on links before the role sees it.
 */
import {
  after,
  Backoff,
  earliest,
  type Instant,
  type Machine,
  milliseconds,
  type Prng,
} from '@fanfold/kernel'
import type { LinkEffect, LinkId, LinkInput, PeerIdentity } from '@fanfold/protocol'
import { type BreakerOptions, type BreakerState, CircuitBreaker } from './circuit-breaker.ts'
import { memberLimits } from './member.ts'

/** First wait after a node was lost or not reached, ms. */
const retryBaseMs = 100
/** Longest wait, ms; a breaker's are longer. */
const retryMaxMs = 5_000

/** What happens to nodes that are dialled. */
export type NodeDiallerInput =
  | LinkInput
  /** From now on these nodes are wanted, and no others. */
  | { readonly kind: 'want-nodes'; readonly nodes: readonly string[] }
  /** The answer to `dial-node`: the link that will open or close; undefined when it cannot be dialled. */
  | { readonly kind: 'node-dialled'; readonly node: string; readonly link: LinkId | undefined }
  /** Nodes may be found at other addresses than before. */
  | { readonly kind: 'addresses-changed' }

/** What is done about them. */
export type NodeDiallerEffect =
  | Extract<LinkEffect, { kind: 'link-close' }>
  /** Opens a link, and says which by `node-dialled`. */
  | { readonly kind: 'dial-node'; readonly node: string; readonly address: string }
  /** Nobody was reached at the node, or nobody knows where it is. */
  | { readonly kind: 'node-unreachable'; readonly node: string }
  /** These nodes are alive and cannot be reached from here, and no others: in order, at most `cutOffMax`. */
  | { readonly kind: 'cut-off-changed'; readonly nodes: readonly string[] }
  /** For logs: the link to a node is open, was lost, or did not come up. */
  | {
      readonly kind: 'node-noted'
      readonly event: 'node-connected' | 'node-lost' | 'node-not-reached'
      readonly node: string
      readonly reason: string
    }

/** Breakers of links: what is had from a node is had elsewhere meanwhile, so they open soon and not for long. */
export const linkBreakerOptions: BreakerOptions = {
  failuresMax: 3,
  cooldownMs: 1_000,
  cooldownMaxMs: 10_000,
  stableMs: 10_000,
  probeMaxMs: 5_000,
}

/** Where a node is, and which of its lives that is. */
export type NodeWhereabouts = { readonly address: string; readonly incarnation: string }

/** How nodes are dialled. */
export type NodeDiallerOptions = {
  /** Where a node is dialled; undefined for one of which nobody knows. */
  readonly whereIs: (node: string) => NodeWhereabouts | undefined
  /** Whether who has answered is the node that was dialled, and what others were told of it. */
  readonly isIt: (node: string, peer: PeerIdentity) => boolean
  readonly breaker: BreakerOptions
  /** How long a link is kept that nobody wants, ms. */
  readonly lingerMs: number
  readonly prng: Prng
}

/** A link that nobody wants is kept for so long when nothing else is said, ms. */
export const nodeLingerMsDefault = 5_000

type Dialled = {
  readonly node: string
  breaker: CircuitBreaker
  backoff: Backoff
  /** The life of the node that was dialled last. */
  incarnation: string | undefined
  state: 'waiting' | 'dialling' | 'open'
  link: LinkId | undefined
  /** When it is dialled, while it waits; undefined when nobody knows where. */
  dialAt: Instant | undefined
  /** When it is left; undefined while it is wanted, or tried for its own sake. */
  leaveAt: Instant | undefined
  /** Nobody wants it: it is dialled to find out whether it can be reached again. */
  isTried: boolean
}

/** Keeps links to nodes by their ids. */
export class NodeDialler implements Machine<NodeDiallerInput, NodeDiallerEffect> {
  readonly #options: NodeDiallerOptions
  readonly #nodes = new Map<string, Dialled>()
  /** Links to who is not the node that was dialled, until they are closed. */
  readonly #strangers = new Set<LinkId>()
  /** Nodes that were told to be out of reach. */
  #cutOff: readonly string[] = []

  constructor(options: NodeDiallerOptions) {
    this.#options = options
  }

  /** True for a link to who is not the node that was dialled: the role never hears of it. */
  isStranger(link: LinkId): boolean {
    return this.#strangers.has(link)
  }

  /** Nodes that are wanted, or were a short while ago. */
  get nodes(): readonly {
    readonly node: string
    readonly isOpen: boolean
    readonly breaker: BreakerState
  }[] {
    return [...this.#nodes.values()].map(({ node, state, breaker }) => ({
      node,
      isOpen: state === 'open',
      breaker: breaker.state,
    }))
  }

  receive(input: NodeDiallerInput, now: Instant, effects: NodeDiallerEffect[]): void {
    switch (input.kind) {
      case 'want-nodes':
        this.#want(new Set(input.nodes), now, effects)
        break
      case 'node-dialled':
        this.#dialled(input.node, input.link, now, effects)
        break
      case 'addresses-changed':
        for (const dialled of this.#nodes.values()) this.#lookFor(dialled, now)
        this.#dialDue(now, effects)
        break
      case 'link-opened':
        this.#opened(input.link, input.peer, now, effects)
        break
      case 'link-closed':
        this.#strangers.delete(input.link)
        this.#closed(input.link, input.reason, now, effects)
    }
    this.#tellCutOff(effects)
  }

  wakeAt(): Instant | undefined {
    let at: Instant | undefined
    for (const { dialAt, leaveAt } of this.#nodes.values()) {
      at = earliest(at, earliest(dialAt, leaveAt))
    }
    return at
  }

  tick(now: Instant, effects: NodeDiallerEffect[]): void {
    this.#dialDue(now, effects)
    this.#tellCutOff(effects)
  }

  #dialDue(now: Instant, effects: NodeDiallerEffect[]): void {
    for (const dialled of this.#nodes.values()) {
      if (dialled.leaveAt !== undefined && dialled.leaveAt <= now) this.#leave(dialled, effects)
      else if (dialled.dialAt !== undefined && dialled.dialAt <= now) {
        this.#dial(dialled, now, effects)
      }
    }
  }

  #want(nodes: ReadonlySet<string>, now: Instant, effects: NodeDiallerEffect[]): void {
    for (const dialled of this.#nodes.values()) {
      if (nodes.has(dialled.node)) {
        dialled.leaveAt = undefined
        dialled.isTried = false
      } else if (this.#isCutOff(dialled)) dialled.isTried = true
      else if (dialled.state === 'waiting') this.#nodes.delete(dialled.node)
      else dialled.leaveAt ??= after(now, milliseconds(this.#options.lingerMs))
    }
    for (const node of nodes)
      if (!this.#nodes.has(node)) this.#nodes.set(node, this.#make(node, now))
    this.#dialDue(now, effects)
  }

  /** True for a node that is alive and could not be reached lately. */
  #isCutOff({ node, state, breaker }: Dialled): boolean {
    // One that answered later than its breaker waits has answered.
    if (state === 'open' || breaker.isClosed) return false
    return this.#options.whereIs(node) !== undefined
  }

  #tellCutOff(effects: NodeDiallerEffect[]): void {
    const found = [...this.#nodes.values()].filter(dialled => this.#isCutOff(dialled))
    const { value: cutOffMax } = memberLimits.cutOffMax
    const nodes = found
      .map(({ node }) => node)
      .toSorted()
      .slice(0, cutOffMax)
    const { length } = this.#cutOff
    if (nodes.length === length && nodes.every((node, at) => node === this.#cutOff[at])) return
    this.#cutOff = nodes
    effects.push({ kind: 'cut-off-changed', nodes })
  }

  /** What is known of a life that is over says nothing of the next one. */
  #lookFor(dialled: Dialled, now: Instant): void {
    if (dialled.state !== 'waiting') return
    const there = this.#options.whereIs(dialled.node)
    if (there !== undefined && there.incarnation !== dialled.incarnation) {
      Object.assign(dialled, this.#unknown())
      dialled.dialAt = now
    }
    dialled.dialAt ??= now
  }

  #unknown(): Pick<Dialled, 'breaker' | 'backoff'> {
    const { breaker, prng } = this.#options
    const waits = { base: milliseconds(retryBaseMs), max: milliseconds(retryMaxMs) }
    return { breaker: new CircuitBreaker(breaker, prng), backoff: new Backoff(waits, prng) }
  }

  #make(node: string, now: Instant): Dialled {
    return {
      node,
      ...this.#unknown(),
      incarnation: undefined,
      state: 'waiting',
      link: undefined,
      dialAt: now,
      leaveAt: undefined,
      isTried: false,
    }
  }

  #dial(dialled: Dialled, now: Instant, effects: NodeDiallerEffect[]): void {
    const { node, breaker } = dialled
    const there = this.#options.whereIs(node)
    dialled.dialAt = undefined
    if (there === undefined) {
      if (dialled.isTried) this.#nodes.delete(node)
      else effects.push({ kind: 'node-unreachable', node })
    } else if (breaker.isClosed || breaker.mayProbe(now)) {
      dialled.state = 'dialling'
      dialled.incarnation = there.incarnation
      effects.push({ kind: 'dial-node', node, address: there.address })
    } else {
      dialled.dialAt = breaker.wakeAt()
    }
  }

  #dialled(
    node: string,
    link: LinkId | undefined,
    now: Instant,
    effects: NodeDiallerEffect[],
  ): void {
    const dialled = this.#nodes.get(node)
    if (dialled?.state !== 'dialling') {
      // It was left before its link had a name.
      if (link !== undefined) this.#close(link, effects)
      return
    }
    dialled.link = link
    if (link === undefined) this.#failed(dialled, 'it cannot be dialled', now, effects)
  }

  #opened(link: LinkId, peer: PeerIdentity, now: Instant, effects: NodeDiallerEffect[]): void {
    const dialled = this.#at(link)
    if (dialled === undefined) return
    if (!this.#options.isIt(dialled.node, peer)) {
      const message = `${peer.node} is not ${dialled.node}, or not what that is said to be`
      effects.push({ kind: 'link-close', link, code: 'FANFOLD_MOVED', message })
      this.#strangers.add(link)
      this.#failed(dialled, message, now, effects)
      return
    }
    dialled.state = 'open'
    if (dialled.isTried) dialled.leaveAt = after(now, milliseconds(this.#options.lingerMs))
    dialled.isTried = false
    dialled.backoff.reset()
    if (dialled.breaker.isClosed) dialled.breaker.succeeded(now)
    else dialled.breaker.probed(true, now)
    effects.push({ kind: 'node-noted', event: 'node-connected', node: peer.node, reason: '' })
  }

  #closed(link: LinkId, reason: string, now: Instant, effects: NodeDiallerEffect[]): void {
    const dialled = this.#at(link)
    if (dialled !== undefined) this.#failed(dialled, reason, now, effects)
  }

  /** The link is lost, or did not come up: it is dialled again after a while. */
  #failed(dialled: Dialled, reason: string, now: Instant, effects: NodeDiallerEffect[]): void {
    const { node, breaker, backoff, state } = dialled
    const event = state === 'open' ? 'node-lost' : 'node-not-reached'
    effects.push({ kind: 'node-noted', event, node, reason })
    dialled.state = 'waiting'
    dialled.link = undefined
    if (dialled.leaveAt !== undefined) {
      this.#nodes.delete(node)
      return
    }
    if (breaker.isClosed) breaker.failed(now)
    else breaker.probed(false, now)
    dialled.dialAt = breaker.isClosed ? after(now, backoff.next()) : breaker.wakeAt()
    // Who had a link sees for itself that it is gone.
    if (state !== 'open' && !dialled.isTried) effects.push({ kind: 'node-unreachable', node })
  }

  #leave({ node, link }: Dialled, effects: NodeDiallerEffect[]): void {
    this.#nodes.delete(node)
    if (link !== undefined) this.#close(link, effects)
  }

  #close(link: LinkId, effects: NodeDiallerEffect[]): void {
    const message = 'nothing is had from this node any more'
    effects.push({ kind: 'link-close', link, code: 'FANFOLD_MOVED', message })
  }

  #at(link: LinkId): Dialled | undefined {
    return [...this.#nodes.values()].find(dialled => dialled.link === link)
  }
}
