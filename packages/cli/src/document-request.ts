/*
 * Requests about whole documents, which go by HTTP: creating one and deleting it.
 */
import { FanfoldError } from '@fanfold/client'
import { asDocumentKey, isErrorCode } from '@fanfold/protocol'
import { CommandError, usageError } from './command-error.ts'
import type { ConnectionSettings } from './open-connection.ts'

/** Where in the document's log the request was committed. */
export type DocumentAnswer = { readonly epoch: number; readonly seq: number }

/** Bytes of an answer that are read. */
const answerBytesMax = 65_536
/** How often a request is sent on from one node to another. */
const hopsMax = 5

/**
 * Makes the request and waits until it is committed.
 *
 * @throws CommandError, FanfoldError with the node's code
 */
export async function requestDocument(
  method: 'POST' | 'DELETE',
  doc: string,
  settings: ConnectionSettings & { readonly signal: AbortSignal },
): Promise<DocumentAnswer> {
  if (asDocumentKey(doc) === undefined) {
    const message = `a document key is <tenant>/<type>/<id>, got ${JSON.stringify(doc)}`
    throw new FanfoldError('FANFOLD_BAD_KEY', message)
  }
  const path = doc.split('/').map(encodeURIComponent).join('/')
  const target = `${httpUrl(settings.url)}/v1/documents/${path}`
  const { status, body } = await fetchAnswer(target, method, settings)
  if (isAnswer(body)) return body
  if (isProblem(body)) throw new FanfoldError(body.code, body.message, { doc })
  throw new CommandError('FANFOLD_FAILED', `${target} answered ${status}: is it a Fanfold node?`)
}

async function fetchAnswer(
  target: string,
  method: string,
  { token, timeoutMs, signal }: ConnectionSettings & { readonly signal: AbortSignal },
): Promise<{ readonly status: number; readonly body: unknown }> {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  try {
    let url = target
    for (let hops = 0; ; hops++) {
      const response = await fetch(url, {
        method,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        // Who has the document is on another host, to which `fetch` would not show the token.
        redirect: 'manual',
        signal: ended,
      })
      const text = (await response.text()).slice(0, answerBytesMax)
      const next = hops < hopsMax ? nextOf(response, url) : undefined
      if (next === undefined) return { status: response.status, body: parseBody(text) }
      url = next
    }
  } catch (error) {
    if (signal.aborted) throw new CommandError('FANFOLD_INTERRUPTED', 'ended by a signal')
    const reason = error instanceof Error ? reasonOf(error) : String(error)
    const message = `cannot reach ${target} (${reason}): give the --url of a node that runs: an edge to observe, the authority to write`
    throw new CommandError('FANFOLD_UNREACHABLE', message, error)
  }
}

/** Where an answer sends the request on to; a token that went over TLS goes nowhere without. */
function nextOf({ status, headers }: Response, from: string): string | undefined {
  const location = headers.get('location')
  if ((status !== 307 && status !== 308) || location === null) return undefined
  const to = URL.canParse(location, from) ? new URL(location, from) : undefined
  const isSafe =
    to?.protocol === 'https:' || (to?.protocol === 'http:' && !from.startsWith('https:'))
  return isSafe ? to?.href : undefined
}

const reasonOf = ({ message, cause }: Error): string =>
  cause instanceof Error && cause.message !== '' ? cause.message : message

function parseBody(text: string): unknown {
  try {
    const body: unknown = JSON.parse(text)
    return body
  } catch {
    return undefined
  }
}

/** The address for HTTP of the node at `url`. @throws CommandError when it is no URL of a node */
export function httpUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const scheme = { 'ws:': 'http:', 'wss:': 'https:', 'http:': 'http:', 'https:': 'https:' }
  const found = Object.entries(scheme).find(([from]) => from === parsed?.protocol)
  if (parsed === undefined || found === undefined) {
    throw usageError(`--url is ws, wss, http or https, got ${url}`)
  }
  return `${found[1]}//${parsed.host}${parsed.pathname.replace(/\/v1\/(observe|write)\/?$/, '').replace(/\/+$/, '')}`
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isAnswer = (body: unknown): body is DocumentAnswer =>
  isObject(body) && typeof body['epoch'] === 'number' && typeof body['seq'] === 'number'

const isProblem = (
  body: unknown,
): body is { readonly code: FanfoldError['code']; readonly message: string } =>
  isObject(body) &&
  typeof body['code'] === 'string' &&
  isErrorCode(body['code']) &&
  typeof body['message'] === 'string'
