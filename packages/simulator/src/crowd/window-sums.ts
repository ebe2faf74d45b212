/*
 * What each window of each session holds, as edges first said it: what else says so, later and above, must say the
 * same, and what counts of a session is the sum of its windows so far, whoever merged what.
 */
import type { DocumentKey } from '@fanfold/protocol'
import { decodeAggregate, decodeContent, type Range } from '@fanfold/reduction'
import { countsIn } from '../board.ts'

/** How often each thing was said, by reducer and what is summed up. */
export type Sums = ReadonlyMap<string, number>

/** The key of one thing that was said. */
export const sumKey = (reducer: string, operand: string): string => `${reducer} ${operand}`

/** What edges have said so far. */
export class WindowSums {
  readonly #windows = new Map<string, Sums>()

  /**
   * A node says something of a document to its parent.
   *
   * @param isEdge whether it has it from its viewers, and nobody else
   * @returns why that cannot be; undefined when it can
   */
  take(doc: DocumentKey, bytes: Uint8Array, isEdge: boolean): string | undefined {
    if (bytes.length === 0) return undefined
    const { ranges, content } = decodeAggregate(bytes)
    const said = sumsOf(content)
    if (typeof said === 'string') return said
    const [range] = ranges
    if (isEdge && ranges.length === 1 && range !== undefined) {
      const key = windowKey(doc, range)
      const before = this.#windows.get(key)
      if (before === undefined) {
        this.#windows.set(key, said)
        return undefined
      }
    }
    const expected = this.sumOf(doc, ranges)
    if (typeof expected === 'string') return expected
    return isSame(said, expected)
      ? undefined
      : `${words(ranges)} is said to hold ${json(said)}, and holds ${json(expected)}`
  }

  /** What these windows hold, all together; why nobody can tell, in words. */
  sumOf(doc: DocumentKey, ranges: readonly Range[]): Sums | string {
    const sum = new Map<string, number>()
    for (const range of ranges) {
      const windows = this.#windows.get(windowKey(doc, range))
      if (windows === undefined) return `no edge has said ${words([range])}`
      addSums(sum, windows)
    }
    return sum
  }
}

/** Adds `more` to `sum`. */
export function addSums(sum: Map<string, number>, more: Sums): void {
  for (const [key, count] of more) sum.set(key, (sum.get(key) ?? 0) + count)
}

/** Whether both say the same. */
export function isSame(one: Sums, other: Sums): boolean {
  return one.size === other.size && [...one].every(([key, count]) => other.get(key) === count)
}

/** What differs between two, in words. */
export function difference(actual: Sums, expected: Sums): string {
  const keys = new Set([...actual.keys(), ...expected.keys()])
  const [key] = [...keys].filter(one => actual.get(one) !== expected.get(one))
  if (key === undefined) return 'nothing differs'
  return `${key} counts ${actual.get(key) ?? 0} times, and is ${expected.get(key) ?? 0} times in what was counted`
}

function sumsOf(content: Uint8Array): Sums | string {
  const sums = new Map<string, number>()
  for (const { reducer, shape, bytes } of decodeContent(content)) {
    const counts = countsIn(reducer, shape, bytes)
    if (counts === undefined) return `a sum of ${reducer} of the shape ${shape}`
    if (counts.error > 0) return `a sum of ${reducer} that is not exact`
    for (const [operand, count] of counts) {
      const key = sumKey(reducer, operand)
      sums.set(key, (sums.get(key) ?? 0) + count)
    }
  }
  return sums
}

const windowKey = (doc: DocumentKey, { session, after, upTo }: Range): string =>
  `${doc} ${session} ${after} ${upTo}`

const words = (ranges: readonly Range[]): string =>
  ranges.map(({ session, after, upTo }) => `${after + 1} to ${upTo} of ${session}`).join(', ')

const json = (sums: Sums): string => JSON.stringify([...sums].toSorted())
