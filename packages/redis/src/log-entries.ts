/*
 * Reads records from a log by plain ranges. How large a record is shows only when it is here, and the
 * largest is a thousand times the usual, so a range asks for few at first and for as many as would make
 * `bytesTarget` then: at most `entriesMax`, which bounds one reply.
 */
import { LogRecord, ProtocolError } from '@fanfold/protocol'
import { damaged } from './log-error.ts'
import type { LogKeys } from './log-keys.ts'
import type { RedisConnection } from './redis-connection.ts'
import { arrayOf, bytesOf } from './reply.ts'

/** Records of one range: 32 of the largest are 32 MiB. */
export const entriesMax = 32
/** What one range should bring, bytes: some milliseconds' worth of checking and replaying. */
export const bytesTarget = 131_072

/** How many records to ask for, as those before it were. */
export class RangeSize {
  #bytesPerEntry = bytesTarget / 4

  /** For a range that should bring about so many bytes. */
  countFor(bytes: number): number {
    return Math.max(1, Math.min(entriesMax, Math.floor(bytes / this.#bytesPerEntry)))
  }

  /** What a range brought. */
  note(records: readonly LogRecord[]): void {
    if (records.length === 0) return
    const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0)
    // Growing at once, and shrinking by halves: one small record says little of the next.
    this.#bytesPerEntry = Math.max(bytes / records.length, this.#bytesPerEntry / 2)
  }
}

/** What range of a log to read. */
export type RecordRange = {
  readonly keys: LogKeys
  readonly from: number
  /** The last one wanted. */
  readonly to: number
  readonly count: number
}

/**
 * The first records of a range, as far as they follow each other without a gap: none when the first is
 * not there. Hashes are not checked.
 *
 * @throws RedisFailure, LogError `FANFOLD_LOG_DAMAGED`
 */
export async function readEntries(
  connection: RedisConnection,
  { keys, from, to, count }: RecordRange,
): Promise<LogRecord[]> {
  const bounds = [`${from}-0`, `${to}-0`, 'COUNT', count]
  const reply = arrayOf(await connection.call(['xrange', keys.log, ...bounds]), 'a range')
  const entries = reply.map(entry => decodeEntry(entry))
  const bytes = new Uint8Array(entries.reduce((sum, { record }) => sum + record.length, 0))
  const records: LogRecord[] = []
  let offset = 0
  for (const { id, record } of entries) {
    const seq = from + records.length
    if (id !== `${seq}-0`) break
    // What came shares the memory of all that came with it; records may be kept for long.
    bytes.set(record, offset)
    records.push(decodeRecord(bytes.subarray(offset, offset + record.length), seq))
    offset += record.length
  }
  return records
}

function decodeEntry(entry: unknown): { id: string; record: Buffer } {
  const [id, fields] = arrayOf(entry, 'an entry of a log')
  const [, record] = arrayOf(fields, 'the fields of an entry')
  return { id: bytesOf(id, 'an id').toString('latin1'), record: bytesOf(record, 'a record') }
}

function decodeRecord(bytes: Uint8Array, seq: number): LogRecord {
  try {
    const record = LogRecord.decode(bytes)
    if (record.seq !== seq) damaged(`record ${seq} of the log says that it is ${record.seq}`)
    return record
  } catch (error) {
    if (error instanceof ProtocolError) damaged(`record ${seq} of the log: ${error.message}`)
    throw error
  }
}
