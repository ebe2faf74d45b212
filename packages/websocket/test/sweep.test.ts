import t from 'tap'
import { Sweep } from '../src/sweep.ts'
import { ManualClock } from './manual-clock.ts'

t.test('time awake goes with the clock, but not while the process stood still', t => {
  const clock = new ManualClock()
  const seen: number[] = []
  const sweep = new Sweep({
    clock,
    periodMs: 100,
    isNeeded: () => true,
    task: awakeMs => seen.push(awakeMs),
  })
  sweep.start()
  clock.advance(200)
  clock.leap(60_000)
  clock.advance(100)
  t.same(seen, [100, 200, 400, 500])
  t.equal(sweep.awakeMs, 500)
  sweep.stop()
  sweep.stop()
  clock.advance(1_000)
  t.equal(seen.length, 4)
  t.end()
})

t.test('time awake is whole milliseconds, and loses none of them', t => {
  const clock = new ManualClock()
  const seen: number[] = []
  const sweep = new Sweep({
    clock,
    periodMs: 100.4,
    isNeeded: () => true,
    task: awakeMs => seen.push(awakeMs),
  })
  clock.advance(0.3)
  sweep.start()
  clock.advance(1_004)
  t.ok(seen.every(Number.isInteger))
  t.equal(seen.at(-1), 1_004)
  sweep.stop()
  t.end()
})

t.test('nothing wakes the process while there is nothing to look at', t => {
  const clock = new ManualClock()
  const seen: number[] = []
  let isNeeded = true
  const sweep = new Sweep({
    clock,
    periodMs: 100,
    isNeeded: () => isNeeded,
    task: awakeMs => seen.push(awakeMs),
  })
  clock.advance(300)
  t.same(seen, [], 'before the first connection')
  sweep.start()
  sweep.start()
  clock.advance(100)
  isNeeded = false
  clock.advance(500)
  t.same(seen, [100], 'after the last one')
  isNeeded = true
  sweep.start()
  clock.advance(100)
  t.same(seen, [100, 200], 'and again from the next one on')
  sweep.stop()
  t.end()
})
