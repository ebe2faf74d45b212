import { type Environment, realEnvironment } from './environment.ts'
import { FanfoldError } from './fanfold-error.ts'
import type { ReconnectOptions } from './reconnect-delay.ts'
import type { TokenSource } from './token.ts'
import type { WebSocketClass } from './web-socket.ts'

/** How to connect. Every option has a default but `WebSocket` where the platform has none. */
export type ConnectOptions = {
  /**
   * Who the client is: a token, or a function that fetches one. The function is asked for each
   * attempt to connect and again before the token ends; when it throws `Unauthorized` the connection
   * ends, on any other throw it is asked again later.
   */
  readonly token?: TokenSource | undefined
  /** The class of sockets; the platform's by default. Node 20 has none: pass that of `ws`. */
  readonly WebSocket?: WebSocketClass | undefined
  /** Where to send messages when not to the URLs that are observed. */
  readonly writeUrl?: string | readonly string[] | undefined
  /** Waits between attempts; 500 ms and 20,000 ms. The first one after a loss is up to twice `minMs`. */
  readonly backoff?: Partial<ReconnectOptions> | undefined
  /** Longest time an attempt to connect takes, its token included, ms; 10,000. */
  readonly dialTimeoutMs?: number | undefined
  /** Longest time from `send` to its answer, ms; 30,000. */
  readonly sendTimeoutMs?: number | undefined
  /** Messages sent and not answered; one more is refused. 1,024. */
  readonly inFlightMax?: number | undefined
  /** Bytes of the messages sent and not answered; more is refused. 16 MiB. */
  readonly inFlightBytesMax?: number | undefined
  /** Changes that wait for one `for await` loop before it gets a snapshot in their place; 1,024. */
  readonly changesMax?: number | undefined
  /** Bytes of one view that comes in pieces, as JSON; a larger one ends its observation; 134,217,728. */
  readonly snapshotBytesMax?: number | undefined
  /** A socket with nothing to do is closed after so long, ms; 30,000. */
  readonly idleCloseMs?: number | undefined
  /** Begins the ids of messages, unlike any other client's; 96 random bits by default. */
  readonly clientId?: string | undefined
  /** Told of every error, also of those that the client gets over by itself. */
  readonly onError?: ((error: FanfoldError) => void) | undefined
  /** Time and chance, for tests. */
  readonly environment?: Partial<Environment> | undefined
}

/** Options with every default in place, checked. */
export type ConnectSettings = {
  readonly token: TokenSource | undefined
  readonly WebSocket: WebSocketClass
  readonly reconnect: ReconnectOptions
  readonly dialTimeoutMs: number
  readonly sendTimeoutMs: number
  readonly inFlightMax: number
  readonly inFlightBytesMax: number
  readonly changesMax: number
  readonly snapshotBytesMax: number
  readonly idleCloseMs: number
  readonly clientId: string
  readonly onError: (error: FanfoldError) => void
  readonly environment: Environment
}

/** Options that are numbers from 1 on, and what each is when it is not said. */
const standards = {
  dialTimeoutMs: 10_000,
  sendTimeoutMs: 30_000,
  inFlightMax: 1_024,
  inFlightBytesMax: 16_777_216,
  changesMax: 1_024,
  snapshotBytesMax: 134_217_728,
  idleCloseMs: 30_000,
}

type NumberName = keyof typeof standards

/** @throws FanfoldError `FANFOLD_BAD_OPTION`, `FANFOLD_NO_WEBSOCKET` */
export function parseConnectOptions(options: ConnectOptions): ConnectSettings {
  const minMs = positive('backoff.minMs', options.backoff?.minMs, 500)
  const maxMs = positive('backoff.maxMs', options.backoff?.maxMs, Math.max(minMs, 20_000))
  if (maxMs < minMs) throw badOption(`backoff.maxMs is at least minMs ${minMs}, got ${maxMs}`)
  const numbers = Object.fromEntries(
    Object.entries(standards).map(([name, standard]) => [
      name,
      positive(name, options[name as NumberName], standard),
    ]),
  ) as Readonly<Record<NumberName, number>>
  return {
    token: options.token,
    WebSocket: options.WebSocket ?? platformWebSocket(),
    reconnect: { minMs, maxMs },
    ...numbers,
    clientId: clientId(options.clientId),
    onError: options.onError ?? (() => undefined),
    environment: { ...realEnvironment, ...options.environment },
  }
}

/** Longest wait that timers can carry, ms, and more than any count needs. */
const numberMax = 2_147_483_647

function positive(name: string, value: number | undefined, standard: number): number {
  if (value === undefined) return standard
  if (Number.isInteger(value) && value > 0 && value <= numberMax) return value
  throw badOption(`${name} is an integer from 1 to ${numberMax}, got ${value}`)
}

function platformWebSocket(): WebSocketClass {
  const platform: WebSocketClass | undefined = globalThis.WebSocket
  if (platform !== undefined) return platform
  const message = 'no WebSocket: pass { WebSocket } of package ws'
  throw new FanfoldError('FANFOLD_NO_WEBSOCKET', message)
}

function clientId(given: string | undefined): string {
  if (given === undefined) {
    const bytes = crypto.getRandomValues(new Uint8Array(12))
    return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
  }
  if (/^[\x21-\x7e]{1,64}$/.test(given)) return given
  throw badOption('clientId is 1 to 64 of printable ASCII')
}

const badOption = (message: string): FanfoldError => new FanfoldError('FANFOLD_BAD_OPTION', message)
