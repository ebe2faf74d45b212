import t from 'tap'
import { machineNowMs } from '../../src/bench/machine-clock.ts'

const hrtimeMs = (): number => Number(process.hrtime.bigint()) / 1e6

await t.test("it is the machine's monotonic clock", async t => {
  // Whatever comes between two readings only makes the bracket wider.
  for (let reading = 0; reading < 100; reading++) {
    const beforeMs = hrtimeMs()
    const nowMs = machineNowMs()
    const afterMs = hrtimeMs()
    // The difference is known to a few microseconds.
    const slackMs = 0.5
    t.ok(nowMs >= beforeMs - slackMs && nowMs <= afterMs + slackMs)
  }
})
