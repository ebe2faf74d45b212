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
import { answerOrder } from './admin-order.ts'
import { type HttpAnswer, problemAnswer } from './http-answer.ts'

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
  return await answerOrder(request, bodyBytesMax, ({ scope = 'process' }) => {
    if (scope !== 'process') {
      const message = `scope is "process", the node as a whole, got ${JSON.stringify(scope)}`
      return problemAnswer('FANFOLD_INVALID_VALUE', message)
    }
    drain.begin()
    return { status: 202, body: JSON.stringify(drain.state()) }
  })
}
