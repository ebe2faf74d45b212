/*
 * Links between the nodes of a world: the link port on virtual time.
 *
 * A link is two pipes. Its delays and its speed are drawn once, when it is dialled; what a frame adds
 * to them is drawn as it is sent. Reports are events of their own: no machine hears of a link from
 * inside its own turn.
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

/** Who may look at what a network does. */
export type NetworkWatch = {
  /** A frame arrives, before the machine has it. */
  frameArrives(frame: Uint8Array, from: PeerIdentity, to: PeerIdentity): void
  /** It arrives like this, which is not how it was sent. */
  frameIsDamaged(frame: Uint8Array): void
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

  constructor(id: LinkId, peer: LinkPeer, pipe: Pipe<Item>) {
    this.id = id
    this.peer = peer
    this.pipe = pipe
  }
}

/** All links of a world. */
export class Network {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #options: NetworkOptions
  readonly #watch: NetworkWatch
  readonly #faults: LinkFaults | undefined
  readonly #ends = new Map<LinkId, LinkEnd>()
  #nextLink = 1
  #congestions = 0

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly options: NetworkOptions
    readonly watch: NetworkWatch
    readonly faults?: LinkFaults | undefined
  }) {
    this.#faults = options.faults
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
    const own: LinkEnd = this.#end(dialler, profile, () => other)
    const other: LinkEnd = this.#end(listener, profile, () => own)
    own.isDialler = true
    const hop = profile.delayMin
    if (!listener.isUp) {
      this.#clock.in((2 * hop) as Duration, () => this.#fail(own, 'refused: nobody listens'))
      return own.id
    }
    this.#clock.in((2 * hop) as Duration, () => this.#open(other, own, false))
    this.#clock.in((3 * hop) as Duration, () => this.#open(own, other, true))
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
    for (const end of [...this.#ends.values()]) {
      if (end.peer !== peer) continue
      end.isOpen = false
      end.isOver = true
      end.isDropped = true
      end.pipe.send({ kind: 'close', reason: 'closed: the process is gone' }, 0)
      this.#ends.delete(end.id)
    }
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

  #end(peer: LinkPeer, profile: PipeProfile, other: () => LinkEnd): LinkEnd {
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
    end.pipe.send({ kind: 'frame', frame }, frame.length)
    if (end.isCongested || end.pipe.unsentBytes <= bufferedBytesMax) return
    end.isCongested = true
    this.#congestions++
    this.#clock.in(0 as Duration, () => {
      if (end.isOpen) end.peer.receive({ kind: 'link-congested', link: end.id })
    })
  }

  #sent(end: LinkEnd): void {
    if (!end.isOpen || !end.isCongested) return
    if (end.pipe.unsentBytes * 2 >= this.#options.bufferedBytesMax) return
    end.isCongested = false
    for (const frame of end.signals.takeAll()) this.#send(end, frame)
    end.peer.receive({ kind: 'link-drained', link: end.id })
  }

  #arrived(item: Item, from: LinkEnd, to: LinkEnd): void {
    if (item.kind === 'close') {
      this.#fail(to, item.reason)
      return
    }
    // Nothing arrives at an end that is closed, nor sooner than the link is open there.
    if (!to.isOpen) return
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
    end.isOpen = false
    end.isOver = true
    end.pipe.close()
    this.#ends.delete(end.id)
    // Whoever listens has not heard of a link that did not open.
    if (!end.isDialler && !end.wasOpen) return
    end.peer.receive({ kind: 'link-closed', link: end.id, reason })
  }

  /** This end closes now; the other hears of it behind the frames that are under way. */
  #close(end: LinkEnd, reason: string): void {
    if (!end.isOpen) return
    this.#watch.linkCloses(reason, end.peer.identity)
    end.isOpen = false
    end.isOver = true
    end.pipe.send({ kind: 'close', reason }, 0)
    this.#ends.delete(end.id)
    this.#clock.in(0 as Duration, () => {
      if (end.isDropped) return
      end.peer.receive({ kind: 'link-closed', link: end.id, reason })
    })
  }
}
