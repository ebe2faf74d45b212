/* Requests to the admin port of a node. */
import { FanfoldError } from '@fanfold/client'
import { isErrorCode } from '@fanfold/protocol'
import { CommandError, usageError } from './command-error.ts'
import type { Options } from './options.ts'
import type { Terminal } from './terminal.ts'
import type { VerbOption } from './verb.ts'

/** Where the admin port of a node is, and who asks. */
export const adminOptions: readonly VerbOption[] = [
  {
    flags: '--admin-url <url>',
    meaning: 'The admin port of the node; FANFOLD_ADMIN_URL, or http://127.0.0.1:9700, without it.',
  },
  {
    flags: '--admin-token <token>',
    meaning: 'The token of the admin port, where it has one; FANFOLD_ADMIN_TOKEN without it.',
  },
  { flags: '--timeout <duration>', meaning: 'How long to wait for the node.', default: '5s' },
]

/** Where and who, decoded. */
export type AdminSettings = {
  readonly url: string
  readonly token: string | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Bytes of an answer that are read. */
const answerBytesMax = 16_777_216

/** @throws CommandError for an address or a timeout that is none */
export function readAdminOptions(
  options: Options,
  { environment, interrupted }: Terminal,
): AdminSettings {
  const given = options.text('adminUrl') ?? environment['FANFOLD_ADMIN_URL']
  const url = given ?? 'http://127.0.0.1:9700'
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
    throw usageError(`--admin-url is http or https, got ${url}`)
  }
  const token = (options.text('adminToken') ?? environment['FANFOLD_ADMIN_TOKEN'])?.trim()
  return {
    url: url.replace(/\/+$/, ''),
    token: token === '' ? undefined : token,
    timeoutMs: options.duration('timeout', { minMs: 1, maxMs: 86_400_000 }),
    signal: interrupted,
  }
}

/**
 * Asks the admin port, and returns what it says.
 *
 * @param more what a POST orders; statuses of failures whose answers are returned too
 * @throws CommandError when nobody answers, or it is no node; FanfoldError with the node's code
 */
export async function askAdmin(
  method: 'GET' | 'POST',
  path: string,
  settings: AdminSettings,
  more: {
    readonly order?: Readonly<Record<string, unknown>> | undefined
    readonly statuses?: readonly number[] | undefined
  } = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { order = {}, statuses = [] } = more
  const target = `${settings.url}${path}`
  const { status, body } = await fetchJson(target, { method, order }, settings)
  if (!isObject(body)) {
    throw new CommandError('FANFOLD_FAILED', `${target} answered ${status}: is it an admin port?`)
  }
  const { code, message } = body
  if (status < 300 || statuses.includes(status)) return body
  if (typeof code === 'string' && isErrorCode(code)) throw new FanfoldError(code, String(message))
  throw new CommandError('FANFOLD_FAILED', `${target} answered ${status}`)
}

async function fetchJson(
  target: string,
  { method, order }: { readonly method: string; readonly order: object },
  { token, timeoutMs, signal }: AdminSettings,
): Promise<{ readonly status: number; readonly body: unknown }> {
  try {
    const response = await fetch(target, {
      method,
      headers: {
        ...(method === 'POST' && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(method === 'POST' && { body: JSON.stringify(order) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    const text = (await response.text()).slice(0, answerBytesMax)
    return { status: response.status, body: parse(text) }
  } catch (error) {
    if (signal.aborted) throw new CommandError('FANFOLD_INTERRUPTED', 'ended by a signal')
    const { cause } = error instanceof Error ? error : { cause: undefined }
    const reason = cause instanceof Error && cause.message !== '' ? cause.message : String(error)
    const message = `cannot reach ${target} (${reason}): give the --admin-url of a node that runs`
    throw new CommandError('FANFOLD_UNREACHABLE', message, error)
  }
}

function parse(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text)
    return body
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
