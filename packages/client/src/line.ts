/*
 * A socket that comes back: dials the endpoints in turn, waits longer each time that all have failed,
 * fetches a token for each attempt and renews it on the open socket. What is said over it is its
 * owner's; text given to a line that is not open is dropped, as the owner says everything again when it
 * opens.
 */
import { mayReconnect, viewerSubprotocol } from '@fanfold/protocol'
import type { Endpoint } from './endpoint.ts'
import { asMoveTarget } from './endpoint.ts'
import type { Environment } from './environment.ts'
import { FanfoldError, Unauthorized } from './fanfold-error.ts'
import { lossDelayMs, type ReconnectOptions, reconnectDelayMs } from './reconnect-delay.ts'
import { stopCodes, unauthorizedCloseCode } from './stop-codes.ts'
import { fetchToken, renewalDelayMs, type TokenSource } from './token.ts'
import type { WebSocketClass, WebSocketEvent, WebSocketLike } from './web-socket.ts'

/** What all lines of a connection have in common. */
export type LineOptions = {
  readonly WebSocket: WebSocketClass
  readonly token: TokenSource | undefined
  readonly reconnect: ReconnectOptions
  /** Longest time from the start of an attempt to the open socket, ms. */
  readonly dialTimeoutMs: number
  readonly environment: Environment
}

/** Where a line leads. */
export type LineTarget = {
  /** Tried in turn. */
  readonly endpoints: readonly Endpoint[]
  readonly path: '/v1/observe' | '/v1/write'
  /** After so many failures in a row the line gives up; undefined for never. */
  readonly failuresMax: number | undefined
}

/** What a line tells its owner. */
export type LineEvents = {
  readonly opened: () => void
  readonly received: (text: string) => void
  /** It was open and is not any more; it dials again by itself. */
  readonly lost: () => void
  /** It will not dial again. */
  readonly failed: (error: FanfoldError) => void
  /** An attempt failed, for the record. */
  readonly troubled: (error: FanfoldError) => void
}

/** A connection that lasted so long worked: the waits start from the beginning. */
const stableAfterMs = 5_000
/** No server makes the client wait longer. */
const retryAfterMsMax = 300_000

/** One socket to one of several endpoints, dialled again whenever it is lost. */
export class Line {
  readonly #options: LineOptions
  readonly #target: LineTarget
  readonly #events: LineEvents
  /** The server that was dialled last. */
  endpoint: Endpoint | undefined
  #state: 'closed' | 'waiting' | 'dialling' | 'open' = 'closed'
  #socket: WebSocketLike | undefined
  /** Grows with each dial and close: what belongs to an earlier one is ignored. */
  #attempt = 0
  #endpointIndex = 0
  /** Where to dial next, once, instead of the next endpoint. */
  #detour: Endpoint | undefined
  #failures = 0
  #openedAtMs = 0
  #hasHeard = false
  /** The last socket was closed for its token, and none has lasted since. */
  #isTokenDoubted = false
  #retryAfterMs = 0
  #cancelTimer: () => void = () => undefined
  #cancelRenewal: () => void = () => undefined

