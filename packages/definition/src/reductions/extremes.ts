import { badFrame } from '@fanfold/protocol'
import { finite } from './operand.ts'
import { type Reduction, readWhole, written } from './reduction.ts'

/** The number that is furthest out; undefined of none. */
export type Extreme = { value: number | undefined }

/** The lowest of numbers; undefined of none. Exact. */
export const min = (): ExtremeReduction => extreme('min', (one, other) => one < other)

/** The highest of numbers; undefined of none. Exact. */
export const max = (): ExtremeReduction => extreme('max', (one, other) => one > other)

type ExtremeReduction = Reduction<number, Extreme, number | undefined>

function extreme(
  shape: string,
  isFurther: (one: number, other: number) => boolean,
): ExtremeReduction {
  const taken = (sum: Extreme, value: number | undefined): Extreme => {
    if (value === undefined) return sum
    if (sum.value === undefined || isFurther(value, sum.value)) sum.value = value
    return sum
  }
  return {
    shape,
    accuracy: 'exact',
    bytesMax: 8,
    empty: () => ({ value: undefined }),
    fold: (sum, operand) => taken(sum, finite(operand)),
    merge: (sum, other) => taken(sum, other.value),
    encode: ({ value }) => written(writer => value !== undefined && writer.float64(value)),
    decode: bytes =>
      readWhole(bytes, reader => {
        if (reader.remaining === 0) return { value: undefined }
        const value = reader.float64()
        if (!Number.isFinite(value) || Object.is(value, -0)) badFrame('a finite number')
        return { value }
      }),
    read: ({ value }) => value,
  }
}
