import type { Connection, ObserveOptions } from './connection.ts'
import { FanfoldError } from './fanfold-error.ts'
import { Hole } from './hole.ts'
import type { Observation, ObservationStatus } from './observation.ts'
import { reconnectDelayMs } from './reconnect-delay.ts'
import { isRetryCode } from './retry-codes.ts'

/** A document that was refused for good is asked for again after such waits. */
const askAgain = { minMs: 1_000, maxMs: 60_000 }

/** One document of several that are observed together. */
export class ManyMember {
  readonly doc: string
  readonly #live: Connection
  readonly #options: ObserveOptions
  readonly #changed: () => void
  #observation: Observation
  #entry: unknown = new Hole('connecting', undefined)
  /** Refused or ended, and no view has come since. */
  #isGone = false
  #refusals = 0
  #stops: readonly (() => void)[] = []
  #cancelTimer: () => void = () => undefined

  /**
   * Call `start` next.
   *
   * @throws FanfoldError as `observe` does
   */
  constructor(options: {
    readonly live: Connection
    readonly doc: string
    readonly observe: ObserveOptions
    /** The entry, the status or the error is another one. */
    readonly changed: () => void
  }) {
    this.#live = options.live
    this.doc = options.doc
    this.#options = options.observe
    this.#changed = options.changed
    this.#observation = this.#live.observe(this.doc, this.#options)
  }

  /** The view, or a hole. */
  get entry(): unknown {
    return this.#entry
  }

  get isThere(): boolean {
    return !(this.#entry instanceof Hole)
  }

  get status(): ObservationStatus {
    return this.#entry instanceof Hole ? this.#entry.status : this.#observation.status
  }

  /** Why it is not there, when something was heard. */
  get error(): FanfoldError | undefined {
    return this.#observation.error
  }

  /** True when it was refused, or has ended, and waiting alone may not bring it. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** Listens from now on, which may call `changed` at once. */
  start(): void {
    const observation = this.#observation
    this.#stops = [
      observation.onStatus(() => this.#update()),
      observation.subscribe(() => {
        this.#isGone = false
        this.#refusals = 0
        this.#update()
      }),
    ]
  }

  /** Asks for the document again some time later: its observation has ended. */
  #askLater(): void {
    const { setTimer, random } = this.#live.environment
    const delayMs = reconnectDelayMs(this.#refusals++, askAgain, random())
    this.#cancelTimer()
    this.#cancelTimer = setTimer(() => {
      try {
        this.#observation = this.#live.observe(this.doc, this.#options)
      } catch (error) {
        if (!(error instanceof FanfoldError)) throw error
        this.#askLater()
        return
      }
      this.start()
    }, delayMs)
  }

  /** Leaves the document, and says nothing more. */
  close(): void {
    this.#cancelTimer()
    for (const stop of this.#stops) stop()
    this.#stops = []
    this.#observation.close()
  }

  #update(): void {
    const { status, error, view } = this.#observation
    if (status === 'closed' || (error !== undefined && !isRetryCode(error.code)))
      this.#isGone = true
    else if (status === 'live') this.#isGone = false
    this.#entry = view === undefined || this.#isGone ? this.#hole(status, error) : view
    if (status === 'closed') this.#askLater()
    this.#changed()
  }

  /** The hole of now: the same one as long as it says the same, or nothing else was heard. */
  #hole(status: ObservationStatus, error: FanfoldError | undefined): Hole {
    const before = this.#entry instanceof Hole ? this.#entry : undefined
    const code = error?.code
    if (before !== undefined && status !== 'closed' && code === undefined) return before
    const next = new Hole(status === 'closed' ? 'closed' : 'connecting', code)
    return before?.status === next.status && before.code === next.code ? before : next
  }
}
