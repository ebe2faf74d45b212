/*
 * A viewer that keeps no view. It follows the places that frames name, checks their order, and counts. Connections
 * are made and lost by the client's own code; what is here is what the client does between them with a document.
 */
import {
  asMoveTarget,
  type Endpoint,
  Line,
  type LineOptions,
  reconnectDelayMs,
} from '@fanfold/client/line'
import { isErrorCode, meaningOf } from '@fanfold/protocol'
import type { FrameHead, HeadReader } from './frame-head.ts'
import { machineNowMs } from './machine-clock.ts'
import { OrderCheck, type OrderStep, type Place } from './order-check.ts'
import type { SwarmTally } from './swarm-tally.ts'
import type { SwarmViewer, Watching } from './swarm-viewer.ts'

/** What the server knows nothing of any more: the document is asked for from scratch. */
const forgottenCodes: ReadonlySet<string> = new Set([
  'FANFOLD_BAD_POSITION',
  'FANFOLD_NOT_OBSERVED',
])

/** What a viewer is made of. */
export type FrugalViewerOptions = {
  /** Tried in turn. */
  readonly endpoints: readonly Endpoint[]
  readonly watching: Watching
  readonly lineOptions: LineOptions
  /** Shared by all viewers of the process. */
  readonly reader: HeadReader
  readonly tally: SwarmTally
}

/** One viewer without a view. */
export class FrugalViewer implements SwarmViewer {
  readonly #options: FrugalViewerOptions
  readonly #check = new OrderCheck()
  #line: Line
  #state: SwarmViewer['state'] = 'waiting'
  #isStale = false
  #opens = 0
  #refusals = 0
  #cancelRetry: () => void = () => undefined

  constructor(options: FrugalViewerOptions) {
    this.#options = options
    this.#line = this.#makeLine(options.endpoints)
  }

  get state(): SwarmViewer['state'] {
    return this.#state === 'live' && this.#isStale ? 'stale' : this.#state
  }

  get place(): Place | undefined {
    return this.#check.held
  }

  open(): void {
    this.#line.open()
  }

  close(): void {
    this.#cancelRetry()
    this.#line.close()
  }

  #makeLine(endpoints: readonly Endpoint[]): Line {
    const target = { endpoints, path: '/v1/observe', failuresMax: undefined } as const
    return new Line(this.#options.lineOptions, target, {
      opened: () => this.#opened(),
      received: text => this.#receive(text),
      lost: () => {
        this.#cancelRetry()
        if (this.#state === 'live') this.#state = 'away'
      },
      failed: ({ code, message }) => this.#fail(code, message),
      troubled: ({ message }) => {
        this.#options.tally.trouble = message
      },
    })
  }

  #opened(): void {
    if (this.#opens++ > 0) this.#options.tally.reconnects++
    this.#observe(this.#check.resume())
  }

  #observe(from: string | undefined): void {
    const { doc, viewState, maxRate } = this.#options.watching
    this.#isStale = false
    this.#line.send({ type: 'observe', doc, from, viewState, maxRate })
  }

  #receive(text: string): void {
    const { reader, tally } = this.#options
    const head = reader.read(text)
    if (head === undefined) tally.violate(`a frame that is none: ${text.slice(0, 80)}`)
    else this.#take(head)
  }

  #take(head: FrameHead): void {
    const check = this.#check
    const { tally } = this.#options
    switch (head.type) {
      case 'delta':
        tally.deliver(head.time)
        this.#follow(check.takeDelta(head))
        break
      case 'snapshot':
        if (this.#isFollowing) tally.lags++
        this.#follow(check.takeSnapshot(head))
        break
      case 'snapshot-begin':
        if (this.#isFollowing) tally.lags++
        this.#note(check.beginSnapshot(head))
        break
      case 'snapshot-piece':
        this.#note(check.takePiece(head))
        break
      case 'snapshot-end':
        this.#follow(check.endSnapshot(head))
        break
      case 'status':
        this.#isStale = head.isStale
        // It may be the answer to a position that is the latest.
        if (check.hasView) this.#arrive()
        break
      case 'moved':
        this.#move(head.to)
        break
      case 'refused':
        this.#refused(head)
        break
      case 'left':
        this.#fail(head.reason, 'the server ended it')
        break
      case 'other':
    }
  }

  /** Whether deltas are what it should get, as it has the view on this connection. */
  get #isFollowing(): boolean {
    return this.#state === 'live' && this.#check.hasView
  }

  #note({ violation }: OrderStep): void {
    if (violation !== undefined) this.#options.tally.violate(violation)
  }

  #follow(step: OrderStep): void {
    this.#note(step)
    const from = step.advancedFrom
    const { tally } = this.#options
    if (from !== undefined && tally.isMeasuring) {
      const seq = this.#check.held?.seq ?? from
      tally.ledger.see({ from, seq, atMs: machineNowMs() })
    }
    if (this.#check.hasView) this.#arrive()
  }

  #arrive(): void {
    if (this.#state === 'live') return
    if (this.#state === 'waiting') this.#options.tally.connected++
    this.#state = 'live'
    this.#refusals = 0
    this.#cancelRetry()
  }

  #move(to: string): void {
    const { endpoints } = this.#options
    const target = asMoveTarget(to, endpoints)
    if (target === undefined) {
      this.#fail('FANFOLD_MOVED', `moved to ${to}, where it may not go`)
      return
    }
    this.#line.close()
    if (this.#state === 'live') this.#state = 'away'
    this.#line = this.#makeLine([target, ...endpoints])
    this.#line.open()
  }

  #refused(frame: Extract<FrameHead, { readonly type: 'refused' }>): void {
    const { tally, lineOptions } = this.#options
    const { doc, code, message, retryAfterMs } = frame
    tally.trouble = `${code}: ${message}`
    if (doc === undefined) return
    const isForgotten = forgottenCodes.has(code)
    const mayRetry = isErrorCode(code) && meaningOf(code).retry
    if (!isForgotten && retryAfterMs === undefined && !mayRetry) {
      this.#fail(code, message)
      return
    }
    // What comes next answers anew, as does a snapshot that the server sends when it has one.
    if (this.#state === 'live') this.#state = 'away'
    // On top of the least wait, or all who were told the same would come at once.
    const { environment, reconnect } = lineOptions
    const jitterMs = reconnectDelayMs(this.#refusals++, reconnect, environment.random())
    this.#cancelRetry()
    this.#cancelRetry = environment.setTimer(
      () => {
        if (isForgotten) this.#check.restart()
        this.#observe(isForgotten ? undefined : this.#check.resume())
      },
      (retryAfterMs ?? 0) + jitterMs,
    )
  }

  #fail(code: string, message: string): void {
    if (this.#state === 'failed') return
    const { tally } = this.#options
    tally.trouble = `${code}: ${message}`
    tally.fail(code)
    this.#state = 'failed'
    this.close()
  }
}
