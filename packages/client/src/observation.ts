import type { ErrorCode, ViewerFrame } from '@fanfold/protocol'
import type { Change } from './change.ts'
import { ChangeQueue } from './change-queue.ts'
import type { Environment } from './environment.ts'
import { FanfoldError } from './fanfold-error.ts'
import { guarded, Listeners } from './listeners.ts'
import { type ReconnectOptions, reconnectDelayMs } from './reconnect-delay.ts'
import { isRetryCode } from './retry-codes.ts'
import { snapshotChange, type TrackerStep, ViewTracker } from './view-tracker.ts'

/**
 * How near the view is to the document: `connecting` before the first view; `live`; `stale` while
 * the view is there and may be behind; `closed` for good, with an error unless it was asked for.
 */
export type ObservationStatus = 'connecting' | 'live' | 'stale' | 'closed'

/**
 * One document, observed.
 *
 * Views are immutable and share their untouched parts: what is `===` did not change. Iterating gives
 * the changes, beginning with one that carries the whole view; a loop that falls behind by more than
 * `changesMax` gets one such change in place of all it missed. A loop ends when the observation is
 * closed, with a throw when it ended by an error.
 */
export interface Observation<View = unknown> extends AsyncIterable<Change> {
  readonly doc: string
  /** The view of now; undefined while there is none. */
  readonly view: View | undefined
  /** The place in the document's log that the view shows; 0 while there is none. */
  readonly seq: number
  readonly epoch: number
  readonly status: ObservationStatus
  /** Why it is closed, when it was not asked for. */
  readonly error: FanfoldError | undefined
  /** Calls `listener` with each view, the first time at once when there is one; returns what stops it. */
  subscribe(listener: (view: View) => void): () => void
  /** Calls `listener` with the status, at once and when it changes; returns what stops it. */
  onStatus(listener: (status: ObservationStatus, error?: FanfoldError) => void): () => void
  /** Asks for another view of the document. */
  setViewState(viewState: unknown): void
  /** Leaves the document. */
  close(): void
}

/** What an observation asks of its connection. */
export type ObservationPort = {
  readonly moved: (observation: DocumentObservation, to: string) => void
  readonly left: (observation: DocumentObservation) => void
  readonly report: (error: FanfoldError) => void
}

/** How a document is observed. */
export type ObservationOptions = {
  readonly doc: string
  readonly viewState: unknown
  readonly maxRate: number | undefined
  readonly changesMax: number
  readonly reconnect: ReconnectOptions
  readonly environment: Environment
}

/** A document served elsewhere so many times in a row is asked for again only after a wait. */
const movesMax = 4
/** Trouble so long ago has no part in the next wait. */
const troubleForgottenAfterMs = 60_000

/** An observation that frames are handed to, over whichever line it is on at the moment. */
export class DocumentObservation implements Observation {
  readonly #options: ObservationOptions
  readonly #port: ObservationPort
  readonly #tracker = new ViewTracker()
  readonly #viewListeners = new Listeners<[view: unknown]>()
  readonly #statusListeners = new Listeners<[status: ObservationStatus, error?: FanfoldError]>()
  readonly #queues = new Set<ChangeQueue>()
  #viewState: unknown
  #send: ((frame: object) => void) | undefined
  #status: ObservationStatus = 'connecting'
  #error: FanfoldError | undefined
  /** The server has said something since it was last asked. */
  #isAnswered = false
  #isServerStale = false
  #moves = 0
  #troubles = 0
  #troubledAtMs = 0
  #cancelRetry: () => void = () => undefined

  constructor(options: ObservationOptions, port: ObservationPort) {
    this.#options = options
    this.#port = port
    this.#viewState = options.viewState
  }

  get doc(): string {
    return this.#options.doc
  }

  get view(): unknown {
    return this.#tracker.held?.view
  }

  get seq(): number {
    return this.#tracker.held?.seq ?? 0
  }

  get epoch(): number {
    return this.#tracker.held?.epoch ?? 0
  }

  get status(): ObservationStatus {
    return this.#status
  }

  get error(): FanfoldError | undefined {
    return this.#error
  }

  subscribe(listener: (view: unknown) => void): () => void {
    const stop = this.#viewListeners.add(listener)
    const held = this.#tracker.held
    if (held !== undefined) guarded(() => listener(held.view))
    return stop
  }

