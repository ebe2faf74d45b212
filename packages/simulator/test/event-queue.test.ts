import { type Instant, instant, Prng } from '@fanfold/kernel'
import t from 'tap'
import { EventQueue } from '../src/event-queue.ts'

/** Takes everything out, and returns the times in that order. */
function drain(queue: EventQueue): Instant[] {
  const times: Instant[] = []
  for (let event = queue.pop(); event !== undefined; event = queue.pop()) {
    times.push(event.at)
    event.run()
  }
  return times
}

t.test('events come out by time, whatever the order they went in', async t => {
  const queue = new EventQueue()
  const prng = new Prng('times')
  const times = Array.from({ length: 1_000 }, () => instant(prng.below(500)))
  for (const at of times) queue.push(at, () => undefined)
  t.equal(queue.count, 1_000)
  t.same(
    drain(queue),
    times.toSorted((a, b) => a - b),
  )
  t.equal(queue.count, 0)
})

t.test('events of one time come out in the order they went in', async t => {
  const queue = new EventQueue()
  const order: number[] = []
  for (let index = 0; index < 100; index++) {
    queue.push(instant(index % 3), () => order.push(index))
  }
  drain(queue)
  const ofTime = (time: number) => order.filter(index => index % 3 === time)
  t.same(order, [...ofTime(0), ...ofTime(1), ...ofTime(2)])
  t.same(
    ofTime(1),
    ofTime(1).toSorted((a, b) => a - b),
  )
})

t.test('an empty queue has no next event', async t => {
  const queue = new EventQueue()
  t.equal(queue.nextAt, undefined)
  t.equal(queue.pop(), undefined)
  queue.push(instant(7), () => undefined)
  t.equal(queue.nextAt, 7)
})
