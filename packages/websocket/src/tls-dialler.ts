/*
 * How a node dials others over TLS.
 *
 * Their certificates are verified against the authorities that Node ships and those that the operator
 * added. That list is long: it is parsed once, which takes some 30 ms, and not for each connection. A session is kept for each
 * address, so that a link that is lost and comes back spares both ends a signature and its check.
 */
import type { ClientRequest } from 'node:http'
import { createSecureContext, rootCertificates, type SecureContext, TLSSocket } from 'node:tls'
import type { ClientOptions, WebSocket } from 'ws'

/** Addresses of which a session is kept; with one more that which was kept first is forgotten. */
const sessionsMaxDefault = 256

/** What of the options of a WebSocket is about TLS; ws passes the last two on to Node. */
export type TlsClientOptions = Pick<ClientOptions, 'finishRequest'> & {
  readonly secureContext?: SecureContext
  readonly session?: Buffer
}

/** The TLS of a process's links to nodes that it dials; those of all its roles share one. */
export class TlsDialler {
  #authorities: readonly string[]
  #context: SecureContext | undefined
  /** By host and port, the one that was kept first comes first. */
  readonly #sessions = new Map<string, Buffer>()
  readonly #sessionsMax: number
  readonly #refusals = new WeakSet<Error>()

  /**
   * @param authorities whose certificates are believed beside those that Node ships; PEM, each of one or more
   * @param sessionsMax addresses of which a session is kept
   */
  constructor(authorities: readonly string[], sessionsMax: number = sessionsMaxDefault) {
    this.#authorities = authorities
    this.#sessionsMax = sessionsMax
  }

  /** Addresses of which a session is kept. */
  get sessions(): number {
    return this.#sessions.size
  }

  /**
   * Believes these from now on, beside those that Node ships, and no others. Connections that are there stay;
   * sessions are forgotten, as who resumes one is not verified again. The same as before change nothing.
   */
  believe(authorities: readonly string[]): void {
    if (authorities.join('\n') === this.#authorities.join('\n')) return
    this.#authorities = authorities
    this.#context = undefined
    this.#sessions.clear()
  }

  /** What a WebSocket to `url` is made with; empty where that is not over TLS. */
  optionsFor(url: string): TlsClientOptions {
    const { protocol, host } = new URL(url)
    if (protocol !== 'wss:') return {}
    this.#context ??= createContext(this.#authorities)
    const context = this.#context
    const session = this.#sessions.get(host)
    return {
      secureContext: context,
      ...(session === undefined ? {} : { session }),
      finishRequest: (request: ClientRequest, _socket: WebSocket) => {
        request.once('socket', socket => {
          if (socket instanceof TLSSocket) this.#watch(socket, host, context)
        })
        request.end()
      },
    }
  }

  /** Whether a connection failed by this error since the certificate that was shown is not believed. */
  isRefusal(error: Error): boolean {
    return this.#refusals.has(error)
  }

  #watch(socket: TLSSocket, host: string, context: SecureContext): void {
    socket.on('session', session => {
      // One that others vouched for must not outlive them.
      if (this.#context === context) this.#keep(host, session)
    })
    // Before the request tells of it.
    socket.prependOnceListener('error', error => {
      // Node's types promise an error where there is none until a certificate is refused.
      const reason: unknown = socket.authorizationError
      if (reason !== null && reason !== undefined) this.#refusals.add(error)
    })
  }

  #keep(host: string, session: Buffer): void {
    this.#sessions.delete(host)
    this.#sessions.set(host, session)
    for (const first of this.#sessions.keys()) {
      if (this.#sessions.size <= this.#sessionsMax) break
      this.#sessions.delete(first)
    }
  }
}

/** Where none are added it is Node's own list, which is parsed already and has what NODE_EXTRA_CA_CERTS names too. */
function createContext(authorities: readonly string[]): SecureContext {
  const minVersion = 'TLSv1.2'
  if (authorities.length === 0) return createSecureContext({ minVersion })
  return createSecureContext({ minVersion, ca: [...rootCertificates, ...authorities] })
}
