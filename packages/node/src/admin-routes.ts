import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isLoopback } from './config-relation.ts'
import { type HttpAnswer, problemAnswer } from './http-answer.ts'
import type { HttpRoute } from './http-listener.ts'

/** What the admin port asks of the node. */
export type AdminSource = {
  /** Why the node is not ready, in words; empty when it is. */
  notReady(): readonly string[]
  /** Documents in which something differed when they were last checked. */
  suspects(): number
  metrics(): Promise<{ readonly text: string; readonly type: string }>
  /** What runs here, who is above and what is held; no document's content, nobody's name. */
  topology(): unknown
  /** Token for everything but health and metrics; undefined on a loopback without one. */
  readonly adminToken: string | undefined
}

/** The routes of the admin port. */
export function adminRoutes(source: AdminSource): readonly HttpRoute[] {
  return [
    async (request, path) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
      switch (path) {
        case '/healthz':
          // Started again it would be as it is: who watches is told, who restarts is not.
          return { status: 200, body: JSON.stringify(health(source.suspects())) }
        case '/readyz': {
          const reasons = source.notReady()
          const status = reasons.length === 0 ? 200 : 503
          return { status, body: JSON.stringify({ ready: reasons.length === 0, reasons }) }
        }
        case '/metrics': {
          const { text, type } = await source.metrics()
          return { status: 200, body: text, type }
        }
        case '/':
        case '/admin/topology':
          return (
            refusalOf(request, source.adminToken) ?? {
              status: 200,
              body: JSON.stringify(source.topology(), undefined, 2),
            }
          )
        default:
          return undefined
      }
    },
  ]
}

const health = (documentsSuspect: number): unknown =>
  documentsSuspect === 0 ? { status: 'ok' } : { status: 'suspect', documentsSuspect }

const unauthorized: HttpAnswer = problemAnswer(
  'FANFOLD_UNAUTHORIZED',
  'an admin token in the Authorization header',
)

const foreignHost: HttpAnswer = problemAnswer(
  'FANFOLD_FORBIDDEN',
  'without an admin token this port answers to the names of this machine only',
)

/**
 * Without a token whoever reaches the loopback address may ask. That must not be a page of elsewhere
 * whose name was made to mean this machine: its requests say that name.
 */
function refusalOf(request: IncomingMessage, token: string | undefined): HttpAnswer | undefined {
  const { host, authorization } = request.headers
  if (token === undefined) return isThisMachine(host ?? '') ? undefined : foreignHost
  const shown = Buffer.from(authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  const isShown = shown.length === wanted.length && timingSafeEqual(shown, wanted)
  return isShown ? undefined : unauthorized
}

function isThisMachine(host: string): boolean {
  if (!URL.canParse(`http://${host}`)) return false
  return isLoopback(new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, ''))
}
