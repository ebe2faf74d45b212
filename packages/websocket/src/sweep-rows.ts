/**
 * Those of a cohort that are written to in a row before others have theirs, and which part of it if that is more. So
 * all cohorts go through their passes side by side: whoever is in the last one, or in a small one beside a large one, has
 * a delta about as soon as the others.
 */
const rowSeatsMin = 16
const rowShare = 1 / 32

/** One whose seats are to be visited, a few at a time; see `CohortRing`. */
export type Swept = {
  readonly size: number
  readonly isMidPass: boolean
  sweepPass(seatsMax: number): number
}

/**
 * Visits at most `seatsMax` seats, a row of each ring in turn, and takes those from `lanes` whose pass is done, which are
 * returned; who is visited first the next time is the first of `lanes`.
 */
export function sweepRows<Lane extends { readonly ring: Swept }>(
  lanes: Set<Lane>,
  seatsMax: number,
): Lane[] {
  const passed: Lane[] = []
  let seatsLeft = seatsMax
  for (const lane of lanes) {
    if (seatsLeft <= 0) break
    const { ring } = lane
    const isAlone = lanes.size === 1
    const row = isAlone ? seatsLeft : Math.max(rowSeatsMin, Math.ceil(ring.size * rowShare))
    seatsLeft -= ring.sweepPass(Math.min(row, seatsLeft))
    lanes.delete(lane)
    // It comes by again when the others have.
    if (ring.isMidPass) lanes.add(lane)
    else passed.push(lane)
  }
  return passed
}
