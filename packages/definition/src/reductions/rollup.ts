/*
 * Counts of the last minute, of the last hour, and of all time, kept in a document: what a reducer counted, by when
 * it was counted. A window is twelve buckets of a twelfth of it each; the newest one is not over yet, so a window
 * holds between eleven and twelve twelfths of what it is called.
 *
 * A bucket is dropped when one comes that is a window later, and what is older than that is not put in again: what
 * is kept depends on what was counted and when, and not on the order. So rollups of two crowds, merged anywhere, are
 * the rollup of both.
 */
import type { DeepReadonly } from '../deep.ts'
import { Counts } from './count-by.ts'
import { finite } from './operand.ts'

/** Counts by name. */
type Tally = { [name: string]: number }

/** A rollup as a document keeps it: JSON. */
export type Rollup = {
  /** Tallies by the number of the bucket: of 5 s each. */
  minute: { [bucket: string]: Tally }
  /** Of 5 min each. */
  hour: { [bucket: string]: Tally }
  all: Tally
}

/** Of when a rollup tells. */
export type RollupWindow = keyof Rollup

const bucketsMax = 12
const bucketMs = { minute: 5_000, hour: 300_000 } as const
const windows = ['minute', 'hour'] as const

/** Windowed counts in a document: for what `apply` is given by `countBy`, or any counts by name. */
export const rollup = {
  /** The rollup of nothing: for the first state. */
  empty: (): Rollup => ({ minute: {}, hour: {}, all: {} }),

  /**
   * Adds counts of `timeMs` (ms since 1970) in place. Exact for integers. Names stay for ever in `all`: let there
   * be few of them.
   */
  add: (
    held: Rollup,
    counts: Iterable<readonly [name: string, count: number]>,
    timeMs: number,
  ): void => {
    // What is nothing leaves nothing behind: no bucket, and no name.
    const said = [...counts].filter(([, count]) => finite(count) !== 0)
    if (said.length === 0) return
    for (const window of windows) {
      const bucket = bucketAt(held[window], numberAt(window, timeMs))
      if (bucket !== undefined) growAll(bucket, said)
    }
    growAll(held.all, said)
  },

  /** The rollup of both; neither is changed. */
  merge: (one: Rollup, other: Rollup): Rollup => {
    const merged = rollup.empty()
    for (const held of [one, other]) {
      for (const window of windows) {
        for (const [number, tally] of Object.entries(held[window])) {
          const bucket = bucketAt(merged[window], Number(number))
          if (bucket !== undefined) growAll(bucket, Object.entries(tally))
        }
      }
      growAll(merged.all, Object.entries(held.all))
    }
    return merged
  },

  /**
   * What was counted in a window, as `countBy` counts: the most frequent first.
   *
   * @param nowMs the window ends there, ms since 1970; when not said, with the newest of what was counted
   */
  read: (held: DeepReadonly<Rollup>, window: RollupWindow, nowMs?: number | undefined): Counts => {
    const tally: Tally = {}
    for (const bucket of window === 'all' ? [held.all] : lastOf(held, window, nowMs)) {
      growAll(tally, Object.entries(bucket))
    }
    const counts = Object.entries(tally)
    const total = counts.reduce((sum, [, count]) => sum + count, 0)
    return new Counts(counts, total, 0)
  },
} as const

/** The bucket of a number, made when there is none; undefined when its time is over. */
function bucketAt(buckets: Rollup['minute'], number: number): Tally | undefined {
  const newest = newestOf(buckets)
  if (number <= newest - bucketsMax) return undefined
  if (number > newest) {
    for (const key of Object.keys(buckets)) {
      if (Number(key) <= number - bucketsMax) delete buckets[key]
    }
  }
  buckets[number] ??= {}
  return buckets[number]
}

const newestOf = (buckets: DeepReadonly<Rollup['minute']>): number =>
  Object.keys(buckets).reduce(
    (newest, key) => Math.max(newest, Number(key)),
    Number.NEGATIVE_INFINITY,
  )

/** The buckets of a window that ends at a time; those that a slow clock takes for the future are in it. */
function lastOf(
  held: DeepReadonly<Rollup>,
  window: keyof typeof bucketMs,
  nowMs: number | undefined,
): DeepReadonly<Tally>[] {
  const buckets = held[window]
  const newest = nowMs === undefined ? newestOf(buckets) : numberAt(window, nowMs)
  return Object.entries(buckets)
    .filter(([number]) => Number(number) > newest - bucketsMax)
    .map(([, tally]) => tally)
}

const numberAt = (window: keyof typeof bucketMs, timeMs: number): number =>
  Math.floor(finite(timeMs) / bucketMs[window])

/** Names are a crowd's: only own members count. */
function growAll(tally: Tally, counts: Iterable<readonly [name: string, count: number]>): void {
  for (const [name, count] of counts) {
    const before = Object.hasOwn(tally, name) ? tally[name] : undefined
    tally[name] = (before ?? 0) + count
  }
}
