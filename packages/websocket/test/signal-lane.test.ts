import t from 'tap'
import { SignalLane } from '../src/signal-lane.ts'

t.test('the latest of each key waits, in the order in which they came', t => {
  const lane = new SignalLane<number>({ signalsMax: 3 })
  lane.put('a', 1)
  lane.put('b', 2)
  lane.put('a', 3)
  t.same(
    [...lane.entries()],
    [
      ['b', 2],
      ['a', 3],
    ],
  )
  t.equal(lane.peek(), 2)
  t.equal(lane.shift(), 2)
  t.equal(lane.shift(), 3)
  t.equal(lane.shift(), undefined)
  t.equal(lane.dropped, 0)
  t.end()
})

t.test('at the bound all wait, and one more drops the one that waits longest', t => {
  const lane = new SignalLane<number>({ signalsMax: 2 })
  lane.put('a', 1)
  lane.put('b', 2)
  t.equal(lane.dropped, 0)
  lane.put('b', 3)
  t.equal(lane.dropped, 0)
  lane.put('c', 4)
  t.same(
    [...lane.entries()],
    [
      ['b', 3],
      ['c', 4],
    ],
  )
  t.equal(lane.dropped, 1)
  t.end()
})

t.test('what counts no more is let go, by its key or by what it is', t => {
  const lane = new SignalLane<number>({ signalsMax: 9 })
  for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) lane.put(key, index)
  lane.delete('a')
  lane.drop(signal => signal === 2)
  t.same(
    [...lane.entries()],
    [
      ['b', 1],
      ['d', 3],
    ],
  )
  t.equal(lane.size, 2)
  t.end()
})
