/*
 * A writer without the SDK, for many messages at full speed: so many in flight, each with an id.
 */
import { once } from 'node:events'
import { within } from '@fanfold/nemesis'
import { WebSocket } from 'ws'

/** A message to send. */
export type Message = { readonly message: string; readonly value: unknown }

/** What the authority answered. */
export type Answer = {
  readonly type: string
  readonly id?: string
  readonly epoch?: number
  readonly seq?: number
  readonly code?: string
  readonly message?: string
}

const inFlightMax = 512

/** Under the 10,000 messages a second that an authority takes of one writer, after its burst. */
const messagesPerSecond = 9_000
const burst = 15_000
const pauseMs = 5

/** Messages sent by this process: ids are unlike those of its other writers, and short. */
let messageCount = 0
const nextId = (): string => (messageCount++).toString(36)

/** One connection that writes. */
export class Writer {
  readonly #socket: WebSocket
  #onAnswer: (answer: Answer) => void = () => undefined
  #onClose: (code: number) => void = () => undefined

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', data => this.#onAnswer(JSON.parse(String(data))))
    socket.on('close', code => this.#onClose(code))
    socket.on('error', () => undefined)
  }

  static async open(options: {
    readonly url: string
    readonly token: string
    /** Whose certificates it believes over TLS (PEM); those that Node does when left out. */
    readonly authority?: string | undefined
  }): Promise<Writer> {
    const { url, token, authority } = options
    const socket = new WebSocket(`${url}/v1/write`, ['fanfold.v1', `bearer.${token}`], {
      perMessageDeflate: false,
      ...(authority === undefined ? {} : { ca: authority }),
    })
    const writer = new Writer(socket)
    await once(socket, 'open')
    return writer
  }

  /** Sends one message; what was answered. */
  async send(doc: string, { message, value }: Message, id = nextId()): Promise<Answer> {
    if (this.#socket.readyState !== WebSocket.OPEN) throw new Error('the writer is closed')
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#onAnswer = resolve
      this.#onClose = code => reject(new Error(`the writer was closed with ${code}`))
    })
    this.#socket.send(JSON.stringify({ type: 'send', doc, message, value, id }))
    return await within(`${message} is answered`, answer)
  }

  /**
   * Sends all messages to one document, in order and at full speed; the seq of the last one.
   *
   * @throws Error at the first that is not committed
   */
  async sendAll(
    doc: string,
    messages: Iterable<Message>,
    options: {
      readonly deadlineMs?: number
      /** Told how many are committed, each time. */
      readonly onCommitted?: (count: number) => void
    } = {},
  ): Promise<number> {
    const { deadlineMs = 55_000, onCommitted } = options
    const rest = messages[Symbol.iterator]()
    const startedAt = performance.now()
    const isTooFast = (): boolean =>
      sent > burst + ((performance.now() - startedAt) / 1_000) * messagesPerSecond
    let sent = 0
    let answered = 0
    let isAllSent = false
    let lastSeq = 0
    const done = new Promise<void>((resolve, reject) => {
      const fill = (): void => {
        while (!isAllSent && sent - answered < inFlightMax) {
          if (isTooFast()) {
            setTimeout(fill, pauseMs)
            return
          }
          const next = rest.next()
          if (next.done === true) {
            isAllSent = true
            break
          }
          const { message, value } = next.value
          const id = nextId()
          this.#socket.send(JSON.stringify({ type: 'send', doc, message, value, id }))
          sent++
        }
        if (isAllSent && answered === sent) resolve()
      }
      this.#onAnswer = answer => {
        if (answer.type !== 'committed') {
          reject(new Error(`message ${answered} of ${doc}: ${JSON.stringify(answer)}`))
          return
        }
        answered++
        lastSeq = Math.max(lastSeq, answer.seq ?? 0)
        onCommitted?.(answered)
        // Refilled in strides, so that messages leave in few packets.
        if (sent - answered < inFlightMax / 2) fill()
      }
      this.#onClose = code => reject(new Error(`the writer of ${doc} was closed with ${code}`))
      fill()
    })
    await within(`all messages to ${doc} are committed`, done, deadlineMs)
    return lastSeq
  }

  close(): void {
    this.#onClose = () => undefined
    this.#socket.terminate()
  }
}
