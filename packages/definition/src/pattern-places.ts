/* How the places of two patterns lie to each other. */
import { anySegment, type PathPattern, type Segment } from '@fanfold/document'

/** True when every place of `inner` lies at or below a place of `outer`. */
export const covers = (outer: PathPattern, inner: PathPattern): boolean =>
  outer.segments.length <= inner.segments.length &&
  outer.segments.every((segment, at) => segment === anySegment || segment === inner.segments[at])

/** True when a place of `a` may lie at, above or below a place of `b`. */
export const mayMeet = (a: PathPattern, b: PathPattern): boolean => {
  const shared = Math.min(a.segments.length, b.segments.length)
  return a.segments.slice(0, shared).every((segment, at) => isOneOf(segment, b.segments[at]))
}

const isOneOf = (a: Segment, b: Segment | undefined): boolean =>
  a === b || a === anySegment || b === anySegment

/** How many `*` a pattern has. */
export const anyCount = ({ segments }: PathPattern): number =>
  segments.filter(segment => segment === anySegment).length
