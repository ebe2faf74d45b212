/*
 * Placing by hand:
 *
 *   GET  /admin/place              all that operators have said
 *   GET  /admin/place?subject=     of a tenant or a document: what is said, whose it is, who has heard of it
 *   POST /admin/place              `{"doc": …, "node": …, "why": …}` places, `"node": null` releases;
 *                                  `tenant` or `subject` instead of `doc`; `who`; `expectedVersion`;
 *                                  `{"tenant": …, "quota": {"viewersMax": 100}, "why": …}` bounds what
 *                                  a tenant may take, null instead of a number, or of `quota`, takes it away
 */
import type { IncomingMessage } from 'node:http'
import { asDocumentKey, type DocumentKey, ProtocolError } from '@fanfold/protocol'
import {
  isPlacementSubject,
  type Member,
  type Placement,
  type PlacementEntry,
  type TenantQuota,
} from '@fanfold/topology'
import { type AdminOrder, answerOrder } from './admin-order.ts'
import { type HttpAnswer, problemAnswer } from './http-answer.ts'
import type { PlacementChange, PlacementOutcome, QuotaChange } from './placement-desk.ts'
import { bytesPerSecondMin } from './quota-rule.ts'
import type { QuotaUse } from './quota-use.ts'

/** What is asked of a node of a fleet about placements. */
export type PlacingSource = {
  readonly node: string
  /** Who serves what; undefined while that is not known. */
  readonly placement: Placement | undefined
  /** Nodes that may not have heard yet of all that is placed as far as this node knows. */
  readonly behind: readonly Member[]
  /** How old what is known is, ms, and whether nothing changes in it now. */
  readonly state: { readonly knownForMs: number | undefined; readonly isFrozen: boolean }
  /** Whether what this node has of a document comes from who owns it now; undefined where it has nothing of it. */
  readonly isLive: (doc: DocumentKey, owner: string | undefined) => boolean | undefined
  /** Of a tenant that a quota bounds: what it may take in all, what of that is this node's, and what it has here. */
  readonly quotaUse: (tenant: string) => QuotaUse | undefined
  readonly ask: (change: PlacementChange) => Promise<PlacementOutcome>
}

/** Bytes of a body: names, and some sentences. */
const bodyBytesMax = 8_192
/** The latest time that a date of JavaScript can be, ms since 1970. */
const dateMax = 8.64e15
/** Who asks and does not say so. */
const somebody = 'somebody at the admin port'
/** Documents of a tenant that are placed by themselves and named with it. */
const apartMax = 100

const unknownYet: HttpAnswer = problemAnswer(
  'FANFOLD_COORDINATOR_UNREACHABLE',
  'what is placed is not known yet: where members meet has not been reached',
)

const noFleet: HttpAnswer = problemAnswer(
  'FANFOLD_NO_ROUTE',
  'this node is in no fleet, and has nothing to place elsewhere: that is for nodes that meet in a Redis (redis.url); what tenants may take is said by its configuration (tenants.quotas)',
)

/** Answers what is asked about placements; a node without a fleet has no source. */
export async function placeAnswer(
  request: IncomingMessage,
  source: PlacingSource | undefined,
): Promise<HttpAnswer | undefined> {
  const { method, url } = request
  if (method !== 'GET' && method !== 'POST') return undefined
  if (source === undefined) return noFleet
  if (method === 'POST') return await orderAnswer(request, source)
  const subject = new URLSearchParams(url?.split('?')[1]).get('subject')
  if (source.placement === undefined) return unknownYet
  if (subject === null) return listAnswer(source, source.placement)
  if (!isPlacementSubject(subject)) return problemAnswer('FANFOLD_BAD_KEY', subjectRule(subject))
  return { status: 200, body: JSON.stringify(subjectFields(subject, source, source.placement)) }
}

