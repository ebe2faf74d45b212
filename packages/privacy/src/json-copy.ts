import type { JsonObject, JsonValue } from '@fanfold/document'

/** A copy that shares nothing. Recursion ends at the depth of a document. */
export function copyJson(value: JsonObject): JsonObject
export function copyJson(value: JsonValue): JsonValue
export function copyJson(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(element => copyJson(element))
  const copy: JsonObject = {}
  for (const name of Object.keys(value)) copy[name] = copyJson(value[name] as JsonValue)
  return copy
}

/** A copy that nobody can change. */
export function frozenJson(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozenJson))
  const entries = Object.entries(value).map(([name, member]) => [name, frozenJson(member)])
  return Object.freeze(Object.fromEntries(entries))
}
