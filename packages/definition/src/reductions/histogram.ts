import { finite, plus, shapeHash } from './operand.ts'
import { type Reduction, readWhole, written } from './reduction.ts'

/** How many numbers are in each bucket; the last one is for those over all bounds. */
export type Buckets = { counts: number[] }

/** A histogram as `apply` is given it. */
export type Histogram = {
  readonly bounds: readonly number[]
  /** One more than bounds: `counts[i]` of at most `bounds[i]` and more than the one before. */
  readonly counts: readonly number[]
}

/** How many buckets a histogram may have. */
export const boundsMax = 1_000

/** How many numbers are at most each of `bounds` (1 to 1,000, rising) and over the one before. Exact. */
export function histogram(options: {
  readonly bounds: readonly number[]
}): Reduction<number, Buckets, Histogram> {
  const bounds = Object.freeze([...options.bounds])
  const isRising = bounds.every(
    (bound, at) => Number.isFinite(bound) && (at === 0 || bound > (bounds[at - 1] as number)),
  )
  if (!isRising || bounds.length === 0 || bounds.length > boundsMax) {
    throw new RangeError(`bounds: 1 to ${boundsMax} finite numbers, rising`)
  }
  return {
    shape: `histogram/${bounds.length}/${shapeHash(bounds.join())}`,
    accuracy: 'exact',
    bytesMax: (bounds.length + 1) * 8,
    empty: () => ({ counts: new Array(bounds.length + 1).fill(0) }),
    fold: (sum, operand) => {
      const at = bucketOf(bounds, finite(operand))
      const count = plus(sum.counts[at] as number, 1)
      if (count === undefined) return undefined
      sum.counts[at] = count
      return sum
    },
    merge: (sum, other) => {
      const counts = sum.counts.map((count, at) => plus(count, other.counts[at] as number))
      return counts.every(count => count !== undefined) ? { counts } : undefined
    },
    encode: ({ counts }) =>
      written(writer => {
        for (const count of counts) writer.varint(count)
      }),
    decode: bytes =>
      readWhole(bytes, reader => {
        const counts = Array.from({ length: bounds.length + 1 }, () => reader.varint())
        return { counts }
      }),
    read: ({ counts }) => ({ bounds, counts: [...counts] }),
  }
}

/** The first whose bound is no less; half of what is left goes each time. */
function bucketOf(bounds: readonly number[], value: number): number {
  let low = 0
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (value <= (bounds[middle] as number)) high = middle
    else low = middle + 1
  }
  return low
}