  constructor(options: LineOptions, target: LineTarget, events: LineEvents) {
    this.#options = options
    this.#target = target
    this.#events = events
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Starts to dial, when it is closed. */
  open(): void {
    if (this.#state === 'closed') this.#dial()
  }

  /** Sends a frame; drops it when the line is not open. */
  send(frame: object): void {
    this.sendText(JSON.stringify(frame))
  }

  /** Sends a frame that is text already; drops it when the line is not open. */
  sendText(text: string): void {
    if (this.#state === 'open') this.#socket?.send(text)
  }

  /** The server asked to be left alone for so long when this socket ends. */
  retryAfter(retryAfterMs: number): void {
    this.#retryAfterMs = Math.min(retryAfterMsMax, Math.max(0, retryAfterMs))
  }

  /** Ends this socket and dials again: the server said what it must not. */
  abandon(error: FanfoldError): void {
    if (this.#state === 'open') this.#lose(error)
  }

  /** Ends the line. It says nothing more, and can be opened again. */
  close(): void {
    this.#release(1000)
    this.#state = 'closed'
  }

  #dial(): void {
    this.#state = 'dialling'
    const attempt = ++this.#attempt
    const { environment, token, dialTimeoutMs } = this.#options
    const endpoint = this.#nextEndpoint()
    this.#cancelTimer = environment.setTimer(() => {
      this.#lose(failure(`no connection to ${endpoint} within ${dialTimeoutMs} ms`))
    }, dialTimeoutMs)
    if (typeof token !== 'function') {
      this.#connect(endpoint, token)
      return
    }
    fetchToken(token).then(
      text => {
        if (attempt === this.#attempt) this.#connect(endpoint, text)
      },
      (cause: unknown) => {
        if (attempt !== this.#attempt) return
        if (cause instanceof Unauthorized) this.#fail(cause)
        else this.#lose(failure('the token could not be fetched', cause))
      },
    )
  }

  #nextEndpoint(): Endpoint {
    const { endpoints } = this.#target
    const endpoint = this.#detour ?? endpoints[this.#endpointIndex % endpoints.length]
    if (this.#detour === undefined) this.#endpointIndex++
    this.#detour = undefined
    // Endpoints are never empty, which is checked where they are parsed.
    return endpoint as Endpoint
  }

  #connect(endpoint: Endpoint, token: string | undefined): void {
    this.endpoint = endpoint
    const protocols = [viewerSubprotocol]
    if (token !== undefined) protocols.push(`bearer.${token}`)
    let socket: WebSocketLike
    try {
      socket = new this.#options.WebSocket(`${endpoint}${this.#target.path}`, protocols)
    } catch (cause) {
      // The constructor throws for what no later attempt can make right: a token with characters
      // that a handshake cannot carry, a plain address on an encrypted page.
      this.#fail(new FanfoldError('FANFOLD_BAD_OPTION', `no socket to ${endpoint}`, { cause }))
      return
    }
    this.#socket = socket
    const whenCurrent = (run: (event: WebSocketEvent) => void) => (event: WebSocketEvent) => {
      if (this.#socket === socket) run(event)
    }
    socket.addEventListener(
      'open',
      whenCurrent(() => this.#opened(token)),
    )
    socket.addEventListener(
      'message',
      whenCurrent(({ data }) => {
        this.#hasHeard = true
        if (typeof data === 'string') this.#events.received(data)
      }),
    )
    socket.addEventListener(
      'close',
      whenCurrent(({ code = 1006, reason = '' }) => this.#closed(code, reason, endpoint)),
    )
    // A close follows each error and says more.
    socket.addEventListener('error', () => undefined)
  }

  #opened(token: string | undefined): void {
    this.#cancelTimer()
    this.#state = 'open'
    this.#hasHeard = false
    this.#retryAfterMs = 0
    this.#openedAtMs = this.#options.environment.now()
    this.#scheduleRenewal(token)
    this.#events.opened()
  }

  #closed(code: number, reason: string, endpoint: Endpoint): void {
    const message = `${endpoint} closed with ${code} ${reason}`
    const isExpiry = this.#isExpiry(code)
    if (mayReconnect(code) || isExpiry) {
      this.#takeHint(reason)
      this.#lose(failure(message))
      if (isExpiry) this.#isTokenDoubted = true
    } else {
      this.#fail(stopError(code, message))
    }
  }

  /** A token that was good until now has come to its end, and another can be had. */
  #isExpiry(code: number): boolean {
    const isRenewable = typeof this.#options.token === 'function'
    if (code !== unauthorizedCloseCode || !isRenewable || !this.#hasHeard) return false
    // What was heard may be no more than the refusal: one other token is tried, not one after the other.
    return !this.#isTokenDoubted || this.#hasLasted
  }

  get #hasLasted(): boolean {
    const { environment } = this.#options
    return this.#state === 'open' && environment.now() - this.#openedAtMs >= stableAfterMs
  }

  /** A close reason may say where and when to come back: `{"to":"wss://…","retryAfter":1000}`. */
  #takeHint(reason: string): void {
    if (!reason.startsWith('{')) return
    try {
      const hint: unknown = JSON.parse(reason)
      if (typeof hint !== 'object' || hint === null) return
      if ('to' in hint && typeof hint.to === 'string') {
        this.#detour = asMoveTarget(hint.to, this.#target.endpoints)
      }
      if ('retryAfter' in hint && typeof hint.retryAfter === 'number') {
        this.retryAfter(hint.retryAfter)
      }
    } catch {
      // Words for people.
    }
  }

  #lose(error: FanfoldError): void {
    const { environment } = this.#options
    const wasOpen = this.#state === 'open'
    const isStable = this.#hasLasted
    this.#release(1000)
    if (isStable) this.#isTokenDoubted = false
    this.#failures = isStable ? 0 : this.#failures + 1
    if (!wasOpen && this.#failures === this.#target.failuresMax) {
      this.#fail(new FanfoldError('FANFOLD_UNREACHABLE', error.message, { cause: error.cause }))
      return
    }
    this.#state = 'waiting'
    const delayMs = this.#delayMs(environment.random()) + this.#retryAfterMs
    this.#cancelTimer = environment.setTimer(() => this.#dial(), delayMs)
    this.#retryAfterMs = 0
    this.#events.troubled(error)
    if (wasOpen) this.#events.lost()
  }

