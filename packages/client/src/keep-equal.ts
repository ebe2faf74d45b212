import { isJsonObject, type JsonValue } from '@fanfold/document'

/** Levels that are compared; below them two values count as different. Documents are less deep. */
const depthMax = 512

/**
 * `next`, in which every part that equals its counterpart in `previous` is replaced by it, so that
 * whoever compares by `===` sees only what differs. Returns `previous` itself when all is equal.
 *
 * Neither argument is changed: what differs is copied. With `within`, only the containers that it
 * holds are looked into: every other part is as it is to be.
 */
export function keepEqual(
  previous: JsonValue,
  next: JsonValue,
  within?: ReadonlySet<JsonValue>,
  depth = 0,
): JsonValue {
  if (previous === next || depth > depthMax || within?.has(next) === false) return next
  const areArrays = Array.isArray(previous) && Array.isArray(next)
  if (!areArrays && !(isJsonObject(previous) && isJsonObject(next))) return next
  const before = previous as { readonly [key: string]: JsonValue }
  let kept = next as { [key: string]: JsonValue }
  const keys = Object.keys(next)
  let isEqual = keys.length === Object.keys(previous).length
  for (const key of keys) {
    const value = kept[key] as JsonValue
    const old = Object.hasOwn(before, key) ? before[key] : undefined
    const part = old === undefined ? value : keepEqual(old, value, within, depth + 1)
    if (part !== old) isEqual = false
    if (part === value) continue
    if (kept === next) kept = (areArrays ? [...next] : { ...next }) as typeof kept
    kept[key] = part
  }
  return isEqual ? previous : kept
}
