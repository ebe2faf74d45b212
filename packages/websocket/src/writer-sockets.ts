/*
 * Writers over WebSockets: performs `WriterEffect`, reports `WriterInput`.
 *
 * Each request that may be done at all gets a number, and its answer finds the connection by it, or
 * finds that it is gone. A writer with too many requests that wait is not read from.
 */
import type { IncomingMessage } from 'node:http'
import { assert } from '@fanfold/kernel'
import {
  type DocumentKey,
  decodeWriterRequest,
  type ErrorCode,
  encodeWriterFrame,
  type Grants,
  isGranted,
  type RequestId,
  type WriteAnswer,
  type WriterEffect,
  type WriterFrame,
  type WriterInput,
  type WriterRequest,
} from '@fanfold/protocol'
import { ClientConnection, type ClientEvents, type ClientFrame } from './client-connection.ts'
import type { ClientLimits } from './client-limits.ts'
import type { ClientSocket } from './client-socket.ts'
import type { Clock } from './clock.ts'
import { CloseCounts } from './close-reason.ts'
import { InputQueue } from './input-queue.ts'
import { Sweep } from './sweep.ts'
import { TokenGate, tokensVerifyingMaxDefault } from './token-gate.ts'
import { TurnCork } from './turn-cork.ts'

/** Requests of one writer that may wait for their answers, by default. */
export const writesInFlightMaxDefault = 4_096

/** Numbers of a node's writers, for metrics. */
export type WriterStats = {
  readonly writers: number
  /** Requests that wait for their answers. */
  readonly writesInFlight: number
  readonly writes: number
  readonly committed: number
  readonly rejected: number
  /** Answers to requests of writers that had gone. */
  readonly answersLost: number
  readonly closes: Readonly<Record<string, number>>
}

/** Requests of a writer but for the token, which is the rim's. */
type Request = Extract<WriterRequest, { type: 'send' }>

/** A request that waits for its answer. */
type Pending = {
  readonly writer: Writer
  readonly doc: DocumentKey
  readonly id: string | undefined
}

class Writer {
  inFlight = 0
  #connection: ClientConnection<Request, Writer> | undefined

  /** Set once, right after construction: the connection's events need the writer and the reverse. */
  set connection(connection: ClientConnection<Request, Writer>) {
    this.#connection = connection
  }

  get connection(): ClientConnection<Request, Writer> {
    assert(this.#connection !== undefined, 'a writer has its connection')
    return this.#connection
  }
}

/** How often deadlines, silence and standstill are looked at, ms. */
const sweepMs = 1_000

/** The writers of one node. */
export class WriterSockets {
  readonly #verifyToken: (token: string) => Promise<Grants>
  readonly #nextRequest: () => RequestId
  readonly #ownerOf: (doc: DocumentKey) => string | undefined
  readonly #writesInFlightMax: number
  readonly #limits: ClientLimits
  readonly #clock: Clock
  readonly #inputs: InputQueue<WriterInput>
  readonly #events: ClientEvents<Request, Writer>
  readonly #sweep: Sweep
  readonly #cork = new TurnCork()
  readonly #gate: TokenGate
  readonly #writers = new Set<Writer>()
  readonly #pending = new Map<RequestId, Pending>()
  readonly #closes = new CloseCounts()
  #writes = 0
  #committed = 0
  #rejected = 0
  #answersLost = 0
  #isClosed = false

