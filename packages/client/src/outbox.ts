/*
 * Messages on their way. Each has an idempotency id and is sent again with it, over whatever line, until
 * it is answered or its deadline passes: delivered at least once, committed at most once. What the
 * deadline says depends on whether some copy of the message went out and was never answered.
 */
import type { WriterFrame } from '@fanfold/protocol'
import { type Deferred, deferred } from './deferred.ts'
import type { Endpoint } from './endpoint.ts'
import type { Environment } from './environment.ts'
import { FanfoldError } from './fanfold-error.ts'
import { bytesOf, frameText } from './frame-text.ts'
import { type ReconnectOptions, reconnectDelayMs } from './reconnect-delay.ts'
import { isRetryCode } from './retry-codes.ts'
import { writeFrameBytesMax } from './wire-limits.ts'

/** Where a message stands in its document's log. */
export type Committed = { readonly epoch: number; readonly seq: number }

/** How an outbox works. */
export type OutboxOptions = {
  /** From `send` to the answer, ms. */
  readonly sendTimeoutMs: number
  /** Messages that wait for their answers. */
  readonly inFlightMax: number
  /** Their bytes. */
  readonly inFlightBytesMax: number
  readonly reconnect: ReconnectOptions
  readonly environment: Environment
  /** Sends a text on the line to `to`, which it opens; false when it is not open yet. */
  readonly transmit: (to: Endpoint | undefined, text: string) => boolean
}

/** One message, as it is sent. */
export type OutgoingMessage = {
  readonly doc: string
  readonly message: string
  readonly value: unknown
  readonly id: string
  /** False: an answer that says "later" is the caller's. True by default. */
  readonly retry?: boolean | undefined
}

type Send = Deferred<Committed> & {
  readonly key: string
  readonly doc: string
  readonly text: string
  readonly bytes: number
  readonly isRetried: boolean
  cancelDeadline: () => void
  cancelRetry: () => void
  /** A copy is under way on the line of now. */
  isSent: boolean
  /** A copy went out on a line that was lost before the answer. */
  isUncertain: boolean
  moves: number
  retries: number
  /** The last answer that says: try again. */
  rejection: FanfoldError | undefined
}

/** A message that was sent on so many times in a row waits before it follows again. */
const movesMax = 4
/** Documents whose owner's address is remembered. */
const routesMax = 1_024