  onStatus(listener: (status: ObservationStatus, error?: FanfoldError) => void): () => void {
    const stop = this.#statusListeners.add(listener)
    guarded(() => listener(this.#status, this.#error))
    return stop
  }

  setViewState(viewState: unknown): void {
    this.#viewState = viewState
    this.#tracker.forgetPosition()
    this.#send?.({ type: 'viewState', doc: this.doc, viewState })
  }

  close(): void {
    if (this.#status === 'closed') return
    this.#port.left(this)
    this.end(undefined)
  }

  [Symbol.asyncIterator](): AsyncIterator<Change> {
    const isOver = this.#status === 'closed'
    const queue = new ChangeQueue({
      countMax: this.#options.changesMax,
      snapshot: from => {
        const held = this.#tracker.held
        return held === undefined || isOver ? undefined : snapshotChange(held, from)
      },
      stopped: () => this.#queues.delete(queue),
    })
    if (isOver) queue.end(this.#error)
    else this.#queues.add(queue)
    return queue
  }

  /** A line is open: asks for the document on it. */
  attach(send: (frame: object) => void): void {
    this.#send = send
    this.#observe()
  }

  /** The line is lost, or another is to be used. */
  detach(): void {
    this.#send = undefined
    this.#isAnswered = false
    this.#cancelRetry()
    this.#updateStatus()
  }

  /** Ends the observation; the owner has let go of it. */
  end(error: FanfoldError | undefined): void {
    if (this.#status === 'closed') return
    this.#send = undefined
    this.#cancelRetry()
    this.#error = error
    this.#setStatus('closed')
    for (const queue of this.#queues) queue.end(error)
    this.#queues.clear()
  }

  /** Takes a frame about this document. */
  receive(frame: ViewerFrame): void {
    switch (frame.type) {
      case 'snapshot':
      case 'delta':
        this.#isAnswered = true
        this.#moves = 0
        this.#take(
          frame.type === 'delta'
            ? this.#tracker.takeDelta(frame)
            : this.#tracker.takeSnapshot(frame),
        )
        break
      case 'status':
        this.#isAnswered = true
        this.#isServerStale = frame.status === 'stale'
        break
      case 'moved':
        if (++this.#moves <= movesMax) this.#port.moved(this, frame.to)
        else this.#observeLater(0)
        break
      case 'refused':
        this.#refused(frame)
        break
      case 'left':
        // Before the first answer it can only be the end of an earlier observation.
        if (this.#isAnswered) this.#fail(leftError(frame))
        break
    }
    this.#updateStatus()
  }

  #take(step: TrackerStep): void {
    if (step.kind === 'misfit') {
      this.#port.report(new FanfoldError('FANFOLD_GAP', step.message, { doc: this.doc }))
      this.#startOver()
    } else if (step.kind === 'changed') {
      this.#publish(step.change)
    }
  }

  #publish(change: Change): void {
    const held = this.#tracker.held
    this.#updateStatus()
    for (const queue of this.#queues) queue.push(change)
    if (held !== undefined) this.#viewListeners.call(held.view)
  }

  #refused({ code, message, retryAfter }: Extract<ViewerFrame, { type: 'refused' }>): void {
    const error = new FanfoldError(code, message, { doc: this.doc })
    if (code === 'FANFOLD_BAD_POSITION' || code === 'FANFOLD_NOT_OBSERVED') {
      this.#startOver()
    } else if (retryAfter !== undefined || isRetryCode(code)) {
      this.#port.report(error)
      this.#isAnswered = false
      this.#observeLater(Math.max(retryAfter ?? 0, this.#troubleDelayMs()))
    } else {
      this.#fail(error)
    }
  }

  /** Asks for a snapshot: at once, but with waits when that does not help. */
  #startOver(): void {
    this.#tracker.restart()
    this.#isAnswered = false
    const isFirst = this.#isLongSinceTrouble()
    const delayMs = this.#troubleDelayMs()
    if (isFirst) this.#observe()
    else this.#observeLater(delayMs)
  }

  #observeLater(delayMs: number): void {
    this.#cancelRetry()
    const waitMs = delayMs > 0 ? delayMs : this.#troubleDelayMs()
    this.#cancelRetry = this.#options.environment.setTimer(() => {
      this.#moves = 0
      this.#observe()
    }, waitMs)
  }

  #observe(): void {
    this.#isAnswered = false
    this.#isServerStale = false
    const { doc, maxRate } = this.#options
    const from = this.#tracker.resume()
    this.#send?.({ type: 'observe', doc, viewState: this.#viewState, from, maxRate })
    this.#updateStatus()
  }

  #isLongSinceTrouble(): boolean {
    return this.#options.environment.now() - this.#troubledAtMs > troubleForgottenAfterMs
  }

  /** The wait after one more trouble. */
  #troubleDelayMs(): number {
    const { environment, reconnect } = this.#options
    if (this.#isLongSinceTrouble()) this.#troubles = 0
    this.#troubledAtMs = environment.now()
    return reconnectDelayMs(this.#troubles++, reconnect, environment.random())
  }

  #fail(error: FanfoldError): void {
    this.#port.left(this)
    this.end(error)
    this.#port.report(error)
  }

  #updateStatus(): void {
    if (this.#status === 'closed') return
    const isAtHand = this.#send !== undefined && this.#isAnswered && !this.#isServerStale
    if (this.#tracker.held === undefined) this.#setStatus('connecting')
    else this.#setStatus(isAtHand && this.#tracker.isFollowing ? 'live' : 'stale')
  }

  #setStatus(status: ObservationStatus): void {
    if (status === this.#status) return
    this.#status = status
    this.#statusListeners.call(status, this.#error)
  }
}

/** The reason is an error's code where there is one, say `FANFOLD_DELETED`; otherwise it is words. */
function leftError({ doc, reason }: Extract<ViewerFrame, { type: 'left' }>): FanfoldError {
  const code = reason.startsWith('FANFOLD_') ? (reason as ErrorCode) : 'FANFOLD_LEFT'
  return new FanfoldError(code, `the server ended it: ${reason}`, { doc })
}
