import { systemClock } from '@fanfold/websocket'
import t from 'tap'

t.test('the system clock repeats a task until it is told to stop', async t => {
  let count = 0
  const before = systemClock.monotonicMs()
  await new Promise<void>(resolve => {
    const stop = systemClock.every(1, () => {
      count++
      if (count < 3) return
      stop()
      resolve()
    })
    // The timer alone keeps no process alive.
    const keep = setInterval(() => undefined, 1_000)
    t.teardown(() => clearInterval(keep))
  })
  t.equal(count, 3)
  t.ok(systemClock.monotonicMs() > before)
  t.ok(systemClock.wallMs() > 1_600_000_000_000)
})
