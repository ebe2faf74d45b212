/*
 * Links between the nodes of a world: the link port on virtual time.
 *
 * A link is two pipes. Its delays and its speed are drawn once, when it is dialled; what a frame adds
 * to them is drawn as it is sent. Reports are events of their own: no machine hears of a link from
 * inside its own turn.
 *
 * What goes wrong on the way is for others (see ways.ts); what both ends make of it is here: a link that
 * says nothing is closed, a dial that gets no answer is given up.
 */
import { type Duration, milliseconds, type Prng } from '@fanfold/kernel'
import {
  type LinkEffect,
  type LinkId,
  type LinkInput,
  limits,
  type PeerIdentity,
} from '@fanfold/protocol'
import type { LinkFaults } from './link-faults.ts'
import { Pipe, type PipeProfile } from './pipe.ts'
import { SignalLane } from './signal-lane.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { type Connection, type Silence, Ways } from './ways.ts'

/** One who has links. */
export type LinkPeer = {
  readonly identity: PeerIdentity
  /** Whether it listens; one that is down refuses. */
  readonly isUp: boolean
  /** Takes what happens, each time in an event of its own. */
  receive(input: LinkInput): void
}

/** What a network is like. */
export type NetworkOptions = {
  /** The delay of a link is at least this, and drawn up to `delayMinHighMs`. */
  readonly delayMinLowMs: number
  readonly delayMinHighMs: number
  /** Mean of what each frame's delay has beyond that. */
  readonly delayMeanMs: number
  readonly bytesPerSecondLow: number
  readonly bytesPerSecondHigh: number
  /** Unsent bytes past which a link is congested. */
  readonly bufferedBytesMax: number
  /** Unsent bytes past which a link that is sent more is closed. */
  readonly bufferedBytesCap: number
}

/** How long an end of a link waits for bytes before it closes, as the nodes of a cluster have it. */
export const linkSilence: Silence = { max: milliseconds(1_000), ping: milliseconds(250) }
/** How long a dial may take. */
const dialMax: Duration = milliseconds(5_000)

/** Who may look at what a network does. */
export type NetworkWatch = {
  /** A frame goes out, and may arrive. */
  frameGoes?(frame: Uint8Array, from: PeerIdentity, to: PeerIdentity): void
  /** A frame arrives, before the machine has it. */
  frameArrives(frame: Uint8Array, from: PeerIdentity, to: PeerIdentity): void
  /** It arrives like this, which is not how it was sent. */
  frameIsDamaged(frame: Uint8Array): void
  /** A frame arrives on a link whose other end has closed it and has another one by now. */
  frameIsLeftover(): void
  /** A link is closed by its end at `at`. */
  linkCloses(reason: string, at: PeerIdentity): void
}

/** Signals that wait for one link at most. */
const signalsMax = 64

type Item =
  | { readonly kind: 'frame'; readonly frame: Uint8Array }
  | { readonly kind: 'close'; readonly reason: string }

/** One end of a link: what it sends, it sends to `other`. */
class LinkEnd {
  readonly id: LinkId
  readonly peer: LinkPeer
  readonly pipe: Pipe<Item>
  readonly signals = new SignalLane(signalsMax)
  isOpen = false
  wasOpen = false
  isDialler = false
  /** It was closed, here or there, or never opens. */
  isOver = false
  /** Its node is gone. */
  isDropped = false
  isCongested = false
  /** Whether its node was told so, and not yet that it has drained. */
  isToldCongested = false
  /** Undefined where nobody has answered. */
  connection: Connection | undefined
  other: LinkEnd | undefined

  constructor(id: LinkId, peer: LinkPeer, pipe: Pipe<Item>) {
    this.id = id
    this.peer = peer
    this.pipe = pipe
  }

  get name(): string {
    return this.peer.identity.node
  }
}

