import type { DocumentKey, LogRecord } from '@fanfold/protocol'
import { bytesTarget, type RangeSize, readEntries } from './log-entries.ts'
import { damaged, LogError } from './log-error.ts'
import { readHead } from './log-head.ts'
import type { LogKeys } from './log-keys.ts'
import type { RedisConnection } from './redis-connection.ts'

/** One batch of a reading. */
export type LogReading = {
  readonly connection: RedisConnection
  readonly doc: DocumentKey
  readonly keys: LogKeys
  readonly withinMs: number
  /** The records after this one. */
  readonly after: number
  /** The last one that is durable. */
  readonly end: number
  readonly bytesMax: number
  readonly size: RangeSize
}

/**
 * The next records, of `bytesMax` bytes together or one that is larger; none at the end. A reading holds
 * nothing between two batches: its place is a seq.
 *
 * @throws RedisFailure, LogError
 */
export async function readLog(reading: LogReading): Promise<LogRecord[]> {
  const { connection, keys, withinMs, after, end, bytesMax, size } = reading
  const batch: LogRecord[] = []
  let left = bytesMax
  while (left > 0 && after + batch.length < end) {
    const from = after + batch.length + 1
    const range = { keys, from, to: end, count: size.countFor(Math.min(left, bytesTarget)) }
    const records = await connection.ask(() => readEntries(connection, range), withinMs)
    if (records.length === 0) return batch.length > 0 ? batch : await refuseGap(reading, from)
    size.note(records)
    for (const record of records) {
      if (batch.length > 0 && record.bytes.length > left) return batch
      batch.push(record)
      left -= record.bytes.length
    }
  }
  return batch
}

async function refuseGap(
  { connection, doc, keys, withinMs }: LogReading,
  seq: number,
): Promise<never> {
  const { first, position } = await connection.ask(() => readHead(connection, keys), withinMs)
  if (seq < first) {
    throw new LogError(
      'FANFOLD_LOG_TRIMMED',
      `the log of ${doc} is held from ${first} on, ${seq} is asked for: a snapshot has it`,
    )
  }
  if (seq <= position.seq) damaged(`record ${seq} of ${doc} is missing`)
  throw new LogError(
    'FANFOLD_LOG_LOST',
    `record ${seq} of ${doc} was durable and is gone: the log ends at ${position.epoch}:${position.seq}`,
  )
}
