/* What a node says of a tenant or a document that may be placed, as the command goes on with it. */
import { type AdminSettings, askAdmin } from './admin-request.ts'
import { type Fields, fieldsOf, listOf, numberOf, optionalTextOf, textsOf } from './json-fields.ts'
import { type Quota, type QuotaUse, quotaIn, useOf } from './quota-use.ts'

/** What an operator has said; a node that is not named was released. */
export type Placed = {
  readonly node: string | undefined
  /** What it may take; bounds that are not set are not there. */
  readonly quota: Quota | undefined
  readonly version: number
  readonly who: string
  readonly why: string
  readonly at: string
}

/** A tenant or a document, as the node that was asked knows it. */
export type PlacedSubject = {
  /** The node that was asked. */
  readonly asked: string
  readonly subject: string
  /** 0 when nothing was ever said of it. */
  readonly version: number
  readonly placed: Placed | undefined
  /** Whose it is now; of a tenant that is not placed nobody, as each document has an owner of its own. */
  readonly owner: string | undefined
  readonly why: string
  /** What it is placed by, which may be its tenant. */
  readonly by: string | undefined
  readonly problem: string | undefined
  /** Authorities that take it. */
  readonly authorities: readonly string[]
  /** Authorities that may not have heard of all that is placed. */
  readonly authoritiesBehind: readonly string[]
  /** Nodes that may not have heard of all that is placed. */
  readonly behind: readonly string[]
  /** Of a tenant that something bounds: what it may take where, and what it has at the node that was asked. */
  readonly use: QuotaUse | undefined
  /** Of a tenant: documents that are placed by themselves, and how many there are. */
  readonly apart: readonly { readonly subject: string; readonly node: string }[]
  readonly apartCount: number
  /** Of a document: what the node has of it comes from its owner. */
  readonly isLiveHere: boolean | undefined
  /** What is known may be old. */
  readonly isFrozen: boolean
}

/** Asks a node. @throws CommandError, FanfoldError */
export async function askSubject(subject: string, settings: AdminSettings): Promise<PlacedSubject> {
  const path = `/admin/place?subject=${encodeURIComponent(subject)}`
  return subjectOf(subject, await askAdmin('GET', path, settings))
}

function subjectOf(subject: string, answer: Fields): PlacedSubject {
  const placed = fieldsOf(answer['placed'])
  const { isLiveHere } = answer
  return {
    asked: optionalTextOf(answer['asked']) ?? 'the node',
    subject,
    version: numberOf(answer['version']),
    placed: placed && placedOf(placed),
    owner: optionalTextOf(answer['owner']),
    why: optionalTextOf(answer['why']) ?? '',
    by: optionalTextOf(answer['by']),
    problem: optionalTextOf(answer['problem']),
    authorities: textsOf(answer['authorities']),
    authoritiesBehind: textsOf(answer['authoritiesBehind']),
    behind: textsOf(answer['behind']),
    use: useOf(fieldsOf(answer['quota'])),
    apart: listOf(answer['apart']).map(one => ({
      subject: optionalTextOf(one['subject']) ?? '',
      node: optionalTextOf(one['node']) ?? '',
    })),
    apartCount: numberOf(answer['apartCount']),
    isLiveHere: typeof isLiveHere === 'boolean' ? isLiveHere : undefined,
    isFrozen: answer['isFrozen'] === true,
  }
}

const placedOf = (fields: Fields): Placed => ({
  node: optionalTextOf(fields['node']),
  quota: quotaIn(fieldsOf(fields['quota'])),
  version: numberOf(fields['version']),
  who: optionalTextOf(fields['who']) ?? '',
  why: optionalTextOf(fields['why']) ?? '',
  at: optionalTextOf(fields['at']) ?? '',
})
