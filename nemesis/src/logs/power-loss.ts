/*
 * What a loss of power leaves of a log, when the disk kept what it had said to be durable and nothing else
 * for sure. The clients know a bound: what one of them was told is durable. Behind it the file ends
 * anywhere, perhaps within a record, and what was not written there may be anything.
 *
 * A whole record never follows a torn one: bytes of one file are taken to reach the disk in order.
 */
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs'
import type { Prng } from '@fanfold/kernel'
import { recordsIn, segmentPaths } from './final-log.ts'

/** Bytes of garbage at most. */
const garbageBytesMax = 4_096

/** What a log lost. */
export type Cut = { readonly bytesLost: number; readonly garbage: 'none' | 'zeros' | 'noise' }

/**
 * Cuts a document's log behind `keptSeq`, at a byte that chance picks, and may leave garbage there.
 *
 * @param options.data the data directory of an authority that does not run
 */
export function losePower(options: {
  readonly data: string
  readonly doc: string
  readonly keptSeq: number
  readonly prng: Prng
}): Cut {
  const { data, doc, keptSeq, prng } = options
  const last = segmentPaths(data, doc).at(-1)
  if (last === undefined) return { bytesLost: 0, garbage: 'none' }
  const { size } = statSync(last)
  let keptEnd = 0
  for (const { record, end } of recordsIn(last)) {
    if (record.seq <= keptSeq) keptEnd = end
  }
  const end = keptEnd + prng.below(size - keptEnd + 1)
  const garbage = prng.pick(['none', 'zeros', 'noise'] as const)
  const count = 1 + prng.below(garbageBytesMax)
  const file = openSync(last, 'r+')
  try {
    ftruncateSync(file, end)
    if (garbage === 'zeros') writeSync(file, new Uint8Array(count), 0, count, end)
    if (garbage === 'noise') writeSync(file, prng.bytes(count), 0, count, end)
  } finally {
    closeSync(file)
  }
  return { bytesLost: size - end, garbage }
}
