import type { Replica } from '@fanfold/document'
import type { LogRecord } from '@fanfold/protocol'
import type { RecordRing } from './record-ring.ts'

/**
 * The records that a replica took after `seq`, those that wait there or else those of the ring;
 * undefined when they are not all at hand any more.
 */
export function recordsAfter(
  replica: Replica,
  ring: RecordRing,
  seq: number,
): readonly LogRecord[] | undefined {
  if (seq >= replica.appliedSeq) return replica.waitingAfter(seq)
  if (seq < ring.base.seq) return undefined
  const records: LogRecord[] = []
  for (let next = seq + 1; next <= replica.position.seq; next++) {
    const record = ring.get(next)
    if (record === undefined) return undefined
    records.push(record)
  }
  return records
}
