/*
 * The TLS of a public port. A certificate is replaced under connections that stay, and clients go on
 * resuming their sessions, as the keys that sessions are sealed with stay with the process.
 *
 * A connection whose handshake is not over is no request yet, and HTTP does not know it: so these are known
 * here, bounded in time and number, and cut when the port closes. What speaks no TLS is nobody's fault here.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import { Socket } from 'node:net'
import { httpServerOptions } from '@fanfold/websocket'
import type { Log } from './logging.ts'
import { type ServedCertificate, tlsVersionMin } from './served-certificate.ts'

/** How long a handshake may take, ms: as long as the head of a request may. */
export const tlsHandshakeMaxMs = 10_000
/** Handshakes under way at a time; one more connection is cut. Each holds some 60 kB. */
export const tlsHandshakesMax = 4_096

/** How long a session can be resumed, s: connections last for hours, and whoever comes back is to be spared. */
const sessionSeconds = 86_400
/** Bytes of the keys that sessions are sealed with, as Node wants them. */
const ticketKeyBytes = 48

/** New keys that sessions are sealed with, base64: ports that have the same resume each other's sessions. */
export const makeTicketKeys = (): string => randomBytes(ticketKeyBytes).toString('base64')

/** How the TLS of a port is opened. */
export type TlsServerOptions = {
  readonly certificate: ServedCertificate
  readonly log: Log
  /** What sessions are sealed with, as `makeTicketKeys` makes it. Default: new ones. */
  readonly ticketKeys?: string | undefined
  /** How long a handshake may take, ms. Default 10,000. */
  readonly handshakeMaxMs?: number | undefined
  /** Handshakes under way at a time. Default 4,096. */
  readonly handshakesMax?: number | undefined
}

/** An HTTPS server whose certificate can be replaced. */
export class TlsServer {
  readonly server: Server
  readonly #log: Log
  readonly #handshakesMax: number
  readonly #ticketKeys: Buffer
  /** Connections below TLS whose handshake is under way, by the peer's address and port. */
  readonly #handshakes = new Map<string, Handshake>()

  constructor(options: TlsServerOptions) {
    const { certificate, log, handshakeMaxMs = tlsHandshakeMaxMs } = options
    this.#log = log
    this.#ticketKeys = Buffer.from(options.ticketKeys ?? makeTicketKeys(), 'base64')
    this.#handshakesMax = options.handshakesMax ?? tlsHandshakesMax
    this.server = createServer({
      ...httpServerOptions,
      ...this.#contextOf(certificate),
      handshakeTimeout: handshakeMaxMs,
    })
    this.server.on('connection', socket => {
      if (socket instanceof Socket) this.#begin(socket)
    })
    this.server.on('secureConnection', socket => this.#end(peerOf(socket)))
    this.server.on('tlsClientError', error => {
      const reason = 'code' in error ? String(error.code) : error.message
      this.#log.debug({ event: 'tls.handshake-failed', reason }, 'a connection came to no TLS')
    })
  }

  /** Handshakes under way. */
  get handshakes(): number {
    return this.#handshakes.size
  }

  /** Shows this one to whoever connects from now on. */
  show(certificate: ServedCertificate): void {
    this.server.setSecureContext(this.#contextOf(certificate))
  }

  /** Cuts the connections whose handshake is not over. */
  cutHandshakes(): void {
    for (const { socket } of [...this.#handshakes.values()]) socket.destroy()
  }

  #contextOf({ certificate, privateKey }: ServedCertificate) {
    return {
      cert: certificate,
      key: privateKey,
      minVersion: tlsVersionMin,
      ticketKeys: this.#ticketKeys,
      sessionTimeout: sessionSeconds,
    } as const
  }

  #begin(socket: Socket): void {
    if (this.#handshakes.size >= this.#handshakesMax) {
      const line = { event: 'tls.flood', handshakesMax: this.#handshakesMax }
      this.#log.debug(line, 'too many handshakes under way')
      socket.destroy()
      return
    }
    // One that is gone already has no address; it closes by itself.
    const peer = peerOf(socket)
    const closed = (): void => {
      if (this.#handshakes.get(peer)?.socket === socket) this.#handshakes.delete(peer)
    }
    this.#handshakes.set(peer, { socket, closed })
    socket.once('close', closed)
  }

  #end(peer: string): void {
    const handshake = this.#handshakes.get(peer)
    // A listener that stays would be held as long as the connection.
    handshake?.socket.off('close', handshake.closed)
    this.#handshakes.delete(peer)
  }
}

type Handshake = { readonly socket: Socket; readonly closed: () => void }

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`
