import type { Snapshot } from '@fanfold/document'
import type { Prng } from '@fanfold/kernel'
import type { LogRecord } from '@fanfold/protocol'
import type { DiskLog } from './log-disk.ts'

/** Bytes of records that one `log-records` carries at most. */
export const readBytesMax = 1_048_576

/** What is told of a log: its newest snapshot, and the records after it. */
export type Stored = {
  readonly snapshot: Snapshot | undefined
  readonly records: readonly LogRecord[]
}

/** All of a log. */
export function storedIn({ snapshots, records }: DiskLog): Stored {
  const snapshot = snapshots.at(-1)
  return { snapshot, records: records.slice(snapshot?.manifest.at.seq ?? 0) }
}

/** What had been read of it before a read failed: nothing, or its beginning. */
export function partOf({ snapshot, records }: Stored, prng: Prng): Stored {
  if (prng.chance(0.5)) return { snapshot: undefined, records: [] }
  return { snapshot, records: records.slice(0, prng.below(records.length + 1)) }
}

/** The records in stretches of at most `bytesMax`, but for one that is larger. */
export function* batches(records: readonly LogRecord[], bytesMax: number): Generator<LogRecord[]> {
  let batch: LogRecord[] = []
  let bytes = 0
  for (const record of records) {
    if (batch.length > 0 && bytes + record.bytes.length > bytesMax) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(record)
    bytes += record.bytes.length
  }
  if (batch.length > 0) yield batch
}
