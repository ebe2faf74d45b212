import { sha256 } from '@fanfold/conformance'
import { Replica } from '@fanfold/document'
import t from 'tap'
import { RecordRing } from '../src/record-ring.ts'
import { recordsAfter } from '../src/records-after.ts'
import { after, at, recordsOf, ringLimits, snapshotAt } from './build-stream.ts'

const log = recordsOf(20)

/** A replica at the tenth record that took ten more, and a ring that holds so many of them. */
function rig(recordsMax: number) {
  const base = after(log[9])
  const replica = new Replica(sha256)
  replica.reset(snapshotAt(base))
  const ring = new RecordRing(ringLimits({ recordsMax }), base)
  for (const record of log.slice(10)) {
    replica.append(record)
    ring.push(record, at(0))
  }
  const seqsAfter = (seq: number) => recordsAfter(replica, ring, seq)?.map(record => record.seq)
  return { replica, seqsAfter }
}

t.test('records that wait in the replica need no ring', async t => {
  const { seqsAfter } = rig(1)
  t.same(seqsAfter(18), [19, 20])
  t.same(seqsAfter(20), [])
})

t.test('records that were applied are those of the ring', async t => {
  const { replica, seqsAfter } = rig(10)
  replica.settle(10)
  t.same(seqsAfter(17), [18, 19, 20])
  t.same(seqsAfter(20), [])
})

t.test('applied records of which the ring has let go are not to be had', async t => {
  const { replica, seqsAfter } = rig(3)
  replica.settle(10)
  t.same(seqsAfter(17), [18, 19, 20], 'all that it holds')
  t.equal(seqsAfter(16), undefined, 'and one more')
})
