import { isJsonObject, type JsonObject, type JsonValue } from '@fanfold/document'

/**
 * What a line of a recording makes of a value, by the rule of the recordings and nothing else: an
 * oracle for the document that plays them, written apart from it. `target` may be changed.
 */
export function mergedByRule(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch
  if (Array.isArray(target)) {
    for (const [key, value] of Object.entries(patch)) {
      const index = Number(key)
      while (target.length <= index) target.push(null)
      target[index] = mergedByRule(target[index], value)
    }
    return target
  }
  const merged: JsonObject = isJsonObject(target) ? target : {}
  for (const [key, value] of Object.entries(patch)) {
    if (key !== '_deleted') merged[key] = mergedByRule(merged[key], value)
    else if (Array.isArray(value)) for (const name of value) delete merged[String(name)]
  }
  return merged
}
