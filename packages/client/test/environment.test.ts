import t from 'tap'
import { realEnvironment } from '../src/environment.ts'

t.test('the real environment has time, timers and chance', async t => {
  const { now, random, setTimer } = realEnvironment
  t.ok(now() > 1_600_000_000_000)
  const chance = random()
  t.ok(chance >= 0 && chance < 1)
  let isCancelledRun = false
  const cancel = setTimer(() => {
    isCancelledRun = true
  }, 0)
  cancel()
  await new Promise<void>(resolve => setTimer(resolve, 1))
  t.equal(isCancelledRun, false)
})
