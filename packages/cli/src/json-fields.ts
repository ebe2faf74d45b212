/* What a node has answered, field by field: nodes of other versions say more or less. */

/** An object whose fields may be anything. */
export type Fields = Readonly<Record<string, unknown>>

/** The object; undefined for anything else. */
export const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined

/** The objects of a list; none for what is no list. */
export const listOf = (value: unknown): Fields[] =>
  Array.isArray(value) ? value.map(fieldsOf).filter(one => one !== undefined) : []

/** The texts of a list; none for what is no list. */
export const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter(one => typeof one === 'string') : []

/** The number; 0 for anything else. */
export const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)

/** The text; undefined for anything else. */
export const optionalTextOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

/** The text; an empty one for anything else. */
export const textOf = (value: unknown): string => optionalTextOf(value) ?? ''

/** Seconds for people. */
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
