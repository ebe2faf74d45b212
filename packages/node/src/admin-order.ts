import type { IncomingMessage } from 'node:http'
import { ProtocolError } from '@fanfold/protocol'
import { type HttpAnswer, problemAnswer } from './http-answer.ts'
import { readBody } from './read-body.ts'

/** What an operator orders: the JSON object of a body. */
export type AdminOrder = Readonly<Record<string, unknown>>

/**
 * Answers a POST to the admin port that changes something. Its body is a JSON object, or empty, which is `{}`.
 *
 * @param answer may throw a ProtocolError, which is answered by its code
 */
export async function answerOrder(
  request: IncomingMessage,
  bytesMax: number,
  answer: (order: AdminOrder) => HttpAnswer | Promise<HttpAnswer>,
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
    return await answer(orderOf(await readBody(request, bytesMax)))
  } catch (error) {
    if (error instanceof ProtocolError) return problemAnswer(error.code, error.message)
    throw error
  }
}

/** @throws ProtocolError when the body is no JSON object */
function orderOf(body: string): AdminOrder {
  if (body === '') return {}
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    value = undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('FANFOLD_NOT_JSON', 'the body is a JSON object, or empty')
  }
  return Object.fromEntries(Object.entries(value))
}
