/*
 * The public port's front door: takes WebSocket requests off an HTTP server and hands each to the
 * part that serves its path. Whatever is wrong with a request is answered here, in HTTP.
 *
 * When thousands come at once, because a node near by has gone, so many are let in that those who are
 * in do not notice; the others are told, before anything is done for them, when to come again.
 */
import { type IncomingMessage, type Server, type ServerOptions, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { assert, TokenBucket } from '@fanfold/kernel'
import { type ErrorCode, limits, linkSubprotocol, viewerSubprotocol } from '@fanfold/protocol'
import { type WebSocket, WebSocketServer } from 'ws'
import { ClientSocket } from './client-socket.ts'
import { type Clock, systemClock } from './clock.ts'
import { FrameReaders } from './frame-reader.ts'
import { isOriginAllowed } from './origin.ts'
import { hasTokenInUrl, offeredSubprotocols } from './request-token.ts'
import { retryAfterMs } from './retry-after.ts'
import { TurnQueue } from './turn-queue.ts'
import { deflateNegotiation, handshakeServer, upgraded } from './ws-internals.ts'

/**
 * What the HTTP server under a router is made with: limits on requests that never end. A request
 * that is late is answered 408, one with too long a header 431, by Node itself.
 */
export const httpServerOptions: ServerOptions = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  noDelay: true,
}

/** Takes over a WebSocket that has been opened; `request.socket` is the socket under it. */
interface SocketAcceptor<Opened> {
  accept(opened: Opened, request: IncomingMessage): void
}

/** Takes over links that other nodes open. */
export type LinkAcceptor = SocketAcceptor<WebSocket>

/** Who takes over what is opened under one prefix. */
type SocketAcceptors = {
  readonly link?: LinkAcceptor | undefined
  readonly observe?: SocketAcceptor<ClientSocket> | undefined
  readonly write?: SocketAcceptor<ClientSocket> | undefined
}

/** What can be opened under one prefix. */
export type RouteName = 'link' | 'observe' | 'write'

/** The path of each route, behind its prefix. */
export const routePaths: Readonly<Record<RouteName, string>> = {
  link: '/v1/link',
  observe: '/v1/observe',
  write: '/v1/write',
}

/** Connections of clients that wait for the operating system to be accepted: a storm's first moment. */
export const listenBacklog = 4_096

/** Handshakes of clients in a second, by default. */
export const handshakesPerSecondMaxDefault = 3_000
/** Handshakes of clients that may come at once after a quiet time, by default. */
export const handshakesBurstDefault = 6_000

/** Handshakes of clients answered in one turn before others have theirs; about half a millisecond. */
const handshakesPerTurn = 2

/** Says more exactly than Retry-After when to come again, ms, to each client something else. */
export const retryAfterHeader = 'fanfold-retry-after-ms'

/** How long ws waits for the other side's close frame before it cuts the connection, ms. */
const closeTimeoutMs = 2_000

const routeRules = {
  // Fragments and chunks are limited as well as bytes: tiny ones cost far more memory than they hold.
  link: {
    subprotocol: linkSubprotocol,
    maxPayload: limits.linkFrameBytesMax.value,
    maxFragments: 128,
    maxBufferedChunks: 16_384,
  },
  observe: {
    subprotocol: viewerSubprotocol,
    maxPayload: limits.observeFrameBytesMax.value,
    maxFragments: 128,
    maxBufferedChunks: 4_096,
  },
  write: {
    subprotocol: viewerSubprotocol,
    maxPayload: limits.writeFrameBytesMax.value,
    maxFragments: 128,
    maxBufferedChunks: 16_384,
  },
} as const

type Route = {
  readonly name: RouteName
  readonly server: WebSocketServer
  /** Takes over what the server has opened. */
  readonly accept: (opened: WebSocket, request: IncomingMessage) => void
}

