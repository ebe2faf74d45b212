/*
 * A viewer's connection, kept by the rules that the SDK has: whoever loses it dials the next of its
 * addresses after a wait, and fetches a token for each attempt; another token is shown on the open
 * connection, and who is closed because a token has ended comes back with the next one. One that the
 * edge would not let in at all the SDK gives up; then it is the application that begins again.
 */
import { assert, type Prng } from '@fanfold/kernel'
import type { Door } from './door.ts'
import type { FrameNote } from './frame-check.ts'
import type { PipeProfile } from './pipe.ts'
import { ReconnectWaits } from './reconnect-waits.ts'
import type { Looker } from './sight.ts'
import type { Tally } from './tally.ts'
import type { ViewerConnection } from './viewer-socket.ts'
import { encodeToken, type ViewerTokens } from './viewer-tokens.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { WorldWatch } from './world-watch.ts'

/** What happens on a viewer's connections. */
export type LineEvents = {
  opened(): void
  received(bytes: Uint8Array, note: FrameNote): void
  /** There is none any more. */
  ended(): void
  /** The edge has closed it, for a reason that there should not be. */
  closed(reason: string): void
}

/** One connection at a time, to one of several edges. */
export class ViewerLine {
  readonly #name: string
  readonly #clock: VirtualClock
  readonly #profile: PipeProfile
  readonly #doors: readonly Door[]
  readonly #tokens: ViewerTokens
  readonly #waits: ReconnectWaits
  readonly #tally: Tally
  readonly #watch: WorldWatch | undefined
  readonly #events: LineEvents
  #looker: Looker
  #connection: ViewerConnection | undefined
  #isOpen = false
  #hasLeft = true
  #connections = 0

  constructor(options: {
    readonly name: string
    readonly clock: VirtualClock
    readonly profile: PipeProfile
    /** Where it connects in turn when a connection is lost, one at least. */
    readonly doors: readonly Door[]
    readonly tokens: ViewerTokens
    /** For its waits. */
    readonly prng: Prng
    readonly tally: Tally
    readonly watch: WorldWatch | undefined
    readonly events: LineEvents
  }) {
    this.#name = options.name
    this.#clock = options.clock
    this.#profile = options.profile
    this.#doors = options.doors
    this.#tokens = options.tokens
    this.#waits = new ReconnectWaits(options.prng)
    this.#tally = options.tally
    this.#watch = options.watch
    this.#events = options.events
    this.#looker = { grants: options.tokens.now, ceiling: 0 }
  }

  /** Who it is by the token that it has shown last, and the ceiling that its edge is behind. */
  get looker(): Looker {
    return this.#looker
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Connections so far: which of them something belongs to. */
  get connections(): number {
    return this.#connections
  }

  /** Tokens that may still take the place of the one that it has. */
  get tokensLeft(): number {
    return this.#tokens.left
  }

  /** Connects to an edge in place of the one before. */
  connect(door: Door): void {
    const { name, rim, ceiling } = door
    this.disconnect()
    this.#hasLeft = false
    this.#watch?.({ kind: 'viewer-connects', at: this.#clock.now, viewer: this.#name, edge: name })
    const number = ++this.#connections
    const isCurrent = (): boolean => number === this.#connections && this.#connection !== undefined
    const grants = this.#tokens.valid(this.#clock.wallMs)
    this.#looker = { grants, ceiling }
    this.#connection = rim.connect(
      {
        opened: () => {
          if (isCurrent()) this.#opened()
        },
        received: (frame, note) => {
          // The rims of a world have its own watches.
          if (isCurrent()) this.#events.received(frame, note as FrameNote)
        },
        closed: reason => {
          if (!isCurrent()) return
          this.#events.closed(reason)
          this.#disconnect()
        },
        unauthorized: () => {
          if (!isCurrent()) return
          this.#tally.add('token ended')
          // Its function gives another one, also where the edge's clock is ahead.
          if (this.#tokens.now === this.#looker.grants) this.#tokens.next()
          this.#lost(door, number)
        },
        lost: () => {
          if (isCurrent()) this.#lost(door, number)
        },
      },
      this.#profile,
      grants,
      this.#name,
    )
  }

  /** Closes its connection, if it has one, and does not come back by itself. */
  disconnect(): void {
    this.#hasLeft = true
    this.#disconnect()
  }

  /** Sends a request; it is connected. */
  send(request: object): void {
    assert(this.#connection !== undefined, `${this.#name} asks while it is connected`)
    this.#watch?.({ kind: 'viewer-asks', at: this.#clock.now, viewer: this.#name, request })
    this.#connection.send(JSON.stringify(request))
  }

  /** Its next token takes the place of the one that it has, if there is one. */
  renew(): void {
    if (!this.#tokens.next()) return
    this.#tokens.valid(this.#clock.wallMs)
    if (this.#isOpen) this.#show()
  }

  #opened(): void {
    this.#isOpen = true
    this.#waits.opened(this.#clock.now)
    // There may be another one since it has dialled.
    if (this.#tokens.now !== this.#looker.grants) this.#show()
    this.#events.opened()
  }

  #show(): void {
    const grants = this.#tokens.now
    this.#looker = { ...this.#looker, grants }
    this.send({ type: 'authenticate', token: encodeToken(grants) })
  }

  #lost(door: Door, number: number): void {
    this.#disconnect()
    const doors = this.#doors
    const next = doors[(doors.indexOf(door) + 1) % doors.length] ?? door
    this.#clock.in(this.#waits.lost(this.#clock.now, doors.length), () => {
      // It may have been sent elsewhere meanwhile, or away.
      if (number === this.#connections && !this.#hasLeft) this.connect(next)
    })
  }

  #disconnect(): void {
    if (this.#connection !== undefined) {
      const { now: at } = this.#clock
      this.#watch?.({ kind: 'viewer-connects', at, viewer: this.#name, edge: undefined })
    }
    this.#connection?.close()
    this.#connection = undefined
    this.#isOpen = false
    this.#events.ended()
  }
}
