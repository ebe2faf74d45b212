import { buildLog, sha256 } from '@fanfold/conformance'
import { Chain } from '@fanfold/document'
import {
  encodeRecordsFrame,
  encodeReplayFrame,
  LogRecord,
  parseDocumentKey,
} from '@fanfold/protocol'
import t from 'tap'
import { DamagedRecords } from '../src/damaged-records.ts'

const doc = parseDocumentKey('acme/match/final')
const { records } = buildLog({ doc, count: 4, isWhole: true })
const bytes = records.map(record => record.bytes)

/** A frame with another bit in its last byte, and its last record as it is now. */
function damage(frame: Uint8Array): { frame: Uint8Array; record: LogRecord } {
  const copy = frame.slice()
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1
  const last = bytes.at(-1) ?? new Uint8Array()
  return { frame: copy, record: LogRecord.decode(copy.slice(-last.length)) }
}

t.test('the last record of a damaged replay is known again, and no other', async t => {
  const damaged = new DamagedRecords(sha256)
  const { frame, record } = damage(encodeReplayFrame(3, 239, bytes))
  t.notOk(damaged.has(record))
  damaged.note(frame)
  t.ok(damaged.has(record))
  for (const whole of records) t.notOk(damaged.has(whole))
})

t.test('it is known again under a lower ceiling', async t => {
  const damaged = new DamagedRecords(sha256)
  const { frame, record } = damage(encodeReplayFrame(3, 239, bytes))
  damaged.note(frame)
  const below = new Chain(sha256).project(record, 0)
  t.ok(below.bytes.length < record.bytes.length)
  t.ok(damaged.has(below))
})

t.test('records that are no replay are verified where they arrive', async t => {
  const damaged = new DamagedRecords(sha256)
  const { frame, record } = damage(encodeRecordsFrame(1, bytes))
  damaged.note(frame)
  damaged.note(new Uint8Array([39]))
  t.notOk(damaged.has(record))
})
