import { isJsonObject, type JsonValue } from '@fanfold/document'

/** Levels that are compared; below them two values count as different. Documents are less deep. */
const depthMax = 512

/**
 * `next`, in which every part that equals its counterpart in `previous` is replaced by it, so that
 * whoever compares by `===` sees only what differs. Returns `previous` itself when all is equal.
 *
 * `next` is changed in place: it must be fresh from the parser.
 */
export function keepEqual(previous: JsonValue, next: JsonValue, depth = 0): JsonValue {
  if (previous === next || depth > depthMax) return next
  if (Array.isArray(previous) && Array.isArray(next)) {
    let isEqual = previous.length === next.length
    for (const [index, value] of next.entries()) {
      const old = previous[index]
      if (old === undefined) continue
      const kept = keepEqual(old, value, depth + 1)
      next[index] = kept
      if (kept !== old) isEqual = false
    }
    return isEqual ? previous : next
  }
  if (isJsonObject(previous) && isJsonObject(next)) {
    let isEqual = Object.keys(previous).length === Object.keys(next).length
    for (const [key, value] of Object.entries(next)) {
      const old = Object.hasOwn(previous, key) ? previous[key] : undefined
      if (old === undefined) {
        isEqual = false
        continue
      }
      const kept = keepEqual(old, value, depth + 1)
      next[key] = kept
      if (kept !== old) isEqual = false
    }
    return isEqual ? previous : next
  }
  return next
}
