import { type Grants, viewerSubprotocol } from '@fanfold/protocol'
import type { Test } from 'tap'
import { type PerMessageDeflateOptions, WebSocket } from 'ws'

/** Grants that allow all there is, for a year, but for what is overridden. */
export const grants = (overrides: Partial<Grants> = {}): Grants => ({
  subject: 'ann',
  tenant: undefined,
  documents: ['acme/**'],
  allow: ['observe', 'write'],
  expiresAtMs: undefined,
  claims: {},
  ...overrides,
})

/** What a client program sees. */
export class TestClient {
  readonly ws: WebSocket
  readonly frames: Record<string, unknown>[] = []
  closed: { readonly code: number; readonly reason: string } | undefined
  /** HTTP status of a refusal before the WebSocket opened. */
  status: number | undefined
  retryAfter: string | undefined
  retryAfterMs: string | undefined
  /** Payloads of pings that came. */
  readonly pings: Buffer[] = []

  constructor(
    t: Test,
    url: string,
    options: {
      readonly token?: string
      readonly protocols?: readonly string[]
      readonly headers?: Record<string, string>
      /** False for one that answers pings only when it is told to. */
      readonly autoPong?: boolean
      /** What it offers of permessage-deflate; nothing when left out. */
      readonly compression?: PerMessageDeflateOptions | undefined
      /** Whose certificates it believes, PEM; those that Node does when left out. */
      readonly authority?: string | undefined
    } = {},
  ) {
    const protocols = options.protocols ?? [viewerSubprotocol]
    const bearer = options.token === undefined ? [] : [`bearer.${options.token}`]
    this.ws = new WebSocket(url, [...protocols, ...bearer], {
      headers: options.headers ?? {},
      perMessageDeflate: options.compression ?? false,
      autoPong: options.autoPong ?? true,
      ...(options.authority === undefined ? {} : { ca: options.authority }),
    })
    this.ws.on('ping', payload => this.pings.push(payload))
    this.ws.on('message', data => this.frames.push(JSON.parse(String(data))))
    this.ws.on('error', () => undefined)
    this.ws.on('unexpected-response', (_request, response) => {
      this.status = response.statusCode
      this.retryAfter = response.headers['retry-after']
      this.retryAfterMs = String(response.headers['fanfold-retry-after-ms'])
      response.resume()
      this.ws.terminate()
    })
    this.ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    t.teardown(() => this.ws.terminate())
  }

  get isOpen(): boolean {
    return this.ws.readyState === WebSocket.OPEN
  }

  send(frame: unknown): void {
    this.ws.send(JSON.stringify(frame))
  }

  /** Answers the last ping, and so all before it. */
  answer(): void {
    this.ws.pong(this.pings.at(-1))
  }

  /** Resolves when the other side has read all that was sent. */
  async isRead(): Promise<void> {
    await new Promise<void>(resolve => {
      this.ws.once('pong', () => resolve())
      this.ws.ping()
    })
  }
}

/** Waits, turn by turn, until something is so; the test's own timeout bounds it. */
export async function until(isMet: () => boolean): Promise<void> {
  while (!isMet()) await new Promise(resolve => setImmediate(resolve))
}

/** Lets a number of turns pass, in which something must not happen. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}
