/*
 * One direction of a connection: an ordered stream with a speed, a delay and a send buffer.
 *
 * What is sent waits for what was sent before, takes `bytes / bytesPerSecond` to leave, and arrives a
 * delay later, never before its predecessor: a delay is drawn per item, and a late one holds up those
 * behind it, as a lost segment of TCP does.
 *
 * Each item is two events, that it has left and that it arrives. An event takes whatever is first in
 * line and due, so that those of another plan (see `#replan`) find nothing to do.
 */
import { type Duration, type Instant, instant, type Prng } from '@fanfold/kernel'
import type { VirtualClock } from './virtual-clock.ts'

/** How one direction of a connection behaves. */
export type PipeProfile = {
  /** No item arrives sooner after it left. */
  readonly delayMin: Duration
  /** Mean of what is added to it, exponentially distributed. */
  readonly delayMean: Duration
  readonly bytesPerSecond: number
}

/** What makes a direction worse than its profile says, for a while. */
export type PipeStrain = {
  /** Added to the delay of what is sent from now on. */
  readonly delay: Duration
  /** It is no faster than this. */
  readonly bytesPerSecondMax: number
}

/** Nothing makes it worse. */
export const noStrain: PipeStrain = { delay: 0 as Duration, bytesPerSecondMax: Infinity }

/** An item on its way. */
type Passage<Item> = {
  readonly item: Item
  readonly bytes: number
  /** What its delay has beyond the least. */
  readonly delay: number
  leavesAt: Instant
  arrivesAt: Instant
  /** It leaves, and does not arrive. */
  isLost: boolean
  next: Passage<Item> | undefined
}

