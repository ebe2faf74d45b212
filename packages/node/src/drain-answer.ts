/*
 * Asking a node to go, and hearing how far it is:
 *
 *   POST /admin/drain   `{}`, or `{"scope":"process"}`: begins, or says that it has begun
 *   GET  /admin/drain   what is still there
 *
 * It goes as after SIGTERM: not ready, nobody new, viewers and children told, what the log has begun finished. Then
 * nobody answers here any more.
 */
import type { IncomingMessage } from 'node:http'
import { ProtocolError } from '@fanfold/protocol'
import { type HttpAnswer, problemAnswer } from './http-answer.ts'
import { readBody } from './read-body.ts'

/** What is still there of a node that goes. */
export type DrainState = {
  readonly node: string
  /** Another one for each process of the node. */
  readonly incarnation: string
  readonly isDraining: boolean
  readonly viewers: number
  /** Streams of documents to nodes below. */
  readonly children: number
  readonly documents: number
  /** How long it takes at most, ms. */
  readonly deadlineMs: number
}

/** A node that can be asked to go. */
export type DrainSource = {
  /** Begins to go; nothing happens when that has begun. */
  begin(): void
  state(): DrainState
}

/** Bytes of a body, which says little. */
const bodyBytesMax = 1_024

/** How far the node is. */
export const drainStateAnswer = (drain: DrainSource): HttpAnswer => ({
  status: 200,
  body: JSON.stringify(drain.state()),
})

/** Begins what is asked, and says how far it is. */
export async function drainAnswer(
  request: IncomingMessage,
  drain: DrainSource,
): Promise<HttpAnswer> {
  // A page of elsewhere can make a browser send a form or a text, and neither this type nor no origin.
  const { origin, 'content-type': type } = request.headers
  if (origin !== undefined || type !== 'application/json') {
    return problemAnswer(
      'FANFOLD_FORBIDDEN',
      'a request with content-type application/json, and none that a page makes',
    )
  }
  try {
    const scope = scopeOf(await readBody(request, bodyBytesMax))
    if (scope !== 'process') {
      const message = `scope is "process", the node as a whole, got ${JSON.stringify(scope)}`
      return problemAnswer('FANFOLD_INVALID_VALUE', message)
    }
  } catch (error) {
    if (error instanceof ProtocolError) return problemAnswer(error.code, error.message)
    throw error
  }
  drain.begin()
  return { status: 202, body: JSON.stringify(drain.state()) }
}

/** @throws ProtocolError when the body is no JSON object */
function scopeOf(body: string): unknown {
  if (body === '') return 'process'
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    value = undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('FANFOLD_NOT_JSON', 'the body is a JSON object, or empty')
  }
  return 'scope' in value ? value.scope : 'process'
}
