import { buildLog } from '@fanfold/conformance'
import t from 'tap'
import { bytesTarget, entriesMax, RangeSize } from '../src/log-entries.ts'
import { doc } from './log-rig.ts'

const recordsOf = (recordBytes: number) => buildLog({ doc, count: 4, recordBytes }).records

t.test('a range begins with few records, and never has more than a bounded number', async t => {
  const size = new RangeSize()
  t.ok(size.countFor(bytesTarget) <= 4)
  for (let range = 0; range < 20; range++) size.note(recordsOf(200))
  t.equal(size.countFor(bytesTarget), entriesMax)
  t.equal(size.countFor(Number.MAX_SAFE_INTEGER), entriesMax)
})

t.test('one range of large records makes the next one small', async t => {
  const size = new RangeSize()
  for (let range = 0; range < 20; range++) size.note(recordsOf(200))
  size.note(recordsOf(500_000))
  t.equal(size.countFor(bytesTarget), 1)
})

t.test('a range has at least one record, whatever it may bring', async t => {
  const size = new RangeSize()
  t.equal(size.countFor(1), 1)
  size.note([])
  t.equal(size.countFor(0), 1)
})
