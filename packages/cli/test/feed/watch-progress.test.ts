import t from 'tap'
import { type WatchProgressOptions, watchProgress } from '../../src/feed/watch-progress.ts'
import { VirtualClock } from '../fake-terminal.ts'

/** What the watch gives up with, and when. */
function watched(overrides: Partial<WatchProgressOptions>) {
  const clock = new VirtualClock()
  return new Promise<{ error: unknown; atMs: number }>(resolve => {
    const stop = watchProgress({
      clock,
      isWaiting: () => true,
      reached: () => 0,
      isConnected: () => true,
      firstTimeoutMs: 1_000,
      timeoutMs: 60_000,
      interrupted: new AbortController().signal,
      unreachable: () => new Error('unreachable'),
      onGiveUp: error => {
        stop()
        resolve({ error, atMs: clock.nowMs })
      },
      ...overrides,
    })
  })
}

await t.test('without a first connection it gives up early', async t => {
  const { error, atMs } = await watched({ isConnected: () => false })
  t.match(error, { message: 'unreachable' })
  t.equal(atMs, 1_000)
})

await t.test('once connected it waits longer, also while the connection is lost', async t => {
  let looks = 0
  const { error, atMs } = await watched({ isConnected: () => looks++ < 3 })
  t.match(error, { code: 'FANFOLD_NO_PROGRESS', exitCode: 3 })
  t.equal(atMs, 60_000)
})

await t.test('each line that is reached starts the time anew', async t => {
  let looks = 0
  const { atMs } = await watched({ reached: () => Math.min(200, looks++), timeoutMs: 2_000 })
  t.ok(atMs > 2_000, `${atMs}`)
})

await t.test('after a signal what is under way has five seconds', async t => {
  const { error, atMs } = await watched({ interrupted: AbortSignal.abort() })
  t.match(error, { code: 'FANFOLD_INTERRUPTED' })
  t.equal(atMs, 5_100)
})

await t.test('nothing under way is no standstill, and the watch can be ended', async t => {
  const clock = new VirtualClock()
  const gaveUp: unknown[] = []
  const stop = watchProgress({
    clock,
    isWaiting: () => {
      if (clock.nowMs > 10_000) stop()
      return false
    },
    reached: () => 0,
    isConnected: () => true,
    firstTimeoutMs: 1_000,
    timeoutMs: 1_000,
    interrupted: new AbortController().signal,
    unreachable: () => new Error('unreachable'),
    onGiveUp: error => gaveUp.push(error),
  })
  while (clock.nowMs <= 10_000) await new Promise(resolve => setImmediate(resolve))
  await new Promise(resolve => setImmediate(resolve))
  t.same(gaveUp, [])
})
