/*
 * Quantiles with a relative error (Masson, Rim, Lee: "DDSketch"): a number is counted in the bin of numbers
 * that differ from it by no more than that. With more bins than there is room for, those of the smallest
 * numbers are one: which ones those are follows from the largest number alone, so the order of merging
 * makes no difference to any bit.
 */
import { type ByteReader, type ByteWriter, badFrame } from '@fanfold/protocol'
import { finite, integerOption, plus } from './operand.ts'
import { type Reduction, readWhole, written } from './reduction.ts'

/** Counts by bin, of the numbers of one sign. */
type Bins = Map<number, number>

/** What was counted; bins that are too many may be there until it is encoded. */
export type Sketch = { readonly below: Bins; zero: number; readonly above: Bins; total: number }

/** The largest bin that any accuracy has, either way. */
const binMax = 800_000

/** Quantiles as `apply` is given them. */
export class Quantiles {
  readonly #rising: readonly (readonly [value: number, count: number])[]
  /** How many numbers there were. */
  readonly count: number

  constructor(rising: readonly (readonly [number, number])[]) {
    this.#rising = rising
    this.count = rising.reduce((all, [, count]) => all + count, 0)
  }

  /** The number that a share `q` of 0 … 1 of all numbers do not exceed; undefined of none. */
  at(q: number): number | undefined {
    if (!(q >= 0 && q <= 1)) throw new RangeError(`a share of 0 to 1, got ${q}`)
    let rank = Math.floor(q * (this.count - 1))
    for (const [value, count] of this.#rising) {
      if (rank < count) return value
      rank -= count
    }
    return undefined
  }
}

/**
 * Any quantile of numbers, within `accuracy` of it (0.001 … 0.1, default 0.01: 1 %), while the largest
 * number is within the reach of `bins` (64 … 4,096, default 512; of each sign) of the smallest: 512 bins of 1 %
 * reach over a factor of 28,000. Of smaller ones only the number is exact. Merging is exact to the bit.
 */
export function quantiles(
  options: { readonly accuracy?: number | undefined; readonly bins?: number | undefined } = {},
): Reduction<number, Sketch, Quantiles> {
  const { accuracy = 0.01 } = options
  const bins = integerOption('bins', options.bins ?? 512, 64, 4_096)
  if (!(accuracy >= 0.001 && accuracy <= 0.1)) {
    throw new RangeError(`accuracy: 0.001 to 0.1, got ${accuracy}`)
  }
  const base = Math.log((1 + accuracy) / (1 - accuracy))
  const binOf = (size: number): number => Math.ceil(Math.log(size) / base)
  const sizeOf = (bin: number): number => Math.exp(bin * base) * (1 - accuracy)
  const add = (to: Bins, bin: number, by: number): void => {
    to.set(bin, (to.get(bin) ?? 0) + by)
    if (to.size > 2 * bins) settle(to, bins)
  }
  return {
    shape: `quantiles/${accuracy}/${bins}`,
    accuracy: 'exact',
    bytesMax: 16 + 2 * (8 + bins * 10),
    empty: () => ({ below: new Map(), zero: 0, above: new Map(), total: 0 }),
    fold: (sum, number) => {
      const operand = finite(number)
      const total = plus(sum.total, 1)
      if (total === undefined) return undefined
      sum.total = total
      if (operand === 0) sum.zero++
      else add(operand < 0 ? sum.below : sum.above, binOf(Math.abs(operand)), 1)
      return sum
    },
    merge: (sum, other) => {
      const total = plus(sum.total, other.total)
      if (total === undefined) return undefined
      for (const [bin, count] of other.below) add(sum.below, bin, count)
      for (const [bin, count] of other.above) add(sum.above, bin, count)
      sum.zero += other.zero
      sum.total = total
      return sum
    },
    encode: ({ below, zero, above }) =>
      written(writer => {
        writer.varint(zero)
        writeBins(writer, settle(below, bins))
        writeBins(writer, settle(above, bins))
      }),
    decode: bytes =>
      readWhole(bytes, reader => {
        const zero = reader.varint()
        const [below, above] = [readBins(reader, bins), readBins(reader, bins)]
        let total = zero
        for (const count of [...below.values(), ...above.values()]) total += count
        if (!Number.isSafeInteger(total)) badFrame('a total of at most 2^53 - 1')
        return { below, zero, above, total }
      }),
    read: ({ below, zero, above }) =>
      new Quantiles([
        ...rising(settle(below, bins))
          .toReversed()
          .map(([bin, count]) => [-sizeOf(bin), count] as const),
        ...(zero > 0 ? [[0, zero] as const] : []),
        ...rising(settle(above, bins)).map(([bin, count]) => [sizeOf(bin), count] as const),
      ]),
  }
}

/** Counts of all bins under the lowest that there is room for go to that one. */
function settle(counts: Bins, bins: number): Bins {
  let top = Number.NEGATIVE_INFINITY
  for (const bin of counts.keys()) if (bin > top) top = bin
  const lowest = top - bins + 1
  let over = 0
  for (const [bin, count] of counts) {
    if (bin >= lowest) continue
    over += count
    counts.delete(bin)
  }
  if (over > 0) counts.set(lowest, (counts.get(lowest) ?? 0) + over)
  return counts
}

const rising = (counts: Bins): [bin: number, count: number][] =>
  [...counts].toSorted(([one], [other]) => one - other)

/** The lowest bin, from the least that there is; then each with how far it is from the one before. */
function writeBins(writer: ByteWriter, counts: Bins): void {
  writer.varint(counts.size)
  let before = -binMax
  for (const [bin, count] of rising(counts)) {
    writer.varint(bin - before).varint(count)
    before = bin
  }
}

function readBins(reader: ByteReader, bins: number): Bins {
  const size = reader.varint()
  if (size > bins) badFrame(`at most ${bins} bins, got ${size}`)
  const counts: Bins = new Map()
  let bin = -binMax
  let first = 0
  for (let at = 0; at < size; at++) {
    const step = reader.varint()
    const count = reader.varint()
    bin += step
    if (at === 0) first = bin
    const isNext = (step > 0 || at === 0) && bin <= binMax && bin - first < bins
    if (!isNext || count === 0) badFrame('bins in rising order, each with its count')
    counts.set(bin, count)
  }
  return counts
}
