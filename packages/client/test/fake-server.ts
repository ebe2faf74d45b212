import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'

/** One client on a fake server. */
export type FakePeer = {
  readonly path: string
  readonly token: string | undefined
  send(frame: object): void
  close(code: number, reason?: string): void
  /** Ends without a closing handshake. */
  cut(): void
  /** The next frame that the client sends. */
  next(): Promise<{ readonly [name: string]: unknown }>
}

/** A server on a free port that does what the test says. */
export class FakeServer {
  readonly #server: WebSocketServer
  readonly #peers = new Arrivals<FakePeer>()
  /** Handshakes that are refused with HTTP 503 before one is taken. */
  refusals = 0

  private constructor() {
    this.#server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      verifyClient: (_, answer) => {
        if (this.refusals-- > 0) answer(false, 503, 'busy', { 'Retry-After': '1' })
        else answer(true)
      },
      handleProtocols: protocols => (protocols.has('fanfold.v1') ? 'fanfold.v1' : false),
    })
    this.#server.on('connection', (socket, request) => this.#peers.push(peer(socket, request)))
  }

  static async start(): Promise<FakeServer> {
    const server = new FakeServer()
    await once(server.#server, 'listening')
    return server
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('a server on a port')
    return `ws://127.0.0.1:${address.port}`
  }

  /** The next client that connects. */
  next(): Promise<FakePeer> {
    return this.#peers.next()
  }

  stop(): void {
    for (const socket of this.#server.clients) socket.terminate()
    this.#server.close()
  }
}

function peer(socket: WebSocket, request: IncomingMessage): FakePeer {
  const frames = new Arrivals<{ readonly [name: string]: unknown }>()
  socket.on('message', data => frames.push(JSON.parse(String(data))))
  const protocols = request.headers['sec-websocket-protocol'] ?? ''
  return {
    path: request.url ?? '',
    token: /bearer\.(.+)$/.exec(protocols)?.[1],
    send: frame => socket.send(JSON.stringify(frame)),
    close: (code, reason) => socket.close(code, reason),
    cut: () => socket.terminate(),
    next: () => frames.next(),
  }
}

/** What arrives, in order, for those who wait for it. */
class Arrivals<Item> {
  readonly #items: Item[] = []
  readonly #takers: ((item: Item) => void)[] = []

  push(item: Item): void {
    const taker = this.#takers.shift()
    if (taker === undefined) this.#items.push(item)
    else taker(item)
  }

  next(): Promise<Item> {
    const item = this.#items.shift()
    if (item !== undefined) return Promise.resolve(item)
    return new Promise(resolve => this.#takers.push(resolve))
  }
}
