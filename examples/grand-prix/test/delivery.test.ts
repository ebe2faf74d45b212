import t from 'tap'
import { Delivery } from '../page/src/delivery.ts'

const arrival = { epoch: 3, seq: 7, patch: [{ op: 'remove', path: '/a' }], time: 1_000 }

function following(fromMs: number): Delivery {
  const delivery = new Delivery()
  delivery.setFollowing(true, fromMs)
  return delivery
}

t.test('latency is from the commit to the arrival, and never less than nothing', async t => {
  const delivery = following(1_000)
  delivery.add(arrival, 1_012)
  delivery.add({ ...arrival, seq: 8 }, 990)
  const { latencies, medianMs, worstMs, epoch, seq, deltas } = delivery.summary(1_100)
  t.same(latencies, [12, 0])
  t.same(
    { medianMs, worstMs, epoch, seq, deltas },
    { medianMs: 12, worstMs: 12, epoch: 3, seq: 8, deltas: 2 },
  )
})

t.test('what was committed before the page followed is counted, and has no latency', async t => {
  const delivery = following(1_001)
  delivery.add(arrival, 1_012)
  t.match(delivery.summary(1_100), { deltas: 1, latencies: [], worstMs: undefined })
  delivery.setFollowing(false, 2_000)
  delivery.add({ ...arrival, time: 2_500 }, 3_012)
  t.match(delivery.summary(3_100), { deltas: 2, latencies: [], worstMs: undefined })
  delivery.setFollowing(true, 3_000)
  delivery.add({ ...arrival, time: 3_000 }, 3_020)
  t.match(delivery.summary(3_100), { deltas: 3, latencies: [20], worstMs: 20 })
})

t.test('the rate is that of the last five seconds', async t => {
  const delivery = new Delivery()
  for (let index = 0; index < 20; index++) delivery.add(arrival, 1_000 + index)
  t.equal(delivery.summary(2_000).deltasPerSecond, 4)
  t.equal(delivery.summary(9_000).deltasPerSecond, 0)
})

t.test('what is kept is bounded', async t => {
  const delivery = following(1_000)
  for (let index = 0; index < 5_000; index++) delivery.add(arrival, 1_000)
  t.equal(delivery.summary(1_000).latencies.length, 90)
  t.equal(delivery.summary(1_000).deltas, 5_000)
})
