import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { asDocumentKey, type DocumentKey } from '@fanfold/protocol'
import { isLoopback } from './config-relation.ts'
import { type DrainSource, drainAnswer, drainStateAnswer } from './drain-answer.ts'
import { type HttpAnswer, problemAnswer } from './http-answer.ts'
import type { HttpRoute } from './http-listener.ts'
import { type PlacingSource, placeAnswer } from './place-answer.ts'

/** What a node is part of, for whoever watches it: no names. */
export type NodeStanding =
  /** It replicates from nobody else. */
  | { readonly mode: 'alone' }
  /** Its parents are named. */
  | { readonly mode: 'parents'; readonly parents: number }
  /** Nodes meet in a Redis; `fingerprint` is of what all of them must be set to alike. */
  | { readonly mode: 'fleet'; readonly members: number; readonly fingerprint: string }

/** What the admin port asks of the node. */
export type AdminSource = {
  /** Why the node is not ready, in words; empty when it is. */
  notReady(): readonly string[]
  /** Documents in which something differed when they were last checked. */
  suspects(): number
  /** What the node is part of; at hand, whatever else is under way. */
  standing(): NodeStanding
  metrics(): Promise<{ readonly text: string; readonly type: string }>
  /**
   * What runs here, who is above and what is held, and of a document who serves it; no document's content,
   * nobody's name.
   */
  topology(doc: DocumentKey | undefined): Promise<unknown>
  /** How the node is asked to go; undefined for one that cannot be. */
  readonly drain: DrainSource | undefined
  /** What is placed, and how that is changed; undefined where there is no fleet. */
  placing(): PlacingSource | undefined
  /** Token for everything but health and metrics; undefined on a loopback without one. */
  readonly adminToken: string | undefined
}

/** The routes of the admin port. */
export function adminRoutes(source: AdminSource): readonly HttpRoute[] {
  return [
    async (request, path) => {
      const { drain } = source
      if (path === '/admin/drain' && drain !== undefined) {
        const refusal = refusalOf(request, source.adminToken)
        if (refusal !== undefined) return refusal
        if (request.method === 'POST') return await drainAnswer(request, drain)
        if (request.method === 'GET') return drainStateAnswer(drain)
      }
      if (path === '/admin/place') {
        const refusal = refusalOf(request, source.adminToken)
        return refusal ?? (await placeAnswer(request, source.placing()))
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
      switch (path) {
        case '/healthz':
          // Started again it would be as it is: who watches is told, who restarts is not.
          return { status: 200, body: JSON.stringify(health(source)) }
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
          return refusalOf(request, source.adminToken) ?? (await topologyAnswer(request, source))
        default:
          return undefined
      }
    },
  ]
}

/** `?doc=` asks about one document. */
async function topologyAnswer({ url }: IncomingMessage, source: AdminSource): Promise<HttpAnswer> {
  const asked = new URLSearchParams(url?.split('?')[1]).get('doc')
  const doc = asked === null ? undefined : asDocumentKey(asked)
  if (asked !== null && doc === undefined) {
    const message = `a document key is <tenant>/<type>/<id>, got ${JSON.stringify(asked.slice(0, 200))}`
    return problemAnswer('FANFOLD_BAD_KEY', message)
  }
  return { status: 200, body: JSON.stringify(await source.topology(doc), undefined, 2) }
}

/** In constant time and without asking anybody: a node whose peers are all gone is asked this too. */
function health(source: AdminSource): unknown {
  const documentsSuspect = source.suspects()
  const standing = source.standing()
  return documentsSuspect === 0
    ? { status: 'ok', ...standing }
    : { status: 'suspect', documentsSuspect, ...standing }
}

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
