import t from 'tap'
import { monotonicClock, wallClock } from '../src/clock.ts'

t.test('the monotonic clock gives whole microseconds and never goes back', async t => {
  const times = Array.from({ length: 1_000 }, () => monotonicClock())
  t.ok(times.every(time => Number.isInteger(time)))
  t.same(
    times,
    times.toSorted((a, b) => a - b),
  )
})

t.test('the wall clock is in milliseconds since 1970', async t => {
  t.ok(wallClock() > Date.UTC(2025, 0) && wallClock() < Date.UTC(2200, 0))
})