/** A request that is let in. */
type Handshake = {
  readonly route: Route
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

type Refusal = {
  readonly status: number
  readonly code: ErrorCode
  readonly message: string
}

/** Routes WebSocket requests by path. */
export class UpgradeRouter {
  readonly #origins: readonly string[]
  readonly #connectionsMax: number
  readonly #handshakesPerSecondMax: number
  readonly #clock: Clock
  readonly #handshakes: TokenBucket
  /** Those of clients that wait for their turn. */
  readonly #queue: TurnQueue<Handshake>
  readonly #routes = new Map<string, Route>()
  readonly #servers: Readonly<Record<RouteName, WebSocketServer>>
  #connections = 0
  #refused = 0
  #turnedAway = 0
  #isClosed = false

  constructor(options: {
    /** Origins of pages that may connect, beside pages of the same host; `*` for any. */
    readonly origins: readonly string[]
    /** Connections open at the same time; more are answered 503 with Retry-After. */
    readonly connectionsMax: number
    /** Handshakes of clients in a second; more are answered 503 with a time to wait. Links do not count. Default 3,000. */
    readonly handshakesPerSecondMax?: number | undefined
    /** Handshakes of clients at once after a quiet time, and that may wait. Default 6,000. */
    readonly handshakesBurst?: number | undefined
    /** Whether viewers are offered permessage-deflate. Default false. */
    readonly isCompressing?: boolean | undefined
    /** Default the machine's. */
    readonly clock?: Clock | undefined
  }) {
    this.#origins = options.origins
    this.#connectionsMax = options.connectionsMax
    this.#clock = options.clock ?? systemClock
    this.#handshakesPerSecondMax = options.handshakesPerSecondMax ?? handshakesPerSecondMaxDefault
    const burst = options.handshakesBurst ?? handshakesBurstDefault
    this.#handshakes = new TokenBucket({
      perSecondMax: this.#handshakesPerSecondMax,
      burst,
      nowMs: this.#clock.monotonicMs(),
    })
    this.#queue = new TurnQueue<Handshake>({
      perTurn: handshakesPerTurn,
      itemsMax: burst,
      serve: handshake => this.#open(handshake),
    })
    this.#servers = {
      link: webSocketServer('link'),
      observe: webSocketServer('observe', options.isCompressing),
      write: webSocketServer('write'),
    }
  }

  /**
   * Serves the routes named in `acceptors` under `prefix`, such as '' or '/edge/2'.
   *
   * @throws AssertionError when a path is served already
   */
  add(prefix: string, acceptors: SocketAcceptors): void {
    const { link, observe, write } = acceptors
    const server = this.#servers.link
    if (link !== undefined) {
      this.#addRoute(prefix, { name: 'link', server, accept: link.accept.bind(link) })
    }
    if (observe !== undefined) this.#addRoute(prefix, this.#clientRoute('observe', observe))
    if (write !== undefined) this.#addRoute(prefix, this.#clientRoute('write', write))
  }

  #addRoute(prefix: string, route: Route): void {
    const path = `${prefix}${routePaths[route.name]}`
    assert(!this.#routes.has(path), `one route per path, ${path} has one`)
    this.#routes.set(path, route)
  }

  #clientRoute(name: 'observe' | 'write', acceptor: SocketAcceptor<ClientSocket>): Route {
    const readers = new FrameReaders(routeRules[name])
    return {
      name,
      server: this.#servers[name],
      accept: (opened, request) => {
        acceptor.accept(new ClientSocket({ ...upgraded(opened), readers }), request)
      },
    }
  }

  /** Takes the upgrade requests of `server` from now on. */
  attach(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** Numbers for metrics. */
  stats(): {
    readonly connections: number
    /** Requests that were answered in HTTP, for whatever reason. */
    readonly refused: number
    /** Those of them that came when too many did. */
    readonly turnedAway: number
  } {
    return {
      connections: this.#connections,
      refused: this.#refused,
      turnedAway: this.#turnedAway,
    }
  }

  /**
   * Answers every request 503 from now on; connections that are open belong to their acceptors. May
   * be called twice.
   */
  close(): void {
    this.#isClosed = true
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A socket without this listener that breaks now would end the process.
    socket.on('error', destroySocket)
    const route = this.#routes.get(pathOf(request))
    const refusal = this.#refusal(request, route)
    if (refusal !== undefined || route === undefined) {
      this.#refused++
      refuse(socket, refusal ?? noRoute)
      return
    }
    this.#connections++
    // A listener made here would keep the request alive as long as the connection; it closes once.
    socket.on('close', this.#countClosed)
    const handshake = { route, request, socket, head }
    // A link is what all viewers of a node wait for.
    if (route.name === 'link') this.#open(handshake)
    else this.#queue.add(handshake)
  }

  #open({ route, request, socket, head }: Handshake): void {
    if (socket.destroyed) return
    if (this.#isClosed) {
      this.#refused++
      refuse(socket, closing)
      return
    }
    ignoreSmallWindows(request)
    route.server.handleUpgrade(request, socket, head, opened => {
      socket.off('error', destroySocket)
      route.accept(opened, request)
    })
  }

  #hasRoom(): boolean {
    return !this.#queue.isFull && this.#handshakes.take(this.#clock.monotonicMs())
  }

  readonly #countClosed = (): void => {
    this.#connections--
  }

  #refusal(request: IncomingMessage, route: Route | undefined): Refusal | undefined {
    if (route === undefined) return noRoute
    if (this.#isClosed) return closing
    if (route.name !== 'link' && !this.#hasRoom()) {
      this.#turnedAway++
      return {
        status: 503,
        code: 'FANFOLD_OVERLOADED',
        message: `at most ${this.#handshakesPerSecondMax} handshakes per second`,
      }
    }
    const { headers } = request
    if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) {
      return hasBody
    }
    if (hasTokenInUrl(request.url ?? '')) return tokenInUrl
    const { subprotocol } = routeRules[route.name]
    if (!offeredSubprotocols(request).includes(subprotocol)) {
      return {
        status: 400,
        code: 'FANFOLD_VERSION',
        message: `this route speaks the subprotocol ${subprotocol}, which must be offered`,
      }
    }
    if (!isOriginAllowed({ origin: headers.origin, host: headers.host }, this.#origins)) {
      return {
        status: 403,
        code: 'FANFOLD_ORIGIN',
        message: 'the origin of the page is not allowed',
      }
    }
    if (this.#connections >= this.#connectionsMax) {
      return {
        status: 503,
        code: 'FANFOLD_OVERLOADED',
        message: `the node has its ${this.#connectionsMax} connections`,
      }
    }
    return undefined
  }
}