  constructor(options: {
    /** What a token allows; rejects when it is not good. */
    readonly verifyToken: (token: string) => Promise<Grants>
    /** Names for requests, unique in the process. */
    readonly nextRequest: () => RequestId
    /** The address of the node that takes writes to `doc`; undefined when this one does. */
    readonly ownerOf: (doc: DocumentKey) => string | undefined
    /** Takes what happens; never called from inside `perform` or `accept`. */
    readonly report: (input: WriterInput) => void
    readonly limits: ClientLimits
    /** Tokens of newcomers that are verified at a time; more are sent away for a while. Default 4,096. */
    readonly tokensVerifyingMax?: number | undefined
    /** Requests of one writer that may wait for their answers; at that many it is not read from. */
    readonly writesInFlightMax: number
    readonly clock: Clock
  }) {
    this.#verifyToken = options.verifyToken
    this.#gate = new TokenGate({
      tokensMax: options.tokensVerifyingMax ?? tokensVerifyingMaxDefault,
    })
    this.#nextRequest = options.nextRequest
    this.#ownerOf = options.ownerOf
    this.#limits = options.limits
    this.#writesInFlightMax = options.writesInFlightMax
    this.#clock = options.clock
    this.#inputs = new InputQueue(options.report)
    this.#events = {
      opened: () => undefined,
      renewed: () => undefined,
      requested: (writer, asked, bytes) => this.#requested(writer, asked, bytes),
      drained: () => undefined,
      confirmed: () => undefined,
      closed: (writer, why) => {
        this.#closes.add(why)
        this.#writers.delete(writer)
      },
    }
    this.#sweep = new Sweep({
      clock: options.clock,
      periodMs: sweepMs,
      isNeeded: () => this.#writers.size > 0,
      task: awakeMs => {
        const wallMs = options.clock.wallMs()
        for (const writer of this.#writers) writer.connection.sweep(awakeMs, wallMs)
      },
    })
  }

  /** Takes over a connection; it writes once it has shown a good token. */
  accept(client: ClientSocket, request: IncomingMessage): void {
    if (this.#isClosed) {
      client.terminate()
      return
    }
    const writer = new Writer()
    writer.connection = new ClientConnection<Request, Writer>({
      client,
      request,
      limits: this.#limits,
      clock: this.#clock,
      cork: this.#cork,
      awakeMs: this.#sweep.awakeMs,
      confirmation: undefined,
      gate: this.#gate,
      verifyToken: this.#verifyToken,
      decode: decodeRequest,
      owner: writer,
      events: this.#events,
    })
    this.#writers.add(writer)
    this.#sweep.start()
  }

  /** Answers a request. */
  perform(effect: WriterEffect): void {
    this.#inputs.perform(() => {
      const pending = this.#pending.get(effect.request)
      if (pending === undefined) return
      this.#pending.delete(effect.request)
      const { writer, doc, id } = pending
      if (this.#writers.has(writer)) this.#answer(writer, { doc, id }, effect.answer)
      else this.#answersLost++
      writer.inFlight--
      assert(writer.inFlight >= 0, `a writer's requests are counted, ${writer.inFlight}`)
      if (writer.inFlight < this.#writesInFlightMax) writer.connection.resume()
    })
  }

  /** Numbers for metrics. */
  stats(): WriterStats {
    return {
      writers: this.#writers.size,
      writesInFlight: this.#pending.size,
      writes: this.#writes,
      committed: this.#committed,
      rejected: this.#rejected,
      answersLost: this.#answersLost,
      closes: this.#closes.snapshot(),
    }
  }

  /** Closes every writer with 1012 and tells it when to come back. */
  drain(retryAfterMs: number): void {
    for (const writer of [...this.#writers]) {
      writer.connection.end('FANFOLD_DRAINING', 'the node is going away', retryAfterMs)
    }
  }

  /** Cuts every writer and reports nothing any more. May be called at any time, and twice. */
  close(): void {
    this.#isClosed = true
    this.#inputs.close()
    this.#sweep.stop()
    for (const writer of [...this.#writers]) writer.connection.terminate()
    this.#pending.clear()
  }

  #requested(writer: Writer, asked: Request, bytes: number): void {
    const { grants } = writer.connection
    assert(grants !== undefined, 'requests come after the token')
    const { doc, message, value, id } = asked
    if (!isGranted(grants, 'write', doc)) {
      this.#reject(
        writer,
        { doc, id },
        'FANFOLD_FORBIDDEN',
        'the token may not write this document',
      )
      return
    }
    const owner = this.#ownerOf(doc)
    if (owner !== undefined) {
      send(writer, { type: 'moved', doc, ...idField(id), to: owner })
      return
    }
    const request = this.#nextRequest()
    this.#pending.set(request, { writer, doc, id })
    this.#writes++
    writer.inFlight++
    if (writer.inFlight >= this.#writesInFlightMax) writer.connection.pause()
    this.#inputs.report({
      kind: 'write',
      request,
      doc,
      action: { type: 'send', message, value },
      id,
      subject: grants.subject,
      claims: grants.claims,
      mayCreate: isGranted(grants, 'create', doc),
      timeMs: this.#clock.wallMs(),
      bytes,
      trace: undefined,
    })
  }

  #answer(
    writer: Writer,
    asked: { readonly doc: DocumentKey; readonly id: string | undefined },
    answer: WriteAnswer,
  ): void {
    if (answer.kind === 'rejected') {
      this.#reject(writer, asked, answer.code, answer.message)
      return
    }
    this.#committed++
    const { epoch, seq } = answer
    send(writer, { type: 'committed', doc: asked.doc, ...idField(asked.id), epoch, seq })
  }

  #reject(
    writer: Writer,
    asked: { readonly doc: DocumentKey; readonly id: string | undefined },
    code: ErrorCode,
    message: string,
  ): void {
    this.#rejected++
    send(writer, { type: 'rejected', doc: asked.doc, ...idField(asked.id), code, message })
  }
}

function send(writer: Writer, frame: WriterFrame): void {
  writer.connection.send(Buffer.from(encodeWriterFrame(frame)))
}

function idField(id: string | undefined): { readonly id?: string } {
  return id === undefined ? {} : { id }
}

function decodeRequest(text: string): ClientFrame<Request> {
  const request = decodeWriterRequest(text)
  return request.type === 'authenticate' ? { token: request.token } : { request }
}
