/** What JSON can say. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject

/** An object of JSON; a document's state is one. */
export type JsonObject = { [key: string]: JsonValue }

/**
 * Member names that no document may hold: they are how JavaScript objects are attacked, and
 * fast-json-patch refuses a patch that names one.
 */
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** True for an object of JSON (not an array, not null). */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The one text of a value that does not depend on the order of insertion: members sorted by code
 * point, no white space. Two values are equal exactly when their canonical texts are.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.keys(value)
    .sort(byCodePoint)
    .map(key => `${JSON.stringify(key)}:${canonicalJson(value[key] as JsonValue)}`)
  return `{${members.join(',')}}`
}

/** Order by code point, in which a surrogate pair comes after U+FFFF; by code unit it would not. */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    if (a.charCodeAt(index) === b.charCodeAt(index)) continue
    // Behind a leading surrogate that both share, one may go on with its pair and the other not:
    // then the code points differ from there on. Without this the order would have cycles.
    const before = index === 0 ? index : index - 1
    return codePoint(a, before) - codePoint(b, before) || codePoint(a, index) - codePoint(b, index)
  }
  return a.length - b.length
}

const codePoint = (text: string, index: number): number => text.codePointAt(index) as number
