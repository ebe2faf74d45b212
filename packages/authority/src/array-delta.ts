/*
 * What changed between two arrays, as few and as short stretches as bounded work finds: the common
 * beginning and end first, then pure insertions or removals, then the shortest edit script (Myers)
 * as long as it is short and cheap; else the middle is one stretch.
 *
 * The work is linear in the arrays plus a constant, whatever they hold.
 */

/** Elements `beforeStart` … `beforeEnd` − 1 became `afterStart` … `afterEnd` − 1; all others are equal. */
export type Hunk = {
  readonly beforeStart: number
  readonly beforeEnd: number
  readonly afterStart: number
  readonly afterEnd: number
}

/** Two arrays, seen through their elements' equality. */
export type ArrayPair = {
  readonly beforeCount: number
  readonly afterCount: number
  isEqual(beforeIndex: number, afterIndex: number): boolean
  /** What the comparisons have cost so far: at least one for each. */
  work(): number
}

/** Edits beyond which the shortest script is not looked for; what it costs grows with their square. */
const editsMax = 64

/** The differing stretches of two arrays, in order. */
export function arrayHunks(pair: ArrayPair): Hunk[] {
  const { beforeCount, afterCount } = pair
  const shorter = Math.min(beforeCount, afterCount)
  let start = 0
  while (start < shorter && pair.isEqual(start, start)) start++
  let end = 0
  while (end < shorter - start && pair.isEqual(beforeCount - 1 - end, afterCount - 1 - end)) end++
  const middle: Hunk = {
    beforeStart: start,
    beforeEnd: beforeCount - end,
    afterStart: start,
    afterEnd: afterCount - end,
  }
  const removed = middle.beforeEnd - start
  const added = middle.afterEnd - start
  if (removed === 0 && added === 0) return []
  if (removed === 0 || added === 0 || (removed === 1 && added === 1)) return [middle]
  const matches = subsequence(pair, middle) ?? shortestScript(pair, middle)
  return matches === undefined ? [middle] : hunksBetween(middle, matches)
}

/** Equal elements as [index before, index after, …], ascending; one array holds all of the other. */
function subsequence(pair: ArrayPair, middle: Hunk): number[] | undefined {
  const removed = middle.beforeEnd - middle.beforeStart
  const added = middle.afterEnd - middle.afterStart
  if (removed === added) return undefined
  const matches: number[] = []
  let before = middle.beforeStart
  let after = middle.afterStart
  while (before < middle.beforeEnd && after < middle.afterEnd) {
    if (pair.isEqual(before, after)) matches.push(before++, after++)
    else if (removed > added) before++
    else after++
  }
  return matches.length === 2 * Math.min(removed, added) ? matches : undefined
}

/** As above, of a script with the fewest edits; `undefined` when it is too long or costs too much. */
function shortestScript(pair: ArrayPair, middle: Hunk): number[] | undefined {
  const { beforeStart, afterStart } = middle
  const beforeCount = middle.beforeEnd - beforeStart
  const afterCount = middle.afterEnd - afterStart
  if (Math.abs(beforeCount - afterCount) > editsMax) return undefined
  const workMax = pair.work() + 1_024 + 8 * (beforeCount + afterCount)
  // How far each diagonal reaches: `reach[editsMax + 1 + k]` is the furthest x on x − y = k.
  const middleIndex = editsMax + 1
  const reach = new Int32Array(2 * editsMax + 3)
  const trace: Int32Array[] = []
  for (let edits = 0; edits <= editsMax; edits++) {
    trace.push(reach.slice())
    for (let k = -edits; k <= edits; k += 2) {
      let x = stepInto(reach, middleIndex, k, edits)
      while (
        x < beforeCount &&
        x - k < afterCount &&
        pair.isEqual(beforeStart + x, afterStart + x - k)
      ) {
        x++
      }
      if (pair.work() > workMax) return undefined
      reach[middleIndex + k] = x
      if (x >= beforeCount && x - k >= afterCount) return walkBack(trace, middle)
    }
  }
  return undefined
}

/** Where diagonal `k` starts with this many edits: below its neighbour, or right of it. */
function stepInto(reach: Int32Array, middleIndex: number, k: number, edits: number): number {
  return isFromAbove(reach, middleIndex, k, edits)
    ? (reach[middleIndex + k + 1] ?? 0)
    : (reach[middleIndex + k - 1] ?? 0) + 1
}

function walkBack(trace: readonly Int32Array[], middle: Hunk): number[] {
  const middleIndex = editsMax + 1
  const reversed: number[] = []
  let x = middle.beforeEnd - middle.beforeStart
  let y = middle.afterEnd - middle.afterStart
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reach = trace[edits] ?? new Int32Array(0)
    const k = x - y
    const start = edits === 0 ? 0 : stepInto(reach, middleIndex, k, edits)
    while (x > start) {
      x--
      y--
      reversed.push(middle.afterStart + y, middle.beforeStart + x)
    }
    if (isFromAbove(reach, middleIndex, k, edits)) y--
    else x--
  }
  return reversed.reverse()
}

function isFromAbove(reach: Int32Array, middleIndex: number, k: number, edits: number): boolean {
  const fromAbove = reach[middleIndex + k + 1] ?? 0
  const fromLeft = (reach[middleIndex + k - 1] ?? 0) + 1
  return k === -edits || (k !== edits && fromLeft <= fromAbove)
}

/** The stretches of `middle` between the matches. */
function hunksBetween(middle: Hunk, matches: readonly number[]): Hunk[] {
  const hunks: Hunk[] = []
  let { beforeStart, afterStart } = middle
  const close = (beforeEnd: number, afterEnd: number): void => {
    if (beforeEnd > beforeStart || afterEnd > afterStart) {
      hunks.push({ beforeStart, beforeEnd, afterStart, afterEnd })
    }
    beforeStart = beforeEnd + 1
    afterStart = afterEnd + 1
  }
  for (let index = 0; index < matches.length; index += 2) {
    close(matches[index] ?? 0, matches[index + 1] ?? 0)
  }
  close(middle.beforeEnd, middle.afterEnd)
  return hunks
}
