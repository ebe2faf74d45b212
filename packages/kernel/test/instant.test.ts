import t from 'tap'
import { after, between, earliest, instant, milliseconds } from '../src/instant.ts'

await t.test('instants and durations are whole microseconds', async t => {
  t.equal(instant(1.9), 1)
  t.equal(milliseconds(1.5), 1500)
  t.equal(milliseconds(0.0004), 0)
  t.equal(milliseconds(0.0006), 1)
})

await t.test('moving on by a duration and measuring it are each other’s reverse', async t => {
  const start = instant(5_000)
  const end = after(start, milliseconds(20))
  t.equal(end, 25_000)
  t.equal(between(start, end), milliseconds(20))
  t.equal(between(end, start), -20_000, 'negative when the end is the earlier one')
})

await t.test('never is later than any instant', async t => {
  t.equal(earliest(undefined, undefined), undefined)
  t.equal(earliest(instant(3), undefined), 3)
  t.equal(earliest(undefined, instant(3)), 3)
  t.equal(earliest(instant(4), instant(3)), 3)
  t.equal(earliest(instant(0), instant(3)), 0, 'zero is an instant, not a never')
})
