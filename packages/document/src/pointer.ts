import type { JsonObject, JsonValue } from './json.ts'

/** A path into a document: JSON Pointer (RFC 6901), `''` for the whole. */
export type Pointer = string

/** A member's name or an index as a segment of a pointer. */
export const escapeSegment = (segment: string): string =>
  segment.includes('~') || segment.includes('/')
    ? segment.replaceAll('~', '~0').replaceAll('/', '~1')
    : segment

/** The segments of a pointer, or `undefined` when `pointer` is none. */
export function parsePointer(pointer: Pointer): string[] | undefined {
  if (pointer === '') return []
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined
  return pointer
    .slice(1)
    .split('/')
    .map(segment => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The pointer that these segments make. */
export function pointerTo(segments: readonly string[]): Pointer {
  let pointer = ''
  for (const segment of segments) pointer += `/${escapeSegment(segment)}`
  return pointer
}

/** The member or the element of that name; undefined where there is none. */
export function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return Array.isArray(value) && name === 'length' ? undefined : (value as JsonObject)[name]
}

/** The value at the end of these segments; undefined where there is none. */
export function valueAt(root: JsonValue, segments: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = root
  for (const segment of segments) value = memberOf(value, segment)
  return value
}
