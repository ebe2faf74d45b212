/*
 * Mean and variance in one pass: count, mean, and the sum of squared distances from it, merged as Chan,
 * Golub and LeVeque do, which keeps what a sum of squares would lose.
 */
import { badFrame } from '@fanfold/protocol'
import { finite, plus } from './operand.ts'
import { type Reduction, readWhole, written } from './reduction.ts'

/** Count, mean, and sum of squared distances from the mean. */
export type Moments = { count: number; mean: number; squares: number }

/** What the numbers of a crowd are like. */
export type Spread = {
  readonly count: number
  /** Their mean; undefined of none. */
  readonly mean: number | undefined
  /** Their population variance; undefined of none. */
  readonly variance: number | undefined
}

/** Two ways of adding the same numbers up differ by less than this, relative to their size. */
const errorMax = 1e-9

/** Count, mean and variance of numbers of at most 10¹⁵. Approximate: as far as floating point rounds. */
export function mean(): Reduction<number, Moments, Spread> {
  return {
    shape: 'mean',
    accuracy: 'approximate',
    bytesMax: 24,
    empty: () => ({ count: 0, mean: 0, squares: 0 }),
    fold: (sum, operand) => merged(sum, { count: 1, mean: bounded(operand), squares: 0 }),
    merge: merged,
    encode: ({ count, mean, squares }) =>
      written(writer => writer.varint(count).float64(mean).float64(squares)),
    decode: bytes =>
      readWhole(bytes, reader => {
        const count = reader.varint()
        const [mean, squares] = [reader.float64(), reader.float64()]
        const isEmpty = count === 0 && mean === 0 && squares === 0
        const isSome =
          count > 0 && Number.isFinite(mean) && Number.isFinite(squares) && squares >= 0
        if (!isEmpty && !isSome) badFrame('a count with its mean and squares')
        return { count, mean, squares }
      }),
    read: ({ count, mean, squares }) =>
      count === 0
        ? { count, mean: undefined, variance: undefined }
        : { count, mean, variance: squares / count },
    isSame: (a, b) =>
      a.count === b.count &&
      isClose(a.mean, b.mean, Math.sqrt(Math.max(a.squares, b.squares))) &&
      isClose(a.squares, b.squares, a.count * a.mean * a.mean),
  }
}

function bounded(operand: number): number {
  if (Math.abs(finite(operand)) <= 1e15) return operand
  throw new RangeError(`a number of at most 1e15, got ${operand}`)
}

/** The least that another number differs by is relative to the greatest that went in. */
const isClose = (a: number, b: number, size: number): boolean =>
  Math.abs(a - b) <= errorMax * Math.max(Math.abs(a), Math.abs(b), size, Number.MIN_VALUE)

function merged(sum: Moments, other: Moments): Moments | undefined {
  if (other.count === 0) return sum
  const count = plus(sum.count, other.count)
  if (count === undefined) return undefined
  const share = other.count / count
  const distance = other.mean - sum.mean
  sum.squares += other.squares + distance * distance * sum.count * share
  sum.mean += distance * share
  sum.count = count
  return sum
}
