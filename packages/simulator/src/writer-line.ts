/*
 * One writer's line to the authority: a connection while there is one, and what is to be sent on the
 * next one when it is lost. What went out on a line that was lost, and was not answered, is uncertain.
 */
import { type Duration, milliseconds, type Prng } from '@fanfold/kernel'
import { Pipe, type PipeProfile } from './pipe.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** How long a writer waits before it dials again, and that once more at most, ms. */
const redialMs = 100
/** Until it notices that its line is lost at most, ms. */
const noticeMaxMs = 60

/** A connection of one writer at a time, and what waits for its answers. */
export class WriterLine<Copy> {
  readonly #clock: VirtualClock
  readonly #profile: PipeProfile
  readonly #prngOf: (way: 'up' | 'down') => Prng
  readonly #losses: Prng
  readonly #isListening: () => boolean
  readonly #enter: (copy: Copy) => void
  readonly #lost: (copies: readonly Copy[]) => void
  /** Sent, or to be sent, and not answered, in order. */
  readonly #underWay = new Set<Copy>()
  #up: Pipe<Copy> | undefined
  #down: Pipe<() => void> | undefined
  #isOpen = true
  #connections = 1

  constructor(options: {
    readonly clock: VirtualClock
    readonly profile: PipeProfile
    readonly prngOf: (way: 'up' | 'down') => Prng
    /** What chance there is in how a line is lost. */
    readonly losses: Prng
    /** Whether there is somebody at the other end. */
    readonly isListening: () => boolean
    /** A copy arrives at the door. */
    readonly enter: (copy: Copy) => void
    /** The line was lost; those that are not to be sent again are to be dropped. */
    readonly lost: (copies: readonly Copy[]) => void
  }) {
    this.#clock = options.clock
    this.#profile = options.profile
    this.#prngOf = options.prngOf
    this.#losses = options.losses
    this.#isListening = options.isListening
    this.#enter = options.enter
    this.#lost = options.lost
    if (this.#isListening()) return
    this.#isOpen = false
    this.#redial()
  }

  /** Sends a copy now, or when there is a line. */
  send(copy: Copy): void {
    this.#underWay.add(copy)
    if (this.#isOpen) this.#transmit(copy)
  }

  /** Answers a copy that came on this connection. */
  answer(copy: Copy, take: () => void): void {
    this.#down ??= this.#pipe('down', act => act())
    this.#down.send(() => {
      this.#underWay.delete(copy)
      take()
    }, 100)
  }

  /** A copy is not sent again. */
  drop(copy: Copy): void {
    this.#underWay.delete(copy)
  }

  /** The other end is gone: answers that are under way may arrive or not. */
  lose(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const connection = this.#connections
    this.#up?.close()
    if (this.#losses.chance(0.5)) this.#down?.close()
    const noticeAfter = milliseconds(1 + this.#losses.below(noticeMaxMs))
    this.#clock.in(noticeAfter, () => {
      if (connection !== this.#connections) return
      this.#down?.close()
      this.#up = undefined
      this.#down = undefined
      this.#lost([...this.#underWay])
      this.#redial()
    })
  }

  #redial(): void {
    const wait = milliseconds(redialMs * (1 + this.#losses.fraction()))
    this.#clock.in(wait as Duration, () => {
      if (!this.#isListening()) {
        this.#redial()
        return
      }
      this.#isOpen = true
      this.#connections++
      for (const copy of this.#underWay) this.#transmit(copy)
    })
  }

  #transmit(copy: Copy): void {
    this.#up ??= this.#pipe('up', sent => this.#enter(sent))
    this.#up.send(copy, 200)
  }

  #pipe<Item>(way: 'up' | 'down', onArrival: (item: Item) => void): Pipe<Item> {
    return new Pipe<Item>({
      clock: this.#clock,
      prng: this.#prngOf(way),
      profile: this.#profile,
      onSent: () => undefined,
      onArrival,
    })
  }
}
