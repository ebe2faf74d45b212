import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { httpServerOptions, listenBacklog } from '@fanfold/websocket'
import { type HttpAnswer, problemAnswer, sendAnswer } from './http-answer.ts'
import type { Log } from './logging.ts'
import type { ServedCertificate } from './served-certificate.ts'
import { TlsServer } from './tls-server.ts'

/** What requests that are under way when the port closes have left for their answers, ms. */
const answersMaxMs = 1_000

/** A route: answers, or leaves the request to the next one. */
export type HttpRoute = (
  request: IncomingMessage,
  path: string,
) => HttpAnswer | undefined | Promise<HttpAnswer | undefined>

/** Requests of one connection that may wait for their answers; one more, and it is cut. */
export const requestsAheadMax = 64

/** One port with its routes. What is no HTTP is answered by Node itself, and the connection closed. */
export class HttpListener {
  readonly server: Server
  readonly #log: Log
  /** Undefined where the port is plain. */
  readonly #tls: TlsServer | undefined
  /** Requests of each connection that wait for their answers. */
  readonly #ahead = new WeakMap<Socket, number>()
  #isClosing = false
  #given = 0
  /** Called when the last connection that was given has closed. */
  #whenNoneGiven: (() => void) | undefined

  /**
   * @param certificate what the port shows over TLS; undefined for a plain one
   * @param ticketKeys what its sessions are sealed with, base64, where processes share them
   */
  constructor(
    routes: readonly HttpRoute[],
    log: Log,
    certificate?: ServedCertificate | undefined,
    ticketKeys?: string | undefined,
  ) {
    this.#log = log
    this.#tls = certificate && new TlsServer({ certificate, log, ticketKeys })
    this.server = this.#tls?.server ?? createServer(httpServerOptions)
    this.server.on('request', (request, response) => {
      if (!this.#count(request, response)) return
      answer(routes, request)
        .catch((error: unknown) => {
          this.#log.error({ event: 'http.failed', err: error }, 'request failed')
          return problemAnswer('FANFOLD_INTERNAL', 'a fault of this node; its log says which')
        })
        .then(found => {
          if (this.#isClosing) response.setHeader('connection', 'close')
          sendAnswer(response, found)
        })
        .catch((error: unknown) => {
          this.#log.debug({ event: 'http.gone', err: error }, 'nobody took the answer')
          response.destroy()
        })
    })
  }

  /** Listens; resolves with the port, which is a free one for 0. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen({ port, host, backlog: listenBacklog }, () => {
        this.server.off('error', reject)
        resolve((this.server.address() as AddressInfo).port)
      })
    })
  }

  /** Serves connections that are given to it, and no port. */
  begin(): void {
    // From this event on Node looks for requests that are late.
    this.server.emit('listening')
  }

  /** Serves a connection that was accepted elsewhere. */
  take(socket: Socket): void {
    // As those are that the server accepts itself.
    socket.allowHalfOpen = true
    this.#given++
    socket.once('close', this.#countClosed)
    this.server.emit('connection', socket)
  }

  /** Connections that were accepted elsewhere and are open. */
  get given(): number {
    return this.#given
  }

  /** Shows another certificate to whoever connects from now on; a port that is plain stays so. */
  show(certificate: ServedCertificate): void {
    this.#tls?.show(certificate)
  }

  /** Takes no more connections, gives requests a moment for their answers, and cuts what is left. */
  async close(): Promise<void> {
    this.#isClosing = true
    const late = setTimeout(() => this.server.closeAllConnections(), answersMaxMs)
    const closed = new Promise<void>(resolve => this.server.close(() => resolve()))
    this.server.closeIdleConnections()
    this.#tls?.cutHandshakes()
    await closed
    // A server that does not listen knows of no connection.
    if (this.#given > 0) {
      await new Promise<void>(resolve => {
        this.#whenNoneGiven = resolve
      })
    }
    clearTimeout(late)
  }

  // A listener made for each connection would be held as long as it.
  readonly #countClosed = (): void => {
    this.#given--
    if (this.#given === 0) this.#whenNoneGiven?.()
  }

  /** Counts a request until it is answered; false when it is one too many, and the connection cut. */
  #count({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const ahead = this.#ahead.get(socket) ?? 0
    if (ahead >= requestsAheadMax) {
      this.#log.debug({ event: 'http.flood', requestsAheadMax }, 'too many requests unanswered')
      socket.destroy()
      return false
    }
    this.#ahead.set(socket, ahead + 1)
    response.once('close', () => this.#ahead.set(socket, (this.#ahead.get(socket) ?? 1) - 1))
    return true
  }
}

async function answer(routes: readonly HttpRoute[], request: IncomingMessage): Promise<HttpAnswer> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  for (const route of routes) {
    const found = await route(request, path)
    if (found !== undefined) return found
  }
  return problemAnswer('FANFOLD_NO_ROUTE', `nothing at ${path.slice(0, 200)}`)
}
