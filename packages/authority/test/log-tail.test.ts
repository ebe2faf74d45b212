import { LogRecord, type Position, zeroPosition } from '@fanfold/protocol'
import { RecordRing } from '@fanfold/replication'
import t from 'tap'
import { LogTail } from '../src/log-tail.ts'
import { at, limitsOf, opened, send, startMs } from './build-document.ts'

/** Records of a log, each committed so long after the one before, with so many bytes of text. */
function recordsOf(count: number, { everyMs = 0, bytes = 0 } = {}): readonly LogRecord[] {
  const rig = opened()
  for (let index = 0; index < count; index++) {
    const action = bytes === 0 ? send('goal', { team: 'home' }) : send('text', { bytes })
    rig.commit({ action, timeMs: startMs + index * everyMs })
  }
  return rig.records
}

/** A ring that is filled with the last of them. */
function filled(records: readonly LogRecord[], base: Position = zeroPosition): RecordRing {
  const tail = new LogTail(base)
  for (const record of records) tail.push(record)
  const ring = new RecordRing(limitsOf().ring)
  tail.fill(ring, at(0))
  return ring
}

t.test('a short log is kept from its beginning', async t => {
  const records = recordsOf(3)
  const ring = filled(records)
  t.same([ring.base.seq, ring.lastSeq], [0, records.length])
  for (const record of records) t.same(ring.get(record.seq)?.bytes, record.bytes)
  const after = filled(records.slice(2), { epoch: 1, seq: 2, hash: records[1]?.chainHash } as never)
  t.same([after.base.seq, after.lastSeq], [2, records.length])
})

t.test('of a long one so many records are kept, and no more', async t => {
  const records = recordsOf(1_100)
  const ring = filled(records)
  t.same([ring.lastSeq - ring.base.seq, ring.lastSeq], [1_024, records.length])
  t.same(ring.hashAt(ring.base.seq), records[ring.base.seq - 1]?.chainHash)
})

t.test('so many bytes are kept, and no more', async t => {
  const records = recordsOf(10, { bytes: 60_000 })
  const ring = filled(records)
  t.ok(ring.bytes <= 262_144, `${ring.bytes} bytes`)
  t.ok(ring.bytes > 180_000, `${ring.bytes} bytes`)
  const [large] = recordsOf(1, { bytes: 300_000 }).slice(-1)
  const none = filled([large as LogRecord], { ...zeroPosition, seq: (large?.seq ?? 0) - 1 })
  t.same([none.base.seq, none.lastSeq], [large?.seq, large?.seq], 'one that is larger is not')
})

t.test('what is long over beside the last one is not kept', async t => {
  const records = recordsOf(8, { everyMs: 1_000 })
  const ring = filled(records)
  t.same(ring.lastSeq - ring.base.seq, 6, 'those of the last five seconds')
})

t.test('what is kept holds on to nothing that was read with it', async t => {
  const [record] = recordsOf(1)
  const read = Buffer.alloc(10_000)
  read.set(record?.bytes ?? [], 100)
  const view = LogRecord.decode(read.subarray(100, 100 + (record?.bytes.length ?? 0)))
  t.equal(filled([view]).get(1)?.bytes.buffer.byteLength, record?.bytes.length)
})
