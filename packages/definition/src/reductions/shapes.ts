/*
 * Reductions by the shape of their sums: a node that knows no definition merges by what the sums say that
 * they are. Only merging, and what goes with it, works in such a one: what kinds there are, and where the
 * bounds of a histogram lie, is the definition's.
 */
import { count } from './count.ts'
import { countBy, kindsMax } from './count-by.ts'
import { distinct } from './distinct.ts'
import { max, min } from './extremes.ts'
import { boundsMax, histogram } from './histogram.ts'
import { latest } from './latest.ts'
import { mean } from './moments.ts'
import { integerOption } from './operand.ts'
import { quantiles } from './quantiles.ts'
import type { Reduction } from './reduction.ts'
import { sample } from './sample.ts'
import { sum } from './sum.ts'
import { vote } from './vote.ts'

/** What merges sums. */
export type Merging = Pick<
  Reduction<never, unknown, unknown>,
  'shape' | 'bytesMax' | 'empty' | 'merge' | 'encode' | 'decode'
>

const makers: { readonly [name: string]: (numbers: readonly number[]) => Merging } = {
  count,
  sum: ([decimals]) => sum({ decimals }),
  min,
  max,
  mean,
  histogram: ([size]) => histogram({ bounds: numbersBelow(size, boundsMax) }),
  quantiles: ([accuracy, bins]) => quantiles({ accuracy, bins }),
  among: ([size]) => countBy({ among: numbersBelow(size, kindsMax).map(String) }),
  top: ([top]) => countBy({ top }),
  distinct: ([precision]) => distinct({ precision }),
  sample: ([size = 0, bytesMax]) => sample({ size, bytesMax }),
  latest: ([bytesMax]) => latest({ bytesMax }),
  vote: ([voters]) => vote({ voters }),
}

/** As many as a shape says, which anybody may have written. */
const numbersBelow = (size: number | undefined, max: number): number[] =>
  Array.from({ length: integerOption('size', size ?? 0, 1, max) }, (_, at) => at)

/** What merges sums of this shape; undefined for one that is not of the library. */
export function mergingOf(shape: string): Merging | undefined {
  const [name = '', ...rest] = shape.split('/')
  const maker = Object.hasOwn(makers, name) ? makers[name] : undefined
  if (maker === undefined) return undefined
  try {
    const merging = maker(rest.map(Number))
    return { ...merging, shape }
  } catch {
    // No reduction of the library has this shape.
    return undefined
  }
}