const noRoute: Refusal = {
  status: 404,
  code: 'FANFOLD_NO_ROUTE',
  message: 'no WebSocket is served on this path',
}
const closing: Refusal = {
  status: 503,
  code: 'FANFOLD_DRAINING',
  message: 'the node is going away',
}
const hasBody: Refusal = {
  status: 400,
  code: 'FANFOLD_BAD_FRAME',
  message: 'a request for a WebSocket has no body',
}
const tokenInUrl: Refusal = {
  status: 400,
  code: 'FANFOLD_UNAUTHORIZED',
  message: 'a token travels in the subprotocol list or the Authorization header, never in the URL',
}

function webSocketServer(name: RouteName, isCompressing = false): WebSocketServer {
  const { subprotocol, ...bounds } = routeRules[name]
  const options = {
    ...bounds,
    noServer: true,
    clientTracking: false,
    perMessageDeflate: isCompressing && deflateNegotiation,
    closeTimeout: closeTimeoutMs,
    // The list may also carry the token, which must not come back.
    handleProtocols: () => subprotocol,
  }
  return name === 'link' ? new WebSocketServer(options) : handshakeServer(options)
}

/** Who can only inflate with a smaller window than shared bytes need is sent all as it is: ws would refuse it. */
function ignoreSmallWindows({ headers }: IncomingMessage): void {
  const offers = headers['sec-websocket-extensions']
  if (offers?.includes('server_max_window_bits') === true) {
    delete headers['sec-websocket-extensions']
  }
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? ''
  const at = url.indexOf('?')
  return at === -1 ? url : url.slice(0, at)
}

function refuse(socket: Duplex, refusal: Refusal): void {
  const { status, code, message } = refusal
  const body = JSON.stringify({ code, message })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  if (status === 503) {
    const waitMs = retryAfterMs()
    head.push(`Retry-After: ${Math.ceil(waitMs / 1_000)}`, `${retryAfterHeader}: ${waitMs}`)
  }
  socket.once('finish', destroySocket)
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function destroySocket(this: Duplex | Socket): void {
  this.destroy()
}
