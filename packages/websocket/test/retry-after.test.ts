import t from 'tap'
import { retryAfterMs } from '../src/retry-after.ts'

t.test('newcomers that find no room come back at different times', async t => {
  const times = Array.from({ length: 200 }, retryAfterMs)
  t.ok(times.every(time => time >= 1_000 && time < 5_000))
  t.ok(new Set(times).size > 50)
})
