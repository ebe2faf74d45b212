/*
 * How the dials of viewers come to their end: a connection is open a round trip after the dial, or when
 * the way is free again, and a client waits for that only so long.
 */
import { type Duration, milliseconds } from '@fanfold/kernel'
import type { ViewerConnection } from './viewer-socket.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { Ways } from './ways.ts'

/** How long a client waits for a connection. */
const dialMax: Duration = milliseconds(10_000)
const noAnswer = 'no-answer: no connection in time'

/** A viewer that dials. */
export type Dial = {
  /** The viewer's name, by which what is amiss on its way is known. */
  readonly name: string
  readonly delayMin: Duration
  /** The connection is there. */
  opened(): void
  /** There is none, for this reason. */
  lost(reason: string): void
}

/** The dials of viewers to one edge. */
export class ViewerDials {
  readonly #clock: VirtualClock
  readonly #ways: Ways
  readonly #edge: string

  /** @param edge its name on the ways to it */
  constructor(clock: VirtualClock, ways: Ways, edge: string) {
    this.#clock = clock
    this.#ways = ways
    this.#edge = edge
  }

  /** Somebody listens: the connection opens as soon as the way lets it. */
  accept({ name, delayMin, opened, lost }: Dial): void {
    let isOpen = false
    const open = (): void => {
      isOpen = true
      opened()
    }
    this.#clock.in((2 * delayMin) as Duration, () => {
      if (this.#ways.isFree(name, this.#edge)) {
        open()
        return
      }
      this.#ways.whenFree(name, this.#edge, open)
      this.#clock.in(dialMax, () => {
        if (!isOpen) lost(noAnswer)
      })
    })
  }

  /** Nobody listens, or nobody answers: what is left to do with such a connection. */
  turnAway(
    { name, delayMin, lost: tell }: Omit<Dial, 'opened'>,
    answer: 'refuse' | 'none',
  ): ViewerConnection {
    let hasLeft = false
    const lost = (reason: string): void => {
      if (hasLeft) return
      hasLeft = true
      tell(reason)
    }
    if (answer === 'refuse') {
      this.#clock.in((2 * delayMin) as Duration, () => {
        const refuse = (): void => lost('refused: nobody listens')
        if (this.#ways.isFree(name, this.#edge)) refuse()
        else this.#ways.whenFree(name, this.#edge, refuse)
      })
    }
    this.#clock.in(dialMax, () => lost(noAnswer))
    return {
      send: () => undefined,
      close: () => {
        hasLeft = true
      },
    }
  }
}
