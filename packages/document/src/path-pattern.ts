import { documentLimits } from './document-limits.ts'
import { forbiddenKeys } from './json.ts'
import { escapeSegment, parsePointer } from './pointer.ts'

/**
 * Places in a document: a pointer some of whose segments may be `*`, which stands for any one member
 * or element. It covers the places and everything below them.
 *
 * A member that is named `*` has no pattern of its own.
 */
export type PathPattern = {
  /** As it was written: `/hands/*`. */
  readonly text: string
  /** The segments, unescaped; `anySegment` for `*`. Empty for the whole document. */
  readonly segments: readonly Segment[]
}

/** One segment of a pattern. */
export type Segment = string | typeof anySegment

/** The segment that stands for any member or element. */
export const anySegment: unique symbol = Symbol('any segment')

/** The pattern that `text` says, or `undefined` when it says none. */
export function parsePathPattern(text: string): PathPattern | undefined {
  const names = parsePointer(text)
  if (names === undefined || names.length > documentLimits.depthMax.value) return undefined
  if (names.some(name => forbiddenKeys.has(name) || name === '**')) return undefined
  return { text, segments: names.map(name => (name === '*' ? anySegment : name)) }
}

/** The pointer to the one place of a pattern in which `keys` stand for its `*`, in order. */
export function pointerOf(pattern: PathPattern, keys: readonly string[]): string {
  let next = 0
  return pattern.segments
    .map(segment => `/${escapeSegment(segment === anySegment ? (keys[next++] ?? '') : segment)}`)
    .join('')
}
