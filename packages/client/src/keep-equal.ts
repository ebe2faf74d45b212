import { isJsonObject, type JsonValue } from '@fanfold/document'

/** Levels that are compared; below them two values count as different. Documents are less deep. */
const depthMax = 512

/**
 * `next`, in which every part that equals its counterpart in `previous` is replaced by it, so that
 * whoever compares by `===` sees only what differs. Returns `previous` itself when all is equal.
 *
 * Neither argument is changed: what differs is copied.
 */
export function keepEqual(previous: JsonValue, next: JsonValue, depth = 0): JsonValue {
  if (previous === next || depth > depthMax) return next
  let isEqual = true
  const keep = (old: JsonValue | undefined, value: JsonValue): JsonValue => {
    const kept = old === undefined ? value : keepEqual(old, value, depth + 1)
    if (kept !== old) isEqual = false
    return kept
  }
  if (Array.isArray(previous) && Array.isArray(next)) {
    const kept = next.map((value, index) => keep(previous[index], value))
    return isEqual && previous.length === next.length ? previous : kept
  }
  if (isJsonObject(previous) && isJsonObject(next)) {
    const entries = Object.entries(next)
    const kept = entries.map(([key, value]): [string, JsonValue] => [
      key,
      keep(Object.hasOwn(previous, key) ? previous[key] : undefined, value),
    ])
    return isEqual && Object.keys(previous).length === entries.length
      ? previous
      : Object.fromEntries(kept)
  }
  return next
}
