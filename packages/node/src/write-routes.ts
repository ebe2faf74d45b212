/*
 * Writing over HTTP, for those who write now and then:
 *
 *   POST   /v1/documents/<key>/messages/<name>   body: the message's value
 *   POST   /v1/documents/<key>                   creates the document by its definition
 *   DELETE /v1/documents/<key>
 *
 * The header `Idempotency-Key` is the message's id.
 */
import type { IncomingMessage } from 'node:http'
import {
  type DocumentKey,
  type GrantedAction,
  type Grants,
  idempotencyId,
  isGranted,
  limits,
  ProtocolError,
  type WriteAction,
} from '@fanfold/protocol'
import type { FleetView } from '@fanfold/topology'
import type { AuthorityHost } from './authority-host.ts'
import { wallClock } from './clock.ts'
import { bearerOf, bodyValue, documentsPrefix, parseDocumentPath } from './document-path.ts'
import { type HttpAnswer, problemAnswer } from './http-answer.ts'
import { readBody } from './read-body.ts'
import { noTokens, TokenError, type TokenVerifier } from './viewer-tokens.ts'

/** What the routes need of the process; without an authority nothing can be written here. */
export type WriteRoutesOptions = {
  readonly authority: AuthorityHost | undefined
  readonly verifier: TokenVerifier
  /** Where documents are written, when that is at another node of the fleet. */
  readonly fleet?: Pick<FleetView, 'ownerAddressOf' | 'owners'> | undefined
}

/** Answers the request, or `undefined` when it is not one of these routes. */
export async function answerWrite(
  request: IncomingMessage,
  path: string,
  options: WriteRoutesOptions,
): Promise<HttpAnswer | undefined> {
  if (!path.startsWith(documentsPrefix)) return undefined
  if (request.method !== 'POST' && request.method !== 'DELETE') return undefined
  try {
    return await write(request, path, options)
  } catch (error) {
    if (error instanceof ProtocolError) return problemAnswer(error.code, error.message)
    if (error instanceof TokenError) return problemAnswer('FANFOLD_UNAUTHORIZED', error.message)
    throw error
  }
}

async function write(
  request: IncomingMessage,
  path: string,
  { authority, verifier, fleet }: WriteRoutesOptions,
): Promise<HttpAnswer> {
  // Whom a proxy could lead it cannot tell apart.
  const isKnown = fleet !== undefined && verifier !== noTokens
  if (authority === undefined && !isKnown) return notAuthority
  const grants = await verifier.verify(bearerOf(request))
  const { doc, name: message } = parseDocumentPath(path, 'messages')
  const granted: GrantedAction =
    message !== undefined ? 'write' : request.method === 'POST' ? 'create' : 'delete'
  if (!isGranted(grants, granted, doc)) {
    return problemAnswer('FANFOLD_FORBIDDEN', `the token does not allow ${granted} on ${doc}`)
  }
  const owner = fleet?.ownerAddressOf(doc)
  if (owner !== undefined) return movedAnswer(doc, owner, path)
  if (authority === undefined) {
    const problem = fleet?.owners.elsewhere(doc)
    return problem === undefined ? notAuthority : problemAnswer(problem.code, problem.message)
  }
  const body = await readBody(request, limits.writeFrameBytesMax.value)
  const answer = await authority.write({
    doc,
    action: actionOf(request, message, body),
    bytes: body.length,
    id: idOf(request),
    subject: grants.subject,
    claims: grants.claims,
    mayCreate: mayCreate(grants, doc),
    timeMs: wallClock(),
    trace: traceOf(request),
  })
  if (answer.kind === 'rejected') return problemAnswer(answer.code, answer.message)
  const { epoch, seq } = answer
  return { status: granted === 'create' ? 201 : 200, body: JSON.stringify({ doc, epoch, seq }) }
}

const notAuthority: HttpAnswer = problemAnswer(
  'FANFOLD_NOT_AUTHORITY',
  'this node is no authority and takes no writes',
)

/** The same request is to be made at another node, which takes the token as this one does. */
function movedAnswer(doc: DocumentKey, owner: string, path: string): HttpAnswer {
  const problem = problemAnswer('FANFOLD_MOVED', `${doc} is written at ${owner}`)
  const location = `${owner.replace(/^ws/, 'http').replace(/\/$/, '')}${path}`
  return { ...problem, headers: { ...problem.headers, location } }
}

const mayCreate = (grants: Grants, doc: DocumentKey): boolean => isGranted(grants, 'create', doc)

function actionOf(
  request: IncomingMessage,
  message: string | undefined,
  body: string,
): WriteAction {
  if (message === undefined) return { type: request.method === 'DELETE' ? 'delete' : 'create' }
  return { type: 'send', message, value: bodyValue(body) }
}

function idOf(request: IncomingMessage): string | undefined {
  const id = request.headers['idempotency-key']
  return id === undefined ? undefined : idempotencyId(id)
}

/** The trace that the request belongs to (W3C Trace Context), if it says one. */
function traceOf(request: IncomingMessage): Uint8Array | undefined {
  const header = request.headers['traceparent']
  const match = typeof header === 'string' ? /^00-(?!0{32})([0-9a-f]{32})-/.exec(header) : null
  return match?.[1] === undefined ? undefined : Buffer.from(match[1], 'hex')
}
