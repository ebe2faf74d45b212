import { plus } from './operand.ts'
import { type Reduction, readWhole, written } from './reduction.ts'

/** A number that grows. */
export type Count = { count: number }

/** How many messages there were. Exact to 2⁵³ − 1. */
export function count(): Reduction<unknown, Count, number> {
  return {
    shape: 'count',
    accuracy: 'exact',
    bytesMax: 8,
    empty: () => ({ count: 0 }),
    fold: sum => grown(sum, 1),
    merge: (sum, other) => grown(sum, other.count),
    encode: sum => written(writer => writer.varint(sum.count)),
    decode: bytes => readWhole(bytes, reader => ({ count: reader.varint() })),
    read: sum => sum.count,
  }
}

function grown(sum: Count, by: number): Count | undefined {
  const count = plus(sum.count, by)
  if (count === undefined) return undefined
  sum.count = count
  return sum
}
