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