async function orderAnswer(request: IncomingMessage, source: PlacingSource): Promise<HttpAnswer> {
  return await answerOrder(request, bodyBytesMax, async order => {
    const change = changeOf(order)
    const outcome = await source.ask(change)
    if (outcome.kind === 'refused') return problemAnswer(outcome.code, outcome.message)
    const { subject } = change
    const entry = outcome.entry && fieldsOf(outcome.entry)
    return {
      status: 200,
      body: JSON.stringify({
        asked: source.node,
        subject,
        isChanged: outcome.isChanged,
        placed: entry,
      }),
    }
  })
}

function listAnswer({ node, behind, state }: PlacingSource, placement: Placement): HttpAnswer {
  const placements = [...placement.entries]
    .toSorted((one, other) => (one.subject < other.subject ? -1 : 1))
    .map(entry => ({ ...fieldsOf(entry), problem: placement.problemOfEntry(entry)?.message }))
  const body = { asked: node, ...state, placements, behind: namesOf(behind) }
  return { status: 200, body: JSON.stringify(body) }
}

/** Of a tenant or a document: what is said of it, whose it is, and who may not have heard of that. */
function subjectFields(
  subject: string,
  { node, behind, state, isLive, quotaUse }: PlacingSource,
  placement: Placement,
): object {
  const entry = placement.entry(subject)
  const doc = asDocumentKey(subject)
  return {
    asked: node,
    ...state,
    subject,
    version: entry?.version ?? 0,
    placed: entry && fieldsOf(entry),
    ...(doc === undefined
      ? { ...tenantFields(subject, placement), quota: quotaUse(subject) }
      : documentFields(doc, placement, isLive)),
    authorities: placement.takersOf(subject).map(taker => taker.node),
    behind: namesOf(behind),
    authoritiesBehind: namesOf(behind.filter(({ roles }) => roles.includes('authority'))),
  }
}

function documentFields(
  doc: DocumentKey,
  placement: Placement,
  isLive: PlacingSource['isLive'],
): object {
  const { owner, standby, why } = placement.ownerOf(doc)
  return {
    owner: owner?.node,
    next: standby?.node,
    why,
    // What holds for it may be said of its tenant.
    by: why === 'placement' ? placement.entryOf(doc)?.subject : undefined,
    problem: placement.problemOf(doc)?.message,
    isLiveHere: isLive(doc, owner?.node),
  }
}

/** Of a tenant that is not placed each document has an owner of its own. */
function tenantFields(tenant: string, placement: Placement): object {
  const entry = placement.entry(tenant)
  const why = entry === undefined ? 'rendezvous' : placement.standingOf(entry)
  const apart = [...placement.entries].filter(
    one => one.node !== undefined && one.subject.startsWith(`${tenant}/`),
  )
  return {
    owner: why === 'placement' ? entry?.node : undefined,
    why,
    problem: entry && placement.problemOfEntry(entry)?.message,
    apart: apart.slice(0, apartMax).map(({ subject, node }) => ({ subject, node })),
    apartCount: apart.length,
  }
}

const namesOf = (members: readonly Member[]): string[] => members.map(({ node }) => node).toSorted()

/** An entry as programs and people read it; a node that is not named is null. */
const fieldsOf = (entry: PlacementEntry): object => ({
  subject: entry.subject,
  version: entry.version,
  epoch: entry.epoch,
  node: entry.node ?? null,
  state: entry.state,
  to: entry.to,
  quota: entry.quota,
  who: entry.who,
  why: entry.why,
  at: entry.atMs <= dateMax ? new Date(entry.atMs).toISOString() : undefined,
})

const fields = ['subject', 'tenant', 'doc', 'node', 'quota', 'who', 'why', 'expectedVersion']

