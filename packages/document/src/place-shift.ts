/*
 * Where a place is after an operation elsewhere in the document: an element that comes or goes moves
 * those behind it, and what is overwritten or removed is gone with all below it.
 */

/** An operation as far as it moves other places. */
export type PlaceShift = {
  readonly op: 'add' | 'replace' | 'remove'
  readonly segments: readonly string[]
  /** Whether what the last segment is of is an array. */
  readonly isInArray: boolean
}

/** The place after the operation: itself when it stays, `undefined` when it is gone. */
export function shiftPlace(
  place: readonly string[],
  shift: PlaceShift,
): readonly string[] | undefined {
  const { op, segments, isInArray } = shift
  const last = segments.length - 1
  if (place.length < segments.length) return place
  for (let index = 0; index < last; index++) if (place[index] !== segments[index]) return place
  if (last < 0) return undefined
  const own = place[last] as string
  const other = segments[last] as string
  if (!isInArray || op === 'replace') return own === other ? undefined : place
  if (other === '-') return place
  if (op === 'remove' && own === other) return undefined
  if (Number(own) < Number(other)) return place
  const moved = place.slice()
  moved[last] = String(Number(own) + (op === 'add' ? 1 : -1))
  return moved
}
