import type { JsonValue } from '@fanfold/document'
import type { ErrorCode, ViewerFrame } from '@fanfold/protocol'
import type { AddOutcome, AnyAddCall } from './add-call.ts'
import { Additions } from './additions.ts'
import type { Change } from './change.ts'
import { ChangeQueue } from './change-queue.ts'
import type { Endpoint } from './endpoint.ts'
import type { Environment } from './environment.ts'
import { FanfoldError } from './fanfold-error.ts'
import { guarded, Listeners } from './listeners.ts'
import type { Observation, ObservationStatus } from './observation.ts'
import { type ReconnectOptions, reconnectDelayMs } from './reconnect-delay.ts'
import { isRetryCode } from './retry-codes.ts'
import { ViewAssembly } from './view-assembly.ts'
import { snapshotChange, ViewTracker } from './view-tracker.ts'

/** What an observation asks of its connection. */
export type ObservationPort = {
  readonly moved: (observation: DocumentObservation, to: string) => void
  /** This server will not show it: asks another for it; false when there is none left. */
  readonly elsewhere: (observation: DocumentObservation) => boolean
  readonly left: (observation: DocumentObservation) => void
  readonly report: (error: FanfoldError) => void
}

/** How a document is observed. */
export type ObservationOptions = {
  readonly doc: string
  readonly viewState: unknown
  readonly maxRate: number | undefined
  readonly changesMax: number
  /** Bytes of a view that comes in pieces, as its beginning says. */
  readonly snapshotBytesMax: number
  readonly reconnect: ReconnectOptions
  readonly environment: Environment
}

