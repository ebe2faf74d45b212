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

  /** @param certificate what the port shows over TLS; undefined for a plain one */
  constructor(routes: readonly HttpRoute[], log: Log, certificate?: ServedCertificate | undefined) {
    this.#log = log
    this.#tls = certificate && new TlsServer({ certificate, log })
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

  /** Shows another certificate to whoever connects from now on; a port that is plain stays so. */
  show(certificate: ServedCertificate): void {
    this.#tls?.show(certificate)
  }

  /** Takes no more connections, gives requests a moment for their answers, and cuts what is left. */
  close(): Promise<void> {
    this.#isClosing = true
    return new Promise(resolve => {
      const late = setTimeout(() => this.server.closeAllConnections(), answersMaxMs)
      this.server.close(() => {
        clearTimeout(late)
        resolve()
      })
      this.server.closeIdleConnections()
      this.#tls?.cutHandshakes()
    })
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
