/*
 * Saying something to a reducer over HTTP, for those who do so now and then:
 *
 *   POST /v1/documents/<key>/reducers/<name>   body: the value
 *
 * The answer comes when it is counted; with `Prefer: respond-async` (RFC 7240) as soon as it is in the sums.
 */
import type { IncomingMessage } from 'node:http'
import { limits, ProtocolError, reducerName } from '@fanfold/protocol'
import type { CrowdPostOutcome, CrowdPosts } from './crowd-posts.ts'
import { bearerOf, bodyValue, parseDocumentPath } from './document-path.ts'
import { type HttpAnswer, problemAnswer } from './http-answer.ts'
import { readBody } from './read-body.ts'
import { TokenError, type TokenVerifier } from './viewer-tokens.ts'

/** What the route needs of the process; without an edge nobody is heard here. */
export type CrowdRoutesOptions = {
  readonly posts: CrowdPosts | undefined
  readonly verifier: TokenVerifier
}

/** Answers the request, or `undefined` when it is not one of this route. */
export async function answerCrowd(
  request: IncomingMessage,
  path: string,
  options: CrowdRoutesOptions,
): Promise<HttpAnswer | undefined> {
  if (request.method !== 'POST' || !pattern.test(path)) return undefined
  try {
    const { posts, verifier } = options
    if (posts === undefined) return noEdge
    const grants = await verifier.verify(bearerOf(request))
    const { doc, name } = parseDocumentPath(path, 'reducers')
    const reducer = reducerName(name ?? '')
    const value = bodyValue(await readBody(request, limits.observeFrameBytesMax.value))
    const isAsync = /(^|,)\s*respond-async\s*($|[,;])/i.test(
      String(request.headers['prefer'] ?? ''),
    )
    return answerOf(await posts.say({ grants, doc, reducer, value, isAsync }))
  } catch (error) {
    if (error instanceof ProtocolError) return problemAnswer(error.code, error.message)
    if (error instanceof TokenError) return problemAnswer('FANFOLD_UNAUTHORIZED', error.message)
    throw error
  }
}

const pattern = /^\/v1\/documents\/[^/]*\/[^/]*\/[^/]*\/reducers\/[^/]*$/

const noEdge = problemAnswer('FANFOLD_NO_ROUTE', 'this node is no edge and hears no crowd')

function answerOf(outcome: CrowdPostOutcome): HttpAnswer {
  if (outcome.kind !== 'rejected') {
    const status = outcome.kind === 'counted' ? 200 : 202
    return { status, body: JSON.stringify({ status: outcome.kind }) }
  }
  const { code, message, retryAfterMs } = outcome
  const problem = problemAnswer(code, message)
  if (retryAfterMs === undefined) return problem
  const seconds = String(Math.ceil(retryAfterMs / 1_000))
  return { ...problem, headers: { ...problem.headers, 'retry-after': seconds } }
}