/** @throws ProtocolError naming what is wrong with the order */
function changeOf(order: AdminOrder): PlacementChange {
  const unknown = Object.keys(order).find(name => !fields.includes(name))
  if (unknown !== undefined) refuse(`there is no field ${shown(unknown)}, but ${fields.join(', ')}`)
  const { node, quota, who = somebody, why, expectedVersion } = order
  if (node !== undefined && quota !== undefined) {
    refuse('node says where it is, and quota what it may take: one of them in an order')
  }
  if (quota === undefined && node !== null && (typeof node !== 'string' || node === '')) {
    refuse(`node is the name of an authority, or null to release, got ${shown(node)}`)
  }
  if (typeof why !== 'string' || why.trim() === '') refuse('why is a text: what this is done for')
  if (typeof who !== 'string') refuse(`who is a text: the operator’s name, got ${shown(who)}`)
  if (expectedVersion !== undefined && !isVersion(expectedVersion)) {
    refuse(
      `expectedVersion is the version that was seen, 0 for none, got ${shown(expectedVersion)}`,
    )
  }
  const subject = subjectOf(order)
  const asked = { subject, who, why, expected: expectedVersion }
  if (quota === undefined) {
    return { ...asked, kind: 'node', node: typeof node === 'string' ? node : undefined }
  }
  if (asDocumentKey(subject) !== undefined) refuse(`a quota is a tenant’s, got ${subject}`)
  return { ...asked, kind: 'quota', quota: quotaOf(quota) }
}

/** The least of each bound. */
const bounds: Readonly<Record<keyof TenantQuota, number>> = {
  documentsMax: 0,
  viewersMax: 0,
  bytesPerSecondMax: bytesPerSecondMin,
}
const boundNames = Object.keys(bounds) as (keyof TenantQuota)[]

/** @throws ProtocolError naming what is wrong with the quota */
function quotaOf(value: unknown): QuotaChange {
  if (value === null) return Object.fromEntries(boundNames.map(name => [name, 'none']))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(`quota is an object with ${boundNames.join(', ')}, or null, got ${shown(value)}`)
  }
  const given = Object.entries(value)
  if (given.length === 0) refuse(`quota says at least one of ${boundNames.join(', ')}`)
  const change: Partial<Record<keyof TenantQuota, number | 'none'>> = {}
  for (const [field, max] of given) {
    const name = boundNames.find(one => one === field)
    if (name === undefined) refuse(`a quota has no ${shown(field)}, but ${boundNames.join(', ')}`)
    if (max !== null && !(Number.isSafeInteger(max) && max >= bounds[name])) {
      refuse(`${name} is a whole number of at least ${bounds[name]}, or null, got ${shown(max)}`)
    }
    change[name] = max ?? 'none'
  }
  return change
}

/** @throws ProtocolError when there is not exactly one, or it is none */
function subjectOf({ subject, tenant, doc }: AdminOrder): string {
  const [given, ...more] = [subject, tenant, doc].filter(one => one !== undefined)
  if (given === undefined || more.length > 0) {
    refuse('one of subject, tenant and doc says what is placed')
  }
  const isDocument = typeof given === 'string' && asDocumentKey(given) !== undefined
  if (typeof given !== 'string' || !isPlacementSubject(given)) {
    throw new ProtocolError('FANFOLD_BAD_KEY', subjectRule(given))
  }
  if (doc !== undefined && !isDocument) {
    throw new ProtocolError('FANFOLD_BAD_KEY', `doc is <tenant>/<type>/<id>, got ${shown(given)}`)
  }
  if (tenant !== undefined && isDocument) {
    throw new ProtocolError('FANFOLD_BAD_KEY', `tenant is a tenant’s name, got ${shown(given)}`)
  }
  return given
}

const isVersion = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0

const subjectRule = (given: unknown): string =>
  `what is placed is a tenant, or a document’s key <tenant>/<type>/<id>, got ${shown(given)}`

/** A value of somebody else's, short. */
const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 100) ?? 'nothing'

function refuse(message: string): never {
  throw new ProtocolError('FANFOLD_INVALID_VALUE', message)
}
