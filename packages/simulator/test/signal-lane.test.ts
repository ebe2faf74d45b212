import { encodeUtf8 } from '@fanfold/kernel'
import t from 'tap'
import { SignalLane } from '../src/signal-lane.ts'

const texts = (frames: readonly Uint8Array[]) => frames.map(frame => Buffer.from(frame).toString())

t.test('the latest of each key waits, in the place of the latest', async t => {
  const lane = new SignalLane(3)
  lane.put('a', encodeUtf8('1'))
  lane.put('b', encodeUtf8('2'))
  lane.put('a', encodeUtf8('3'))
  t.equal(lane.count, 2)
  t.same(texts(lane.takeAll()), ['2', '3'])
  t.equal(lane.count, 0)
  t.equal(lane.dropped, 0)
})

t.test('one too many drops the one that waits longest', async t => {
  const lane = new SignalLane(2)
  for (const key of ['a', 'b', 'c']) lane.put(key, encodeUtf8(key))
  t.same(texts(lane.takeAll()), ['b', 'c'])
  t.equal(lane.dropped, 1)
})