/** One direction of a connection. */
export class Pipe<Item> {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #profile: PipeProfile
  readonly #onSent: () => void
  readonly #onArrival: (item: Item) => void
  #strain: PipeStrain = noStrain
  #unsentBytes = 0
  #isClosed = false
  #isStalled = false
  #isSevered = false
  /** What happens when so many bytes more have been sent. */
  #fuse: { bytes: number; readonly run: () => void } | undefined
  /** The first that has not left, the first that has not arrived, and the last of all. */
  #leaving: Passage<Item> | undefined
  #arriving: Passage<Item> | undefined
  #last: Passage<Item> | undefined
  /** When the last item has left. */
  #leftAt: Instant = instant(0)
  /** When the last item arrives. */
  #arrivesAt: Instant = instant(0)

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly profile: PipeProfile
    /** An item has left: `unsentBytes` is less than before. */
    readonly onSent: () => void
    readonly onArrival: (item: Item) => void
  }) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#profile = options.profile
    this.#onSent = options.onSent
    this.#onArrival = options.onArrival
  }

  /** Bytes that have not left yet. */
  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /** Sends an item; once closed, nothing. */
  send(item: Item, bytes: number): void {
    if (this.#isClosed) return
    this.#unsentBytes += bytes
    const passage: Passage<Item> = {
      item,
      bytes,
      delay: this.#strain.delay + this.#drawDelay(),
      leavesAt: this.#leftAt,
      arrivesAt: this.#arrivesAt,
      isLost: this.#isSevered,
      next: undefined,
    }
    if (this.#last !== undefined) this.#last.next = passage
    this.#last = passage
    this.#leaving ??= passage
    this.#arriving ??= passage
    this.#plan(passage, this.#clock.now)
    if (this.#fuse !== undefined) this.#burn(this.#fuse, bytes)
  }

  /** From now on nothing leaves and nothing arrives, and nothing is lost, until `unstall`. */
  stall(): void {
    this.#isStalled = true
  }

  /** Ends `stall`: what was due meanwhile happens now, in order. */
  unstall(): void {
    if (!this.#isStalled) return
    this.#isStalled = false
    this.#clock.in(0 as Duration, () => this.#move())
  }

  /** From now on it is as bad as this; what has not begun to leave is planned anew. */
  strain(strain: PipeStrain): void {
    const isAsFast = strain.bytesPerSecondMax === this.#strain.bytesPerSecondMax
    this.#strain = strain
    if (!isAsFast) this.#replan()
  }

  /**
   * It breaks at a byte: of those under way a share arrives, as items that are whole before it, and
   * nothing that is sent later.
   *
   * @returns when the last of them arrives
   */
  sever(share: number): Instant {
    const { now } = this.#clock
    let underWay = 0
    // What a stall has kept from leaving is under way too.
    for (let one = this.#arriving; one !== undefined && one.leavesAt <= now; one = one.next) {
      if (!one.isLost) underWay += one.bytes
    }
    let left = Math.floor(share * underWay)
    let lastAt = now
    this.#isSevered = true
    let isBeyond = false
    for (let one = this.#arriving; one !== undefined; one = one.next) {
      isBeyond ||= one.leavesAt > now || one.bytes > left
      if (isBeyond) {
        one.isLost = true
        continue
      }
      left -= one.bytes
      lastAt = one.arrivesAt
    }
    return instant(Math.max(now, lastAt))
  }

  /** `run` happens once so many bytes more have been sent, in an event of its own. */
  light(bytes: number, run: () => void): void {
    this.#fuse = { bytes, run }
  }

  /** What has not arrived is lost, and nothing more is sent. */
  close(): void {
    this.#isClosed = true
    this.#leaving = undefined
    this.#arriving = undefined
    this.#last = undefined
  }

  #burn(fuse: { bytes: number; readonly run: () => void }, bytes: number): void {
    fuse.bytes -= bytes
    if (fuse.bytes > 0) return
    this.#fuse = undefined
    this.#clock.in(0 as Duration, fuse.run)
  }

  #plan(passage: Passage<Item>, from: Instant): void {
    const { delayMin, bytesPerSecond } = this.#profile
    const speed = Math.min(bytesPerSecond, this.#strain.bytesPerSecondMax)
    const leavesMicros = Math.ceil((passage.bytes * 1_000_000) / speed)
    passage.leavesAt = instant(Math.max(from, this.#leftAt) + leavesMicros)
    const arrivesAt = passage.leavesAt + delayMin + passage.delay
    passage.arrivesAt = instant(Math.max(this.#arrivesAt, arrivesAt))
    this.#leftAt = passage.leavesAt
    this.#arrivesAt = passage.arrivesAt
    this.#clock.at(passage.leavesAt, this.#leave)
    this.#clock.at(passage.arrivesAt, this.#arrive)
  }

  /** The first that has not left is under way; it and those behind it leave at another speed now. */
  #replan(): void {
    const first = this.#leaving
    if (first === undefined || this.#isClosed) return
    const { now } = this.#clock
    this.#leftAt = now
    this.#arrivesAt = now
    for (let one = this.#arriving; one !== first && one !== undefined; one = one.next) {
      this.#arrivesAt = instant(Math.max(now, one.arrivesAt))
    }
    for (let one: Passage<Item> | undefined = first; one !== undefined; one = one.next) {
      this.#plan(one, now)
    }
  }

  readonly #leave = (): void => {
    const passage = this.#leaving
    if (this.#isStalled || passage === undefined || passage.leavesAt > this.#clock.now) return
    this.#leaving = passage.next
    this.#unsentBytes -= passage.bytes
    this.#onSent()
  }

  readonly #arrive = (): void => {
    const passage = this.#arriving
    if (this.#isStalled || passage === undefined || passage.arrivesAt > this.#clock.now) return
    // Nothing arrives before it has left.
    if (passage === this.#leaving) this.#leave()
    if (this.#isClosed) return
    this.#arriving = passage.next
    if (passage === this.#last) this.#last = undefined
    if (!passage.isLost) this.#onArrival(passage.item)
  }

  /** What was due while nothing moved. */
  #move(): void {
    const { now } = this.#clock
    while (!this.#isStalled) {
      const { leavesAt = Infinity } = this.#leaving ?? {}
      const { arrivesAt = Infinity } = this.#arriving ?? {}
      if (Math.min(leavesAt, arrivesAt) > now) return
      if (leavesAt <= arrivesAt) this.#leave()
      else this.#arrive()
    }
  }

  #drawDelay(): number {
    const { delayMean } = this.#profile
    return Math.round(-delayMean * Math.log(1 - this.#prng.fraction()))
  }
}
