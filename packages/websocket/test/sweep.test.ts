import t from 'tap'
import { Sweep } from '../src/sweep.ts'
import { ManualClock } from './manual-clock.ts'

t.test('time awake goes with the clock, but not while the process stood still', t => {
  const clock = new ManualClock()
  const seen: number[] = []
  const sweep = new Sweep({ clock, periodMs: 100, task: awakeMs => seen.push(awakeMs) })
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
