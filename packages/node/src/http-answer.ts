import type { ServerResponse } from 'node:http'
import { type ErrorCode, meaningOf } from '@fanfold/protocol'

/** What a route answers; a body is JSON unless it says otherwise. */
export type HttpAnswer = {
  readonly status: number
  readonly body: string | Uint8Array
  readonly type?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Seconds after which a request that may work later should be made again. */
const retryAfterSeconds = 1

/** An error, with the status that its code has everywhere. */
export function problemAnswer(code: ErrorCode, message: string): HttpAnswer {
  const { status, retry } = meaningOf(code)
  return {
    status,
    body: JSON.stringify({ code, message }),
    headers: retry ? { 'retry-after': String(retryAfterSeconds) } : {},
  }
}

/** Sends an answer. */
export function sendAnswer(response: ServerResponse, answer: HttpAnswer): void {
  const { status, body, type = 'application/json', headers = {} } = answer
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(body)
}
