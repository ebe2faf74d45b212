/* What a node says of what a tenant may take, and has. */
import { type Fields, fieldsOf, numberOf } from './json-fields.ts'

/** The bounds of a quota, in the order in which they are shown. */
export const quotaBounds = ['documentsMax', 'viewersMax', 'bytesPerSecondMax'] as const

/** What a tenant may take; a bound that is not there is none. */
export type Quota = Readonly<Partial<Record<(typeof quotaBounds)[number], number>>>

/** What a tenant may take, and has. */
export type QuotaUse = {
  /** In all. */
  readonly whole: Quota
  /** At the node that was asked. */
  readonly here: Quota
  readonly documents: number
  readonly viewers: number
  /** Whether its viewers are shown less often now. */
  readonly isHeld: boolean
}

/** A quota from an answer. */
export function quotaIn(fields: Fields | undefined): Quota | undefined {
  if (fields === undefined) return undefined
  const given = quotaBounds.filter(name => typeof fields[name] === 'number')
  return Object.fromEntries(given.map(name => [name, numberOf(fields[name])]))
}

/** What it may take and has, from an answer. */
export function useOf(fields: Fields | undefined): QuotaUse | undefined {
  if (fields === undefined) return undefined
  const used = fieldsOf(fields['used']) ?? {}
  return {
    whole: quotaIn(fieldsOf(fields['whole'])) ?? {},
    here: quotaIn(fieldsOf(fields['here'])) ?? {},
    documents: numberOf(used['documents']),
    viewers: numberOf(used['viewers']),
    isHeld: used['isHeld'] === true,
  }
}
