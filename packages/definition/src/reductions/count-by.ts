/*
 * How often each kind was said, in bounded room.
 *
 * Among kinds that are declared, counts are exact. Where they are not known before, the most frequent are
 * kept as Misra and Gries do: when one kind too many is there, all counts go down by as much as makes room, and
 * what they went down by is the error. Merged sums keep that bound (Agarwal and others, "Mergeable
 * summaries"): with n messages no count is too low by more than n / (top + 1), and none is ever too high.
 * Nothing goes down while there are no more kinds than room: then the error is 0, and all counts are exact.
 */
import { badFrame } from '@fanfold/protocol'
import { integerOption, kindBytesMax, nameText, plus, readName, shapeHash } from './operand.ts'
import { type Reduction, readWhole, written } from './reduction.ts'

/** Counts of kinds that are not known before. */
export type Kinds = {
  readonly counts: Map<string, number>
  /** Messages of all kinds. */
  total: number
  /** What each count may be too low by. */
  error: number
}

/** Counts by kind, the most frequent first, as `apply` is given them. */
export class Counts implements Iterable<readonly [kind: string, count: number]> {
  readonly #counts: ReadonlyMap<string, number>
  /** Messages of all kinds. */
  readonly total: number
  /** What each count may be too low by, and each kind's that is not there; 0 when all are exact. */
  readonly error: number

  constructor(counts: Iterable<readonly [string, number]>, total: number, error: number) {
    this.#counts = new Map([...counts].toSorted(byFrequency))
    this.total = total
    this.error = error
  }

  /** Kinds that were counted. */
  get size(): number {
    return this.#counts.size
  }

  /** How often a kind was said; 0 for one that was not counted. */
  of(kind: string): number {
    return this.#counts.get(kind) ?? 0
  }

  [Symbol.iterator](): Iterator<readonly [string, number]> {
    return this.#counts[Symbol.iterator]()
  }
}

/** How many kinds a sum may have room for. */
export const kindsMax = 1_024

/**
 * How often each kind was said, a text of 1 to 64 bytes.
 *
 * - `among`: the kinds that there are, 1 to 1,024; any other refuses the message. Exact.
 * - `top`: there is room for so many kinds, 1 to 1,024 (32 when neither is said); with more kinds than that
 *   each count may be too low by `error`, at most total / (top + 1). Approximate.
 */
export function countBy(options: {
  readonly among: readonly string[]
}): Reduction<string, number[], Counts>
export function countBy(options?: {
  readonly top?: number | undefined
}): Reduction<string, Kinds, Counts>
export function countBy(
  options: {
    readonly among?: readonly string[] | undefined
    readonly top?: number | undefined
  } = {},
): Reduction<string, number[], Counts> | Reduction<string, Kinds, Counts> {
  const { among, top = 32 } = options
  if (among === undefined) return frequent(integerOption('top', top, 1, kindsMax))
  if (options.top === undefined) return declared(among)
  throw new RangeError('countBy: among or top, not both')
}

function declared(among: readonly string[]): Reduction<string, number[], Counts> {
  const kinds = among.map(kind => nameText(kind, kindBytesMax))
  const places = new Map(kinds.map((kind, place) => [kind, place]))
  if (places.size !== kinds.length || kinds.length === 0 || kinds.length > kindsMax) {
    throw new RangeError(`among: 1 to ${kindsMax} kinds, each once`)
  }
  return {
    shape: `among/${kinds.length}/${shapeHash(JSON.stringify(kinds))}`,
    accuracy: 'exact',
    bytesMax: kinds.length * 8,
    empty: () => new Array(kinds.length).fill(0),
    fold: (sum, kind) => {
      const place = places.get(kind)
      if (place === undefined) throw new RangeError('a kind of those that there are')
      const count = plus(sum[place] as number, 1)
      if (count === undefined) return undefined
      sum[place] = count
      return sum
    },
    merge: (sum, other) => {
      const counts: number[] = []
      for (const [place, count] of sum.entries()) {
        const merged = plus(count, other[place] as number)
        if (merged === undefined) return undefined
        counts.push(merged)
      }
      return counts
    },
    encode: sum =>
      written(writer => {
        for (const count of sum) writer.varint(count)
      }),
    decode: bytes => readWhole(bytes, reader => kinds.map(() => reader.varint())),
    read: sum => {
      const counts = kinds.map((kind, place) => [kind, sum[place] as number] as const)
      const total = sum.reduce((all, count) => all + count, 0)
      return new Counts(
        counts.filter(([, count]) => count > 0),
        total,
        0,
      )
    },
  }
}

