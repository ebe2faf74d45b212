import { type Duration, instant } from '@fanfold/kernel'
import t from 'tap'
import { VirtualClock } from '../src/virtual-clock.ts'

t.test('time jumps to what is due, and stands still while it happens', async t => {
  const clock = new VirtualClock()
  const seen: number[] = []
  clock.in(30 as Duration, () => seen.push(clock.now))
  clock.in(10 as Duration, () => {
    seen.push(clock.now)
    clock.in(5 as Duration, () => seen.push(clock.now))
  })
  clock.runUntil(instant(100))
  t.same(seen, [10, 15, 30])
  t.equal(clock.now, 100)
  t.equal(clock.events, 3)
})

t.test('what is due later than asked for does not happen', async t => {
  const clock = new VirtualClock()
  let count = 0
  clock.in(10 as Duration, () => count++)
  clock.in(11 as Duration, () => count++)
  clock.runUntil(instant(10))
  t.equal(count, 1)
  t.notOk(clock.step(instant(10)))
  t.ok(clock.step(instant(11)))
  t.equal(count, 2)
})

t.test('nothing can be planned for the past', async t => {
  const clock = new VirtualClock()
  clock.runUntil(instant(10))
  t.throws(() => clock.at(instant(9), () => undefined), /at 9, now 10/)
})

t.test('the wall follows the clock', async t => {
  const clock = new VirtualClock()
  const before = clock.wallMs
  clock.runUntil(instant(2_500_000))
  t.equal(clock.wallMs - before, 2_500)
})