/** A document served elsewhere so many times in a row is asked for again only after a wait. */
const movesMax = 4
/** What is wrong with a view state, and with nothing else. */
const viewStateCodes: ReadonlySet<string> = new Set([
  'FANFOLD_INVALID_VIEW_STATE',
  'FANFOLD_NO_VIEW_STATE',
])
/** View states that wait for an answer. */
const askedMax = 64
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
  readonly #additions: Additions
  #viewState: unknown
  /** View states that the server was asked for and did not answer, in order; first the observe's. */
  #asked: unknown[] = []
  /** The view state of the last answer. */
  #shown: { readonly viewState: unknown } | undefined
  #send: ((frame: object) => void) | undefined
  #status: ObservationStatus = 'connecting'
  #error: FanfoldError | undefined
  /** The code that was told with the status. */
  #toldCode: string | undefined
  /** The server has said something since it was last asked. */
  #isAnswered = false
  /** A view, or a step to one, has come since the server was last asked. */
  #isServed = false
  #isServerStale = false
  /** A snapshot that comes in pieces. */
  #assembly: ViewAssembly | undefined
  /** Servers that refused to show the document, as not for their region. */
  readonly refusedBy: Set<Endpoint> = new Set()
  #moves = 0
  #troubles = 0
  #troubledAtMs = 0
  #cancelRetry: () => void = () => undefined

  constructor(options: ObservationOptions, port: ObservationPort) {
    this.#options = options
    this.#port = port
    this.#additions = new Additions(options.doc)
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
    if (this.#send === undefined) return
    if (this.#asked.push(viewState) > askedMax) this.#asked.shift()
    this.#send({ type: 'viewState', doc: this.doc, viewState })
  }

  add(...call: AnyAddCall): Promise<AddOutcome> {
    return this.#additions.add(this.#send, call)
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
    this.#additions.lose()
    this.#forgetAnswer()
    this.#error = undefined
    this.#cancelRetry()
    this.#updateStatus()
  }

  /** Ends the observation; the owner has let go of it. */
  end(error: FanfoldError | undefined): void {
    if (this.#status === 'closed') return
    this.#send = undefined
    this.#additions.lose()
    this.#assembly = undefined
    this.#cancelRetry()
    this.#error = error
    this.#setStatus('closed')
    for (const queue of this.#queues) queue.end(error)
    this.#queues.clear()
  }

  /** Takes a frame about this document, whose text had so many characters. */
  receive(frame: ViewerFrame, length = 0): void {
    switch (frame.type) {
      case 'snapshot':
      case 'delta':
        this.#take(frame)
        break
      case 'snapshot-begin':
        this.#begin(frame)
        break
      case 'snapshot-piece':
        if (this.#assembly?.take(frame, length, this.#tracker.held?.view) === false) {
          this.#misfit(`piece ${frame.index} does not fit`)
        }
        break
      case 'snapshot-end': {
        const assembly = this.#assembly
        const snapshot = assembly?.end(frame)
        if (snapshot !== undefined) this.#take(snapshot, assembly?.opened)
        else if (assembly !== undefined) this.#misfit('a snapshot ends before its pieces')
        break
      }
      case 'status':
        this.#isAnswered = true
        this.#isServerStale = frame.status === 'stale'
        this.#error =
          frame.code && new FanfoldError(frame.code, 'the server is stale', { doc: this.doc })
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
        if (this.#isAnswered || this.#assembly !== undefined) this.#fail(leftError(frame))
        break
      default:
        this.#additions.receive(frame)
    }
    this.#updateStatus()
  }

  #take(
    frame: Extract<ViewerFrame, { type: 'snapshot' | 'delta' }>,
    opened?: ReadonlySet<JsonValue>,
  ): void {
    const isDelta = frame.type === 'delta'
    this.#isAnswered = true
    this.#moves = 0
    this.refusedBy.clear()
    if (!this.#isServerStale) this.#error = undefined
    const isAnswer = !this.#isServed || (isDelta && this.#tracker.isMove(frame))
    const step = isDelta
      ? this.#tracker.takeDelta(frame)
      : this.#tracker.takeSnapshot(frame, opened)
    if (!isDelta) {
      this.#assembly = undefined
      // The server has kept the request that was to be made again.
      this.#cancelRetry()
    }
    if (isAnswer && this.#asked.length > 0) this.#shown = { viewState: this.#asked.shift() }
    this.#isServed = true
    if (step.kind === 'misfit') {
      this.#misfit(step.message)
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
    } else if (viewStateCodes.has(code) && this.#keepViewState()) {
      this.#port.report(error)
    } else if (code === 'FANFOLD_ABOVE_CEILING' && this.#port.elsewhere(this)) {
      this.#port.report(error)
    } else if (retryAfter !== undefined || isRetryCode(code)) {
      this.#port.report(error)
      this.#error = error
      this.#forgetAnswer()
      // On top of the least wait, or all who were told the same would come at once.
      this.#observeLater((retryAfter ?? 0) + this.#troubleDelayMs())
    } else {
      this.#fail(error)
    }
  }

  /** Goes back from a refused view state to the one that is shown; false when there is none. */
  #keepViewState(): boolean {
    const shown = this.#shown
    if (shown === undefined) return false
    if (this.#isServed) {
      this.#asked.shift()
      if (this.#asked.length === 0) this.#viewState = shown.viewState
      return true
    }
    // The observe itself was refused, so the document is not observed.
    if (this.#viewState === shown.viewState) return false
    this.#viewState = shown.viewState
    this.#observe()
    return true
  }

  #begin(frame: Extract<ViewerFrame, { type: 'snapshot-begin' }>): void {
    // One that begins anew answers what the one before it was to answer.
    if (this.#assembly !== undefined && this.#asked.length > 1) this.#asked.shift()
    this.#assembly = new ViewAssembly(frame)
    // Asking again now would only make it begin anew.
    this.#cancelRetry()
    const { snapshotBytesMax } = this.#options
    if (frame.bytes <= snapshotBytesMax) return
    const message = `a view of at most ${snapshotBytesMax} bytes, got ${frame.bytes}`
    this.#fail(new FanfoldError('FANFOLD_TOO_LARGE', message, { doc: this.doc }))
  }

  #misfit(message: string): void {
    this.#port.report(new FanfoldError('FANFOLD_GAP', message, { doc: this.doc }))
    this.#startOver()
  }

  /** Asks for a snapshot: at once, but with waits when that does not help. */
  #startOver(): void {
    this.#tracker.restart()
    this.#forgetAnswer()
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

  #forgetAnswer(): void {
    this.#isAnswered = false
    this.#assembly = undefined
  }

  #observe(): void {
    this.#forgetAnswer()
    this.#isServed = false
    this.#isServerStale = false
    this.#asked = [this.#viewState]
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
    if (status === this.#status && this.#error?.code === this.#toldCode) return
    this.#status = status
    this.#toldCode = this.#error?.code
    this.#statusListeners.call(status, this.#error)
  }
}

/** The reason is an error's code where there is one, say `FANFOLD_DELETED`; otherwise it is words. */
function leftError({ doc, reason }: Extract<ViewerFrame, { type: 'left' }>): FanfoldError {
  const code = reason.startsWith('FANFOLD_') ? (reason as ErrorCode) : 'FANFOLD_LEFT'
  return new FanfoldError(code, `the server ended it: ${reason}`, { doc })
}