  /** Soon after a loss; at once to an endpoint that has not failed in this round; else longer each round. */
  #delayMs(chance: number): number {
    const { reconnect } = this.#options
    if (this.#failures === 0) return lossDelayMs(reconnect, chance)
    const rounds = this.#failures / this.#target.endpoints.length
    return Number.isInteger(rounds) ? reconnectDelayMs(rounds - 1, reconnect, chance) : 0
  }

  #fail(error: FanfoldError): void {
    this.close()
    this.#events.failed(error)
  }

  #release(code: number): void {
    this.#attempt++
    this.#cancelTimer()
    this.#cancelRenewal()
    const socket = this.#socket
    this.#socket = undefined
    socket?.close(code)
  }

  #scheduleRenewal(token: string | undefined): void {
    const { environment, token: source } = this.#options
    if (token === undefined || typeof source !== 'function') return
    const delayMs = renewalDelayMs(token, environment.now(), environment.random())
    if (delayMs === undefined) return
    this.#cancelRenewal = environment.setTimer(() => this.#renew(source, token), delayMs)
  }

  #renew(source: TokenSource, previous: string): void {
    const attempt = this.#attempt
    fetchToken(source).then(
      token => {
        if (attempt !== this.#attempt) return
        this.send({ type: 'authenticate', token })
        this.#scheduleRenewal(token)
      },
      (cause: unknown) => {
        if (attempt !== this.#attempt) return
        if (cause instanceof Unauthorized) {
          this.#fail(cause)
          return
        }
        // Part of the token's life is left: the rest of it is divided in the same way.
        this.#events.troubled(failure('the token could not be renewed', cause))
        this.#scheduleRenewal(previous)
      },
    )
  }
}

const failure = (message: string, cause?: unknown): FanfoldError =>
  new FanfoldError('FANFOLD_CONNECTION_FAILED', message, { cause })

/** The error of a close code that says: do not come back. */
const stopError = (code: number, message: string): FanfoldError =>
  code === unauthorizedCloseCode
    ? new Unauthorized(message)
    : new FanfoldError(stopCodes[code] ?? 'FANFOLD_CLOSED', message)
