import { type Connection, connect, FanfoldError, type WebSocketClass } from '@fanfold/client'
import { isErrorCode, meaningOf } from '@fanfold/protocol'
import { WebSocket } from 'ws'
import { CommandError } from './command-error.ts'
import type { Options } from './options.ts'
import type { Terminal } from './terminal.ts'
import type { VerbOption } from './verb.ts'

/** Who asks; for every verb that talks to a node. */
export const tokenOption: VerbOption = {
  flags: '--as <token>',
  meaning: 'Who is asking: a token; FANFOLD_TOKEN without it.',
}

/** Where a node is and who asks; for every verb that talks to one. */
export const connectionOptions: readonly VerbOption[] = [
  {
    flags: '--url <url>',
    meaning: 'The node to talk to; FANFOLD_URL, or ws://127.0.0.1:9600, without it.',
  },
  tokenOption,
  { flags: '--timeout <duration>', meaning: 'How long to wait for the node.', default: '5s' },
]

/** What is to be seen of a document; for the verbs that show one. */
export const viewStateOption: VerbOption = {
  flags: '--view-state <json>',
  meaning: 'What the view is to show, as the definition of the document has it: JSON.',
}

/** Environment variables that are the command's own and no option of a node. */
export const commandVariables: readonly string[] = [
  'FANFOLD_URL',
  'FANFOLD_TOKEN',
  'FANFOLD_ADMIN_URL',
  'FANFOLD_DEBUG',
]

/** Where and who, decoded. */
export type ConnectionSettings = {
  readonly url: string
  readonly token: string | undefined
  readonly timeoutMs: number
}

/** @throws CommandError for a timeout that is none */
export function readConnectionOptions(options: Options, terminal: Terminal): ConnectionSettings {
  const { environment } = terminal
  const token = (options.text('as') ?? environment['FANFOLD_TOKEN'])?.trim()
  return {
    url: options.text('url') ?? environment['FANFOLD_URL'] ?? 'ws://127.0.0.1:9600',
    token: token === '' ? undefined : token,
    timeoutMs: options.duration('timeout', { minMs: 1, maxMs: 86_400_000 }),
  }
}

/** A connection with a memory of what went wrong last. */
export type OpenConnection = {
  readonly connection: Connection
  /** The last thing that went wrong, also when the client got over it. */
  readonly trouble: () => FanfoldError | undefined
  /** Rejects when the node says what no later attempt can make right, such as a token it refuses. */
  readonly refused: Promise<never>
}

/** Opens a connection, on which nothing is dialled yet. @throws FanfoldError */
export function openConnection(
  { url, token }: Pick<ConnectionSettings, 'url' | 'token'>,
  limits: {
    readonly sendTimeoutMs?: number | undefined
    readonly inFlightMax?: number | undefined
    readonly inFlightBytesMax?: number | undefined
  } = {},
): OpenConnection {
  let trouble: FanfoldError | undefined
  let failure: Error | undefined
  let refuse: (error: FanfoldError) => void = () => undefined
  const refused = new Promise<never>((_, reject) => {
    refuse = reject
  })
  // Verbs that end before it is refused, or by their own error, do not wait for it.
  refused.catch(() => undefined)
  const connection = connect(url, {
    token,
    WebSocket: nodeWebSocket(error => {
      failure = error
    }),
    // A person waits: sooner and more often than a crowd of clients may.
    backoff: { minMs: 100, maxMs: 2_000 },
    onError: error => {
      trouble = explained(error, failure)
      failure = undefined
      if (isErrorCode(error.code) && !meaningOf(error.code).retry) refuse(error)
    },
    ...limits,
  })
  return { connection, trouble: () => trouble, refused }
}

/** A WebSocket that tells why it failed, which none does in a browser: a certificate that is not believed, say. */
export const nodeWebSocket = (failed: (error: Error) => void): WebSocketClass =>
  class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      // Deltas are small and many: compressing each costs more than it saves on the way to a shell.
      super(url, protocols, { perMessageDeflate: false })
      this.on('error', failed)
    }
  }

/** What the client says of an attempt that came to nothing, with what its socket said before. */
function explained(error: FanfoldError, failure: Error | undefined): FanfoldError {
  if (failure === undefined || error.code !== 'FANFOLD_CONNECTION_FAILED') return error
  const message = `${error.message.trimEnd()}: ${failure.message}`
  return new FanfoldError(error.code, message, { cause: failure })
}

/** Why nothing was heard of `url` for so long. */
export function silenceError(
  { url, timeoutMs }: ConnectionSettings,
  trouble: FanfoldError | undefined,
): CommandError {
  if (trouble === undefined || trouble.code === 'FANFOLD_CONNECTION_FAILED') {
    const reason = trouble === undefined ? 'nothing was heard' : trouble.message
    const message = `cannot reach ${url} within ${timeoutMs} ms (${reason}): give the --url of a node that runs: an edge to observe, the authority to write`
    return new CommandError('FANFOLD_UNREACHABLE', message, trouble)
  }
  const message = `${url} gave no answer within ${timeoutMs} ms (${trouble.code}: ${trouble.message}): try again later`
  return new CommandError('FANFOLD_NO_ANSWER', message, trouble)
}