function frequent(top: number): Reduction<string, Kinds, Counts> {
  return {
    shape: `top/${top}`,
    accuracy: 'approximate',
    bytesMax: 20 + top * (2 + kindBytesMax + 8),
    empty: () => ({ counts: new Map(), total: 0, error: 0 }),
    fold: (sum, kind) => {
      const count = sum.counts.get(kind)
      if (count === undefined) nameText(kind, kindBytesMax)
      const total = plus(sum.total, 1)
      if (total === undefined) return undefined
      sum.total = total
      if (count !== undefined) sum.counts.set(kind, count + 1)
      else if (sum.counts.size < top) sum.counts.set(kind, 1)
      else lower(sum, 1)
      return sum
    },
    merge: (sum, other) => {
      const total = plus(sum.total, other.total)
      if (total === undefined) return undefined
      for (const [kind, count] of other.counts) {
        sum.counts.set(kind, (sum.counts.get(kind) ?? 0) + count)
      }
      sum.total = total
      sum.error += other.error
      if (sum.counts.size <= top) return sum
      const excess = [...sum.counts.values()].toSorted((a, b) => b - a)[top]
      if (excess !== undefined) lower(sum, excess)
      return sum
    },
    encode: ({ counts, total, error }) =>
      written(writer => {
        writer.varint(total).varint(error).varint(counts.size)
        for (const kind of [...counts.keys()].toSorted()) {
          writer.text(kind).varint(counts.get(kind) ?? 0)
        }
      }),
    decode: bytes =>
      readWhole(bytes, reader => {
        const [total, error, size] = [reader.varint(), reader.varint(), reader.varint()]
        if (size > top) badFrame(`at most ${top} kinds, got ${size}`)
        const counts = new Map<string, number>()
        let counted = 0
        let before = ''
        for (let at = 0; at < size; at++) {
          const kind = readName(reader, kindBytesMax)
          const count = reader.varint()
          if (kind <= before || count === 0) badFrame('kinds in rising order, each with its count')
          counts.set(kind, count)
          counted += count
          before = kind
        }
        // Each lowering took as much of `top` others, and of one that was not kept.
        if (counted + error * (top + 1) > total) badFrame('no more counted than there was')
        return { counts, total, error }
      }),
    read: ({ counts, total, error }) => new Counts(counts, total, error),
    isSame: (a, b) => a.total === b.total && isWithin(a, b) && isWithin(b, a),
  }
}

/** All counts go down; kinds of which nothing is left go. */
function lower(sum: Kinds, by: number): void {
  sum.error += by
  for (const [kind, count] of sum.counts) {
    if (count > by) sum.counts.set(kind, count - by)
    else sum.counts.delete(kind)
  }
}

/** True when each kind may have been said as often as the other one says at least. */
function isWithin(sum: Kinds, other: Kinds): boolean {
  for (const [kind, count] of other.counts) {
    if ((sum.counts.get(kind) ?? 0) + sum.error < count) return false
  }
  return true
}

const byFrequency = (
  [kind, count]: readonly [string, number],
  [otherKind, otherCount]: readonly [string, number],
): number => otherCount - count || (kind < otherKind ? -1 : 1)