/** All links of a world. */
export class Network {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #options: NetworkOptions
  readonly #watch: NetworkWatch
  readonly #faults: LinkFaults | undefined
  readonly #ways: Ways
  readonly #ends = new Map<LinkId, LinkEnd>()
  #nextLink = 1
  #congestions = 0

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly options: NetworkOptions
    readonly watch: NetworkWatch
    readonly faults?: LinkFaults | undefined
    /** What is amiss on the way; nothing by default. */
    readonly ways?: Ways | undefined
  }) {
    this.#faults = options.faults
    this.#ways = options.ways ?? new Ways(options)
    this.#clock = options.clock
    this.#prng = options.prng
    this.#options = options.options
    this.#watch = options.watch
  }

  /** How often a link became congested. */
  get congestions(): number {
    return this.#congestions
  }

  /**
   * Dials: both sides are told that the link is open, the listener half a round trip sooner.
   *
   * @returns the dialler's name for the link
   */
  connect(dialler: LinkPeer, listener: LinkPeer): LinkId {
    const profile = this.#drawProfile()
    const own: LinkEnd = this.#makeEnd(dialler, profile, () => other)
    const other: LinkEnd = this.#makeEnd(listener, profile, () => own)
    own.isDialler = true
    const hop = profile.delayMin
    const answer = this.#ways.answerOf(other.name)
    if (answer === 'none') {
      this.#giveUpLater(own)
      return own.id
    }
    const refuse = (): void => this.#fail(own, 'refused: nobody listens')
    if (!listener.isUp || answer === 'refuse') {
      this.#pass((2 * hop) as Duration, own, other, refuse)
      return own.id
    }
    this.#connect(own, other)
    this.#pass((2 * hop) as Duration, own, other, () => this.#open(other, own, false))
    this.#pass((3 * hop) as Duration, own, other, () => this.#open(own, other, true))
    return own.id
  }

  /** Signals to all that have dialled a node. */
  signalBelow(peer: LinkPeer, key: string, frame: Uint8Array): void {
    for (const end of [...this.#ends.values()]) {
      if (end.peer !== peer || end.isDialler || !end.isOpen) continue
      this.perform({ kind: 'link-signal', link: end.id, key, frame })
    }
  }

  /** All links of a node are over at this moment: it hears nothing more, and the others soon. */
  drop(peer: LinkPeer): void {
    this.resume(peer)
    for (const end of [...this.#ends.values()]) {
      if (end.peer !== peer) continue
      end.isDropped = true
      end.pipe.send({ kind: 'close', reason: 'closed: the process is gone' }, 0)
      this.#forget(end)
    }
  }

  /** The process of a node does nothing: the others hear nothing of it, and who dials it waits. */
  pause(peer: LinkPeer): void {
    this.#ways.pause(peer.identity.node)
  }

  /** It goes on. */
  resume(peer: LinkPeer): void {
    this.#ways.resume(peer.identity.node)
  }

  /** From now on no link moves anything, until `unstall`. */
  stall(): void {
    for (const end of this.#ends.values()) end.pipe.stall()
  }

  /** Ends `stall`. */
  unstall(): void {
    for (const end of this.#ends.values()) end.pipe.unstall()
  }

  /** Does what a machine wants done. A link that is closed loses what is sent. */
  perform(effect: LinkEffect): void {
    const end = this.#ends.get(effect.link)
    if (end === undefined) return
    if (effect.kind === 'link-close') this.#close(end, `${effect.code}: ${effect.message}`)
    else if (effect.kind === 'link-send') this.#send(end, effect.frame)
    else if (end.isCongested) end.signals.put(effect.key, effect.frame)
    else this.#send(end, effect.frame)
  }

  #drawProfile(): PipeProfile {
    const { delayMinLowMs, delayMinHighMs, delayMeanMs } = this.#options
    const { bytesPerSecondLow, bytesPerSecondHigh } = this.#options
    const draw = (low: number, high: number): number => low + (high - low) * this.#prng.fraction()
    return {
      delayMin: milliseconds(draw(delayMinLowMs, delayMinHighMs)),
      delayMean: milliseconds(delayMeanMs),
      bytesPerSecond: draw(bytesPerSecondLow, bytesPerSecondHigh),
    }
  }

  #makeEnd(peer: LinkPeer, profile: PipeProfile, other: () => LinkEnd): LinkEnd {
    const id = this.#nextLink++ as LinkId
    const pipe = new Pipe<Item>({
      clock: this.#clock,
      prng: this.#prng.fork(`link ${id}`),
      profile,
      onSent: () => this.#sent(end),
      onArrival: item => this.#arrived(item, end, other()),
    })
    const end = new LinkEnd(id, peer, pipe)
    this.#ends.set(id, end)
    return end
  }

  #connect(own: LinkEnd, other: LinkEnd): void {
    const way = (from: LinkEnd, to: LinkEnd) => ({
      from: from.name,
      to: to.name,
      pipe: from.pipe,
      silence: linkSilence,
      lose: (reason: string) => {
        // A dial that hears nothing waits for its own time, unless it is told.
        if (to.isOpen || !reason.startsWith('silent')) this.#lose(to, reason)
      },
    })
    const connection = this.#ways.open(way(own, other), way(other, own))
    own.connection = connection
    other.connection = connection
    own.other = other
    other.other = own
  }

  /** Runs it after a delay, and not before bytes pass between the two. */
  #pass(delay: Duration, own: LinkEnd, other: LinkEnd, run: () => void): void {
    this.#clock.in(delay, () => {
      if (this.#ways.isFree(own.name, other.name)) {
        run()
        return
      }
      this.#giveUpLater(own)
      this.#ways.whenFree(own.name, other.name, () => {
        if (!own.isOver) run()
      })
    })
  }

  /** A dial that hangs ends some time. */
  #giveUpLater(own: LinkEnd): void {
    this.#clock.in(dialMax, () => {
      if (!own.isOpen) this.#lose(own, 'no-answer: no handshake in time')
    })
  }

  #send(end: LinkEnd, frame: Uint8Array): void {
    const { bufferedBytesMax, bufferedBytesCap } = this.#options
    if (frame.length > limits.linkFrameBytesMax.value) {
      this.#close(end, `frame-too-large: ${frame.length} bytes`)
      return
    }
    if (end.pipe.unsentBytes > bufferedBytesCap) {
      this.#close(end, `overloaded: ${end.pipe.unsentBytes} bytes unsent`)
      return
    }
    const { other } = end
    if (other !== undefined) this.#watch.frameGoes?.(frame, end.peer.identity, other.peer.identity)
    end.pipe.send({ kind: 'frame', frame }, frame.length)
    if (end.isCongested || end.pipe.unsentBytes <= bufferedBytesMax) return
    end.isCongested = true
    this.#congestions++
    this.#clock.in(0 as Duration, () => {
      // It may have drained meanwhile: then there was nothing to tell.
      if (!end.isOpen || !end.isCongested || end.isToldCongested) return
      end.isToldCongested = true
      end.peer.receive({ kind: 'link-congested', link: end.id })
    })
  }

  #sent(end: LinkEnd): void {
    if (!end.isOpen || !end.isCongested) return
    if (end.pipe.unsentBytes * 2 >= this.#options.bufferedBytesMax) return
    end.isCongested = false
    for (const frame of end.signals.takeAll()) this.#send(end, frame)
    if (end.isCongested || !end.isToldCongested) return
    end.isToldCongested = false
    end.peer.receive({ kind: 'link-drained', link: end.id })
  }

  #arrived(item: Item, from: LinkEnd, to: LinkEnd): void {
    if (item.kind === 'close') {
      this.#fail(to, item.reason)
      return
    }
    // Nothing arrives at an end that is closed, nor sooner than the link is open there.
    if (!to.isOpen) return
    if (from.isOver && this.#isReplaced(from, to)) this.#watch.frameIsLeftover()
    this.#watch.frameArrives(item.frame, from.peer.identity, to.peer.identity)
    const frame = this.#faults === undefined ? item.frame : this.#faults.apply(item.frame)
    if (frame === undefined) return
    if (frame !== item.frame) this.#watch.frameIsDamaged(frame)
    to.peer.receive({ kind: 'link-frame', link: to.id, frame })
  }

  #open(end: LinkEnd, other: LinkEnd, dialled: boolean): void {
    if (end.isOver) return
    end.isOpen = true
    end.wasOpen = true
    end.peer.receive({ kind: 'link-opened', link: end.id, peer: other.peer.identity, dialled })
  }

  /** The link is over at this end, by word of the other, or because it never came to be. */
  #fail(end: LinkEnd, reason: string): void {
    if (end.isOver) return
    end.pipe.close()
    this.#end(end, reason)
  }

  /** The link is over at this end for want of what should have come; the other hears what it can. */
  #lose(end: LinkEnd, reason: string): void {
    if (end.isOver) return
    end.pipe.send({ kind: 'close', reason }, 0)
    this.#end(end, reason)
  }

  #end(end: LinkEnd, reason: string): void {
    this.#forget(end)
    // Whoever listens has not heard of a link that did not open.
    if (!end.isDialler && !end.wasOpen) return
    end.peer.receive({ kind: 'link-closed', link: end.id, reason })
  }

  #forget(end: LinkEnd): void {
    end.isOpen = false
    end.isOver = true
    this.#ends.delete(end.id)
    if (end.connection !== undefined && end.other?.isOver) this.#ways.close(end.connection)
  }

  /** Whether the two have a newer link than this one. */
  #isReplaced(from: LinkEnd, to: LinkEnd): boolean {
    for (const { id, peer, isOpen, other } of this.#ends.values()) {
      if (isOpen && id > from.id && id > to.id && peer === to.peer && other?.peer === from.peer) {
        return true
      }
    }
    return false
  }

  /** This end closes now; the other hears of it behind the frames that are under way. */
  #close(end: LinkEnd, reason: string): void {
    if (!end.isOpen) return
    this.#watch.linkCloses(reason, end.peer.identity)
    end.pipe.send({ kind: 'close', reason }, 0)
    this.#forget(end)
    this.#clock.in(0 as Duration, () => {
      if (end.isDropped) return
      end.peer.receive({ kind: 'link-closed', link: end.id, reason })
    })
  }
}
