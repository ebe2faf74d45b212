/**
 * A point on the driver's monotonic clock, in integer microseconds.
 *
 * Only differences mean anything: it never goes back, and says nothing of the wall's time, which
 * reaches a machine as a field of an input where it is needed.
 */
export type Instant = number & { readonly unit: 'instant' }

/** A span between two instants, in integer microseconds. */
export type Duration = number & { readonly unit: 'duration' }

/** The instant `microseconds` after the clock's own zero. Rounds down. */
export const instant = (microseconds: number): Instant => Math.floor(microseconds) as Instant

/** A duration of so many milliseconds. */
export const milliseconds = (ms: number): Duration => Math.round(ms * 1000) as Duration

/** `start` moved on by `duration`. */
export const after = (start: Instant, duration: Duration): Instant => (start + duration) as Instant

/** How long from `start` to `end`; negative when `end` is the earlier one. */
export const between = (start: Instant, end: Instant): Duration => (end - start) as Duration

/** The earlier of two wake-up times, either of which may be never. */
export function earliest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  return a < b ? a : b
}
