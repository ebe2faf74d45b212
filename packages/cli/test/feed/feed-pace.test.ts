import t from 'tap'
import { FeedPace } from '../../src/feed/feed-pace.ts'
import { VirtualClock } from '../fake-terminal.ts'

const { signal } = new AbortController()

async function times(speed: number | 'max', lines: (number | undefined)[]): Promise<number[]> {
  const clock = new VirtualClock()
  const pace = new FeedPace(clock, speed)
  const played: number[] = []
  for (const ms of lines) {
    await pace.waitFor(ms, signal)
    played.push(clock.nowMs)
  }
  return played
}

await t.test('lines play at the times of the recording, from its first line on', async t => {
  t.same(await times(1, [500, 500, 1_500]), [0, 0, 1_000])
  t.same(await times(10, [500, 1_500, 2_500]), [0, 100, 200])
})

await t.test('a line without a time, or one before, plays with the line before it', async t => {
  t.same(
    await times(1, [undefined, 0, 1_000, 400, undefined, 1_100]),
    [0, 0, 1_000, 1_000, 1_000, 1_100],
  )
})

await t.test('a play that was late catches up', async t => {
  const clock = new VirtualClock()
  const pace = new FeedPace(clock, 1)
  await pace.waitFor(0, signal)
  clock.nowMs = 5_000
  await pace.waitFor(1_000, signal)
  t.equal(clock.nowMs, 5_000)
  await pace.waitFor(6_000, signal)
  t.equal(clock.nowMs, 6_000)
})

await t.test('full speed is under what a node takes from one writer', async t => {
  const clock = new VirtualClock()
  const pace = new FeedPace(clock, 'max')
  for (let count = 0; count < 9_000; count++) await pace.waitFor(undefined, signal)
  t.ok(clock.nowMs >= 990 && clock.nowMs <= 1_000, `${clock.nowMs}`)
})
