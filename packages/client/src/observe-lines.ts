/*
 * Which document is observed on which socket. All share the line to the home endpoints; a document that
 * was moved is on a line to its new address, and a document that is observed twice, say with two view
 * states, is on a line of its own, as a socket carries a document once.
 */
import type { ViewerFrame } from '@fanfold/protocol'
import type { DocumentObservation } from './document-observation.ts'
import { asMoveTarget, type Endpoint } from './endpoint.ts'
import { FanfoldError, Unauthorized } from './fanfold-error.ts'
import { decodeViewerFrame } from './frame-decoder.ts'
import { Line, type LineOptions } from './line.ts'

/** Sockets to observe on, of one connection at most. */
const linesMax = 16
/** An address that a document moved to is given up after so many failures in a row. */
export const movedFailuresMax = 3

type Entry = {
  /** Undefined for the home endpoints. */
  readonly to: Endpoint | undefined
  readonly line: Line
  readonly observations: Map<string, DocumentObservation>
  cancelIdle: () => void
}

/** The sockets of one connection that documents are observed on. */
export class ObserveLines {
  readonly #home: readonly Endpoint[]
  readonly #lineOptions: LineOptions
  readonly #idleCloseMs: number
  readonly #events: {
    readonly report: (error: FanfoldError) => void
    readonly unauthorized: (error: FanfoldError) => void
    readonly changed: () => void
  }
  readonly #entries = new Set<Entry>()

  constructor(options: {
    readonly home: readonly Endpoint[]
    readonly lineOptions: LineOptions
    /** A line that carries no document is closed after so long, ms. */
    readonly idleCloseMs: number
    readonly report: (error: FanfoldError) => void
    /** There is no token, and there will be none. */
    readonly unauthorized: (error: FanfoldError) => void
    /** A line opened or was lost. */
    readonly changed: () => void
  }) {
    this.#home = options.home
    this.#lineOptions = options.lineOptions
    this.#idleCloseMs = options.idleCloseMs
    this.#events = options
  }

  /** Whether each line is open. */
  get areOpen(): readonly boolean[] {
    return [...this.#entries].map(entry => entry.line.isOpen)
  }

  /** @throws FanfoldError `FANFOLD_TOO_MANY_LINES` */
  add(observation: DocumentObservation, to?: Endpoint): void {
    const entry = this.#free(observation.doc, to) ?? this.#create(to)
    entry.cancelIdle()
    entry.observations.set(observation.doc, observation)
    if (entry.line.isOpen) observation.attach(frame => entry.line.send(frame))
    else entry.line.open()
    this.#events.changed()
  }

  /** Takes an observation off its line, and tells the server. */
  remove(observation: DocumentObservation): void {
    this.#take(observation)?.line.send({ type: 'leave', doc: observation.doc })
  }

  /** Puts an observation on a line to where the server says that its document is. */
  move(observation: DocumentObservation, to: string): void {
    const target = asMoveTarget(to, this.#home)
    if (target !== undefined) {
      this.#readd(observation, target)
      return
    }
    this.#take(observation)
    observation.end(new FanfoldError('FANFOLD_BAD_FRAME', `a move to ${to}`))
  }

  /**
   * Puts an observation that its server refuses on a line to the next of the home endpoints; false
   * when each of them has refused it.
   */
  elsewhere(observation: DocumentObservation): boolean {
    const { refusedBy } = observation
    const from = this.#entryOf(observation)?.line.endpoint
    if (from !== undefined) refusedBy.add(from)
    const target = this.#home.find(endpoint => !refusedBy.has(endpoint))
    if (target !== undefined) this.#readd(observation, target)
    return target !== undefined
  }

  /** Ends all lines, and all observations with `error` if there is one. */
  close(error: FanfoldError | undefined): void {
    for (const entry of [...this.#entries]) this.#end(entry, error)
  }

  #free(doc: string, to: Endpoint | undefined): Entry | undefined {
    return [...this.#entries].find(entry => entry.to === to && !entry.observations.has(doc))
  }

  #create(to: Endpoint | undefined): Entry {
    if (this.#entries.size >= linesMax) {
      throw new FanfoldError('FANFOLD_TOO_MANY_LINES', `at most ${linesMax} sockets`)
    }
    const observations: Entry['observations'] = new Map()
    const line = new Line(
      this.#lineOptions,
      {
        endpoints: to === undefined ? this.#home : [to],
        path: '/v1/observe',
        failuresMax: to === undefined ? undefined : movedFailuresMax,
      },
      {
        opened: () => {
          for (const one of observations.values()) one.attach(frame => line.send(frame))
          this.#events.changed()
        },
        received: text => this.#received(entry, text),
        lost: () => {
          for (const one of observations.values()) one.detach()
          this.#events.changed()
        },
        failed: error => this.#failed(entry, error),
        troubled: error => this.#events.report(error),
      },
    )
    const entry: Entry = { to, line, observations, cancelIdle: () => undefined }
    this.#entries.add(entry)
    return entry
  }

  #received(entry: Entry, text: string): void {
    let frame: ViewerFrame | undefined
    try {
      frame = decodeViewerFrame(text)
    } catch (error) {
      if (!(error instanceof FanfoldError)) throw error
      entry.line.abandon(error)
      return
    }
    if (frame?.doc !== undefined) {
      entry.observations.get(frame.doc)?.receive(frame, text.length)
    } else if (frame?.type === 'refused') {
      if (frame.retryAfter !== undefined) entry.line.retryAfter(frame.retryAfter)
      this.#events.report(new FanfoldError(frame.code, frame.message))
    }
  }

  #failed(entry: Entry, error: FanfoldError): void {
    if (entry.to !== undefined && error.code === 'FANFOLD_UNREACHABLE') {
      for (const one of [...entry.observations.values()]) this.#readd(one, undefined)
      this.#end(entry, undefined)
      this.#events.report(error)
    } else if (error instanceof Unauthorized) {
      this.#events.unauthorized(error)
    } else {
      this.#end(entry, error)
      this.#events.report(error)
    }
  }

  #readd(observation: DocumentObservation, to: Endpoint | undefined): void {
    this.#take(observation)
    observation.detach()
    try {
      this.add(observation, to)
    } catch (error) {
      if (!(error instanceof FanfoldError)) throw error
      observation.end(error)
    }
  }

  #entryOf(observation: DocumentObservation): Entry | undefined {
    const { doc } = observation
    return [...this.#entries].find(one => one.observations.get(doc) === observation)
  }

  /** Takes an observation off its line, which closes when it stays empty. */
  #take(observation: DocumentObservation): Entry | undefined {
    const entry = this.#entryOf(observation)
    if (entry === undefined) return undefined
    entry.observations.delete(observation.doc)
    if (entry.observations.size === 0) {
      entry.cancelIdle()
      entry.cancelIdle = this.#lineOptions.environment.setTimer(
        () => this.#end(entry, undefined),
        this.#idleCloseMs,
      )
    }
    return entry
  }

  #end(entry: Entry, error: FanfoldError | undefined): void {
    this.#entries.delete(entry)
    entry.cancelIdle()
    entry.line.close()
    for (const one of entry.observations.values()) one.end(error)
    entry.observations.clear()
    this.#events.changed()
  }
}
