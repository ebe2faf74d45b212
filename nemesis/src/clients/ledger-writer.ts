/*
 * A writer of the ledger: one socket at a time, so many messages under way, each with an id of its own and
 * a value unlike any other. When the socket is lost, some of what was not answered is sent again under its
 * id, and of the rest nobody ever knows.
 */
import type { Prng } from '@fanfold/kernel'
import { WebSocket } from 'ws'
import {
  type WriterHistoryEvent,
  type WriterSettings,
  type WritersSettings,
  whisperMarker,
} from './client-messages.ts'

/** Longest time without any answer while one is due, ms: then the socket is given up. */
const answerMsMax = 3_000
const dialMsMax = 2_000
/** Waits between attempts to connect, ms. */
const redialMs = { min: 50, max: 400 }
/** After a refusal nothing is sent for so long, ms. */
const refusedPauseMs = 20
/** Of messages, how many only some viewers see. */
const whisperShare = 0.2
/** How often the pace is looked at, ms. */
const tickMs = 5

type Message = { readonly message: 'put' | 'whisper'; readonly value: string }
type Answer = {
  readonly type: string
  readonly id?: string
  readonly epoch?: number
  readonly seq?: number
  readonly code?: string
  /** Where the document is written, for `moved`. */
  readonly to?: string
}

/** What its owner is told. */
export type WriterListener = { event(event: WriterHistoryEvent): void }

/** One writer of one document. */
export class LedgerWriter {
  readonly name: string
  readonly doc: string
  readonly #settings: WritersSettings
  readonly #prng: Prng
  readonly #listener: WriterListener
  readonly #inFlight = new Map<string, Message>()
  readonly #again = new Map<string, Message>()
  readonly #timer: NodeJS.Timeout
  #socket: WebSocket | undefined
  /** Which of the authorities is dialled next. */
  #turn = 0
  /** The authority that another one has named. */
  #led: string | undefined
  #count = 0
  /** Messages that may be sent by its pace. */
  #allowance = 0
  #tickedAtMs = performance.now()
  #heardAtMs = 0
  #pausedUntilMs = 0
  #isPaused = false
  #isClosed = false

  constructor(
    writer: WriterSettings,
    options: {
      readonly settings: WritersSettings
      readonly prng: Prng
      readonly listener: WriterListener
    },
  ) {
    this.name = writer.name
    this.doc = writer.doc
    this.#settings = options.settings
    this.#prng = options.prng
    this.#listener = options.listener
    this.#timer = setInterval(() => this.#tick(), tickMs)
    this.#dial()
  }

  /** Messages that are to be answered, or to be sent again. */
  get open(): number {
    return this.#inFlight.size + this.#again.size
  }

  get isConnected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  /** Whether nothing new is sent from now on. */
  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.#fill()
  }

  /** Sends one message that all viewers see, at once or when it is connected again. */
  mark(): void {
    const { id, value } = this.#next('put')
    const message: Message = { message: 'put', value }
    if (this.isConnected) this.#send(id, message)
    else this.#again.set(id, message)
  }

  /** Closes the socket for good: what is open is never answered. */
  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#socket?.terminate()
    this.#lose(0)
    this.#again.clear()
  }

  #dial(): void {
    const { urls, token } = this.#settings
    const url = this.#led ?? urls[this.#turn++ % urls.length] ?? ''
    this.#led = undefined
    const socket = new WebSocket(`${url}/v1/write`, ['fanfold.v1', `bearer.${token}`], {
      perMessageDeflate: false,
      handshakeTimeout: dialMsMax,
    })
    this.#socket = socket
    socket.on('open', () => {
      this.#heardAtMs = performance.now()
      // Whoever is there is dialled again first.
      this.#turn = Math.max(0, urls.indexOf(url))
      const again = [...this.#again]
      this.#again.clear()
      for (const [id, message] of again) this.#send(id, message)
      this.#fill()
    })
    socket.on('message', data => this.#take(JSON.parse(String(data))))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#lose(this.#settings.resendShare)
      if (this.#isClosed) return
      const { min, max } = redialMs
      setTimeout(
        () => {
          if (!this.#isClosed) this.#dial()
        },
        min + this.#prng.below(max - min),
      )
    })
  }

  #tick(): void {
    const nowMs = performance.now()
    const { perSecond, inFlightMax } = this.#settings
    this.#allowance += ((nowMs - this.#tickedAtMs) / 1_000) * perSecond
    this.#allowance = Math.min(this.#allowance, inFlightMax)
    this.#tickedAtMs = nowMs
    if (this.#inFlight.size === 0) this.#heardAtMs = nowMs
    if (nowMs - this.#heardAtMs > answerMsMax) this.#socket?.terminate()
    this.#fill()
  }

  #fill(): void {
    if (!this.isConnected || this.#isPaused || performance.now() < this.#pausedUntilMs) return
    const { inFlightMax, perSecond } = this.#settings
    while (this.#inFlight.size < inFlightMax && (perSecond === 0 || this.#allowance >= 1)) {
      this.#allowance--
      const message = this.#prng.chance(whisperShare) ? 'whisper' : 'put'
      const { id, value } = this.#next(message)
      this.#send(id, { message, value })
    }
  }

  #next(message: Message['message']): { readonly id: string; readonly value: string } {
    const id = `${this.name}-${(this.#count++).toString(36)}`
    const salt = this.#prng.uint32().toString(36)
    const mark = message === 'whisper' ? whisperMarker : ''
    return { id, value: `${id}:${salt}${mark}`.padEnd(this.#settings.valueLength, '.') }
  }

  #send(id: string, sent: Message): void {
    const { doc, name: writer } = this
    const { message, value } = sent
    this.#inFlight.set(id, sent)
    this.#listener.event({ kind: 'invoke', doc, id, value, atMs: Date.now() })
    const frame = { type: 'send', doc, message, value: { writer, value }, id }
    this.#socket?.send(JSON.stringify(frame))
  }

  #take({ type, id = '', epoch = 0, seq = 0, code = type, to }: Answer): void {
    this.#heardAtMs = performance.now()
    const { doc } = this
    const sent = this.#inFlight.get(id)
    if (sent === undefined) return
    this.#inFlight.delete(id)
    const atMs = Date.now()
    if (to !== undefined) {
      this.#listener.event({ kind: 'info', doc, id, atMs })
      this.#again.set(id, sent)
      this.#led = to
      this.#socket?.terminate()
      return
    }
    if (type === 'committed') {
      this.#listener.event({ kind: 'ok', doc, id, epoch, seq, atMs })
    } else {
      this.#listener.event({ kind: 'fail', doc, id, code, atMs })
      this.#pausedUntilMs = performance.now() + refusedPauseMs
    }
    // Refilled in strides, so that messages leave in few packets.
    if (this.#inFlight.size <= this.#settings.inFlightMax / 2) this.#fill()
  }

  #lose(resendShare: number): void {
    const { doc } = this
    for (const [id, message] of this.#inFlight) {
      this.#listener.event({ kind: 'info', doc, id, atMs: Date.now() })
      if (this.#prng.chance(resendShare)) this.#again.set(id, message)
    }
    this.#inFlight.clear()
  }
}
