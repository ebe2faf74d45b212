/*
 * Where a time is in a picture: each thing that happens has room for its label, and the time in which
 * nothing happens takes little of it, more where it is longer.
 */

/** A place in the picture at which the time is known. */
type Point = { readonly micros: number; readonly y: number }

const rowHeight = 16
/** What arrives needs no room for a label. */
const arrivalHeight = 5
/** Time from which on a gap is told, µs. */
const gapMicros = 20_000
const gapHeight = 22

/** Lanes are named again after so much of the picture, in a line of its own. */
const breakEvery = 900
const breakHeight = 28

/** A stretch in which nothing happens. */
export type Gap = { readonly y: number; readonly micros: number }

/** Where each time is. */
export class TimeScale {
  readonly #points: Point[] = []
  readonly gaps: readonly Gap[]
  /** Where each start is that was given, in order. */
  readonly starts: readonly number[]
  readonly height: number
  /** Where there is a line for names. */
  readonly breaks: readonly number[]

  /** @param starts times that need room, in order */
  constructor(top: number, starts: readonly number[], others: readonly number[]) {
    const all = [
      ...starts.map((micros, index) => ({ micros, index })),
      ...others.map(micros => ({ micros, index: undefined })),
      // What arrives at a time arrives before what it leads to.
    ].sort(
      (a, b) =>
        a.micros - b.micros || Number(a.index !== undefined) - Number(b.index !== undefined),
    )
    const gaps: Gap[] = []
    const breaks: number[] = []
    const startYs: number[] = []
    let y = top
    let before = all[0]?.micros ?? 0
    for (const { micros, index } of all) {
      const passed = micros - before
      if (y - (breaks.at(-1) ?? top) > breakEvery) {
        y += breakHeight
        breaks.push(y - 8)
      }
      if (passed > gapMicros) {
        gaps.push({ y: y + gapHeight / 2 + 4, micros: passed })
        y += gapHeight
      } else if (passed > 0) y += Math.min(8, 2 * Math.log10(1 + passed / 100))
      y += index === undefined ? (passed > 0 ? arrivalHeight : 0) : rowHeight
      if (index !== undefined) startYs[index] = y
      this.#points.push({ micros, y })
      before = micros
    }
    this.gaps = gaps
    this.breaks = breaks
    this.starts = startYs
    this.height = y
  }

  /** Where a time is; of several things at one time, the first. */
  y(micros: number): number {
    const points = this.#points
    let low = 0
    let high = points.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((points[middle]?.micros ?? 0) < micros) low = middle + 1
      else high = middle
    }
    const above = points[low - 1]
    const below = points[low]
    if (above === undefined) return below?.y ?? 0
    if (below === undefined) return above.y
    if (below.micros === micros) return below.y
    const share = (micros - above.micros) / (below.micros - above.micros)
    return above.y + share * (below.y - above.y)
  }
}
