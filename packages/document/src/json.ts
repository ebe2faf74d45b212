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
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  let text = ''
  if (Array.isArray(value)) {
    for (const element of value) text += `${text === '' ? '' : ','}${canonicalJson(element)}`
    return `[${text}]`
  }
  for (const key of sortedKeys(value)) {
    const member = canonicalJson(value[key] as JsonValue)
    text += `${text === '' ? '' : ','}${quoted(key)}:${member}`
  }
  return `{${text}}`
}

/** What JSON may write in another way than as it stands. */
const special = /[^ !#-[\]-\ud7ff\ue000-\uffff]/

/** The text as JSON; nearly all have nothing to escape, and looking is cheaper than asking. */
const quoted = (text: string): string => (special.test(text) ? JSON.stringify(text) : `"${text}"`)

/** The names in the order of their code points, in which most objects have them already. */
function sortedKeys(value: JsonObject): string[] {
  const keys = Object.keys(value)
  for (let index = 1; index < keys.length; index++) {
    if (byCodePoint(keys[index - 1] as string, keys[index] as string) > 0) {
      return keys.sort(byCodePoint)
    }
  }
  return keys
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