/** The messages of one connection that are not answered yet. */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #sends = new Map<string, Send>()
  readonly #routes = new Map<string, Endpoint>()
  #bytes = 0

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** True when no message waits for its answer. */
  get isEmpty(): boolean {
    return this.#sends.size === 0
  }

  /** Sends a message; the promise of the same document and id when that is under way already. */
  add(message: OutgoingMessage): Promise<Committed> {
    const key = keyOf(message.doc, message.id)
    const same = this.#sends.get(key)
    if (same !== undefined) return same.promise
    const { doc, message: name, value, id } = message
    const text = frameText({ type: 'send', doc, message: name, value, id })
    if (text instanceof FanfoldError) return Promise.reject(text)
    const bytes = bytesOf(text)
    const error = this.#limitError(message.doc, bytes)
    if (error !== undefined) return Promise.reject(error)
    const send = this.#create(key, message, text, bytes)
    this.#sends.set(key, send)
    this.#bytes += bytes
    this.#transmit(send)
    return send.promise
  }

  /** The line to `to` is open: sends what waits for it, in the order of `add`. */
  opened(to: Endpoint | undefined): void {
    for (const send of this.#on(to)) this.#transmit(send)
  }

  /** The line to `to` is lost. */
  lost(to: Endpoint | undefined): void {
    for (const send of this.#on(to)) {
      send.isUncertain ||= send.isSent
      send.isSent = false
    }
  }

  /** The address does not answer: its documents are asked for at home again. */
  forget(to: Endpoint): void {
    const sends = this.#on(to)
    for (const [doc, route] of [...this.#routes]) {
      if (route === to) this.#routes.delete(doc)
    }
    for (const send of sends) this.#transmit(send)
  }

  /** The line to `to` failed for good. */
  fail(to: Endpoint | undefined, error: FanfoldError): void {
    for (const send of this.#on(to)) this.#reject(send, error)
  }

  /** Nothing is sent any more. */
  close(error: FanfoldError): void {
    for (const send of [...this.#sends.values()]) this.#reject(send, error)
  }

  /** Takes an answer. */
  receive(frame: Extract<WriterFrame, { type: 'committed' | 'rejected' }>): void {
    const { doc, id } = frame
    const send = id === undefined ? undefined : this.#sends.get(keyOf(doc, id))
    if (send === undefined) return
    if (frame.type === 'rejected') {
      this.#rejected(send, new FanfoldError(frame.code, frame.message, { doc }))
    } else {
      this.#remove(send)
      send.resolve({ epoch: frame.epoch, seq: frame.seq })
    }
  }

  /** The node behind the line `by` says that a document's messages go to `to`. */
  move(doc: string, by: Endpoint | undefined, to: Endpoint): void {
    // Each message of a document is answered by a move of its own; the first has moved them all.
    if (this.#routes.get(doc) !== by) return
    this.#routes.delete(doc)
    const [oldest] = this.#routes.keys()
    if (this.#routes.size >= routesMax && oldest !== undefined) this.#routes.delete(oldest)
    this.#routes.set(doc, to)
    for (const send of [...this.#sends.values()]) {
      if (send.doc !== doc) continue
      send.isUncertain ||= send.isSent
      send.isSent = false
      if (++send.moves <= movesMax) this.#transmit(send)
      else this.#retryLater(send)
    }
  }

  #create(key: string, message: OutgoingMessage, text: string, bytes: number): Send {
    const send: Send = {
      ...deferred(),
      key,
      doc: message.doc,
      text,
      bytes,
      isRetried: message.retry ?? true,
      cancelDeadline: () => undefined,
      cancelRetry: () => undefined,
      isSent: false,
      isUncertain: false,
      moves: 0,
      retries: 0,
      rejection: undefined,
    }
    const { environment, sendTimeoutMs } = this.#options
    send.cancelDeadline = environment.setTimer(() => this.#expired(send), sendTimeoutMs)
    return send
  }

  #limitError(doc: string, bytes: number): FanfoldError | undefined {
    const { inFlightMax, inFlightBytesMax } = this.#options
    if (bytes > writeFrameBytesMax) {
      const message = `a message of at most ${writeFrameBytesMax} bytes, got ${bytes}`
      return new FanfoldError('FANFOLD_FRAME_TOO_LARGE', message, { doc })
    }
    if (this.#sends.size < inFlightMax && this.#bytes + bytes <= inFlightBytesMax) return undefined
    const message = `${this.#sends.size} messages with ${this.#bytes} bytes wait`
    return new FanfoldError('FANFOLD_TOO_MANY_IN_FLIGHT', message, { doc })
  }

  #rejected(send: Send, error: FanfoldError): void {
    send.isSent = false
    if (send.isRetried && isRetryCode(error.code)) {
      send.rejection = error
      this.#retryLater(send)
    } else {
      this.#remove(send)
      send.reject(error)
    }
  }

  #retryLater(send: Send): void {
    const { environment, reconnect } = this.#options
    const delayMs = reconnectDelayMs(send.retries++, reconnect, environment.random())
    send.cancelRetry()
    send.cancelRetry = environment.setTimer(() => {
      send.moves = 0
      this.#transmit(send)
    }, delayMs)
  }

  #transmit(send: Send): void {
    send.cancelRetry()
    send.isSent = this.#options.transmit(this.#routes.get(send.doc), send.text)
  }

  #expired(send: Send): void {
    const message = `no answer within ${this.#options.sendTimeoutMs} ms`
    this.#reject(send, send.rejection ?? new FanfoldError('FANFOLD_NOT_SENT', message))
  }

  /** Ends a message without an answer: with `error` when it is certain that nothing was done. */
  #reject(send: Send, error: FanfoldError): void {
    this.#remove(send)
    const { doc } = send
    const message = `sent and not answered: ${error.message}`
    send.reject(
      send.isSent || send.isUncertain
        ? new FanfoldError('FANFOLD_UNKNOWN_OUTCOME', message, { doc, cause: error })
        : new FanfoldError(error.code, error.message, { doc, cause: error.cause }),
    )
  }

  #remove(send: Send): void {
    this.#sends.delete(send.key)
    this.#bytes -= send.bytes
    send.cancelDeadline()
    send.cancelRetry()
  }

  #on(to: Endpoint | undefined): readonly Send[] {
    return [...this.#sends.values()].filter(send => this.#routes.get(send.doc) === to)
  }
}

const keyOf = (doc: string, id: string): string => `${doc} ${id}`
