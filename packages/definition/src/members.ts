/* Looking at what may be anything: the checks of a literal that the compiler may not have seen. */

/** True for what members can be read of. */
export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null

/** A member of what may be anything; schemas of some libraries are functions. */
export const read = (holder: unknown, name: string): unknown =>
  isObject(holder) || typeof holder === 'function' ? Reflect.get(holder, name) : undefined

/** The members of `holder` that are none of `known`, as problems with their place. */
export const strangers = (holder: object, known: readonly PropertyKey[], place: string): string[] =>
  Reflect.ownKeys(holder)
    .filter(member => !known.includes(member))
    .map(member => `${place}${String(member)}: this version knows no such member`)

/** What is wrong with a schema, `undefined` for nothing. */
export function schemaProblem(schema: unknown): string | undefined {
  const standard = read(schema, '~standard')
  return typeof read(standard, 'validate') === 'function'
    ? undefined
    : 'the schema is one of a library that speaks Standard Schema'
}
