import t from 'tap'
import { WriteSchedule } from '../../src/bench/write-schedule.ts'

const build = (over: { perSecond?: number; durationMs?: number } = {}): WriteSchedule =>
  new WriteSchedule({ startMs: 1_000, perSecond: 5, durationMs: 2_000, ...over })

await t.test('writes are due at an even rate, the first at once', async t => {
  const schedule = build()
  t.equal(schedule.count, 10)
  t.same(
    [0, 1, 9].map(index => schedule.dueAtMs(index)),
    [1_000, 1_200, 2_800],
  )
  t.same(
    [999, 1_000, 1_199, 1_200, 2_799, 2_800, 9_000].map(ms => schedule.dueCount(ms)),
    [0, 1, 1, 2, 9, 10, 10],
  )
})

await t.test('each write is due at the moment that it is due at, whatever the rate', async t => {
  for (const perSecond of [0.3, 3, 7, 999, 5_000]) {
    const schedule = build({ perSecond, durationMs: 10_000 })
    const indexes = Array.from({ length: schedule.count }, (_, index) => index)
    const late = indexes.filter(index => schedule.dueCount(schedule.dueAtMs(index)) !== index + 1)
    t.same(late, [])
  }
})

await t.test('there are as many as rate and time make', async t => {
  t.same(
    [15, 7, 3, 0.5].map(perSecond => build({ perSecond, durationMs: 8_000 }).count),
    [120, 56, 24, 4],
  )
})

await t.test('there is one write at least', async t => {
  t.equal(build({ perSecond: 0.1, durationMs: 100 }).count, 1)
})

await t.test('the latency of a write that is late counts from when it was due', async t => {
  const schedule = build()
  t.equal(schedule.startOfLatencyMs(1, 1_850), 1_200, 'a stall of the server is its own')
  t.equal(schedule.startOfLatencyMs(1, 1_201), 1_201, 'a timer is not')
})
