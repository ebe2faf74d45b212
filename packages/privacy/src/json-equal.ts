import { isJsonObject, type JsonValue } from '@fanfold/document'

/** True when two values of JSON are the same, whatever the order of members. Recursion ends at the depth of a document. */
export function jsonEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let index = 0; index < a.length; index++) {
      if (!jsonEqual(a[index], b[index])) return false
    }
    return true
  }
  if (!isJsonObject(b)) return false
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  for (const name of names) {
    if (!Object.hasOwn(b, name) || !jsonEqual(a[name], b[name])) return false
  }
  return true
}
