import { instant } from '@fanfold/kernel'
import fc from 'fast-check'
import t from 'tap'
import { NodeClock } from '../src/node-clock.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

const seconds = (count: number) => instant(count * 1_000_000)

t.test('a clock goes as the world’s unless something else is said', async t => {
  const clock = new VirtualClock()
  const time = new NodeClock(clock)
  clock.runUntil(seconds(7))
  t.equal(time.now, seconds(7))
  t.equal(time.worldAt(seconds(9)), seconds(9))
  t.equal(time.worldAt(seconds(3)), seconds(7), 'what is over is now')
})

t.test('a fast clock is early, a slow one late', async t => {
  const clock = new VirtualClock()
  clock.runUntil(seconds(10))
  t.equal(new NodeClock(clock, 1.1).now, seconds(11))
  t.equal(new NodeClock(clock, 0.9).now, seconds(9))
  t.equal(new NodeClock(clock, 0.9).worldAt(seconds(18)), seconds(20))
})

t.test('it shows a time at the moment that it names, and not before', async t => {
  const times = fc.integer({ min: 0, max: 10_000_000_000 })
  const rates = fc.double({ min: 0.5, max: 2, noNaN: true })
  fc.assert(
    fc.property(times, times, rates, (from, shown, rate) => {
      const clock = new VirtualClock()
      clock.runUntil(instant(from))
      const time = new NodeClock(clock, rate)
      const at = time.worldAt(instant(shown))
      if (at > from) {
        clock.runUntil(instant(at - 1))
        t.ok(time.now < shown)
      }
      clock.runUntil(at)
      t.ok(time.now >= shown)
    }),
  )
})
