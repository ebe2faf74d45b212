import t from 'tap'
import { TurnClock } from '../src/turn-clock.ts'
import { turns } from './client-rig.ts'
import { ManualClock } from './manual-clock.ts'

t.test(
  'the time of a turn is that of its first reading, and the next turn has its own',
  async t => {
    const manual = new ManualClock()
    const clock = new TurnClock(manual)
    t.equal(clock.monotonicMs(), 0)
    manual.advance(5)
    t.equal(clock.monotonicMs(), 0)
    t.equal(clock.wallMs(), manual.wallMs())
    await turns(2)
    t.equal(clock.monotonicMs(), 5)
  },
)

t.test('tasks are called by the clock behind it', async t => {
  const manual = new ManualClock()
  const clock = new TurnClock(manual)
  let calls = 0
  const stop = clock.every(10, () => calls++)
  manual.advance(25)
  t.equal(calls, 2)
  stop()
  manual.advance(25)
  t.equal(calls, 2)
})
