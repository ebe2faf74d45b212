import { type Duration, instant, milliseconds, Prng } from '@fanfold/kernel'
import t from 'tap'
import { Pipe } from '../src/pipe.ts'
import { VirtualClock } from '../src/virtual-clock.ts'

/** A pipe with what came out of it and when. */
function makePipe(profile = {}) {
  const clock = new VirtualClock()
  const arrived: { item: string; at: number }[] = []
  const unsent: number[] = []
  const pipe: Pipe<string> = new Pipe<string>({
    clock,
    prng: new Prng('pipe'),
    profile: {
      delayMin: milliseconds(10),
      delayMean: 0 as Duration,
      bytesPerSecond: 1_000_000,
      ...profile,
    },
    onSent: () => unsent.push(pipe.unsentBytes),
    onArrival: item => arrived.push({ item, at: clock.now }),
  })
  return { clock, pipe, arrived, unsent, end: instant(10_000_000) }
}

t.test('an item takes its share of the speed, then the delay', async t => {
  const { clock, pipe, arrived, unsent, end } = makePipe()
  pipe.send('a', 1_000)
  pipe.send('b', 500)
  t.equal(pipe.unsentBytes, 1_500)
  clock.runUntil(end)
  t.same(arrived, [
    { item: 'a', at: 11_000 },
    { item: 'b', at: 11_500 },
  ])
  t.same(unsent, [500, 0])
})

t.test('items arrive in order, however their delays are drawn', async t => {
  const { clock, pipe, arrived, end } = makePipe({ delayMean: milliseconds(50) })
  const items = Array.from({ length: 200 }, (_, index) => `${index}`)
  for (const item of items) pipe.send(item, 1)
  clock.runUntil(end)
  t.same(
    arrived.map(({ item }) => item),
    items,
  )
})

t.test('delays have the mean that was asked for, beyond the least', async t => {
  const { clock, pipe, arrived } = makePipe({ delayMean: milliseconds(20) })
  let sum = 0
  const count = 2_000
  for (let index = 0; index < count; index++) {
    const sentAt = clock.now
    pipe.send('x', 0)
    clock.runUntil(instant(sentAt + 1_000_000))
    sum += (arrived.at(-1)?.at ?? 0) - sentAt
  }
  const mean = sum / count / 1000
  t.ok(mean > 28 && mean < 32, `${mean} ms`)
})

t.test('what is under way in a pipe that closes is lost', async t => {
  const { clock, pipe, arrived, end } = makePipe()
  pipe.send('a', 1)
  clock.runUntil(instant(5_000))
  pipe.close()
  pipe.send('b', 1)
  clock.runUntil(end)
  t.same(arrived, [])
})

t.test('a stalled pipe loses nothing and keeps the order', async t => {
  const { clock, pipe, arrived } = makePipe()
  pipe.send('a', 1)
  pipe.stall()
  clock.runUntil(instant(100_000))
  pipe.send('b', 1)
  clock.runUntil(instant(200_000))
  t.same(arrived, [])
  t.equal(pipe.unsentBytes, 2)
  pipe.send('c', 1)
  pipe.unstall()
  pipe.unstall()
  clock.runUntil(instant(300_000))
  t.same(
    arrived.map(({ item }) => item),
    ['a', 'b', 'c'],
  )
  t.equal(pipe.unsentBytes, 0)
})

t.test('a pipe that breaks lets a share of what is under way arrive, in whole items', async t => {
  for (const [share, expected] of [
    [0, []],
    [0.5, ['a']],
    [0.99, ['a', 'b']],
    [1, ['a', 'b', 'c']],
  ] as const) {
    const { clock, pipe, arrived, unsent, end } = makePipe()
    for (const item of ['a', 'b', 'c']) pipe.send(item, 1_000)
    // Three have left and none has arrived; the fourth has not left.
    clock.runUntil(instant(3_000))
    pipe.send('d', 1_000)
    const lastAt = pipe.sever(share)
    pipe.send('e', 1_000)
    clock.runUntil(end)
    t.same(
      arrived.map(({ item }) => item),
      expected,
    )
    t.equal(lastAt, arrived.at(-1)?.at ?? 3_000)
    t.equal(unsent.at(-1), 0, 'its sender is not told')
  }
})

t.test('a strain delays what is sent from then on, and slows down what has not left', async t => {
  const { clock, pipe, arrived, end } = makePipe()
  pipe.send('a', 1_000)
  clock.runUntil(instant(1_000))
  pipe.send('b', 1_000)
  pipe.strain({ delay: milliseconds(100), bytesPerSecondMax: 10_000 })
  pipe.send('c', 1_000)
  clock.runUntil(instant(150_000))
  pipe.strain({ delay: 0 as Duration, bytesPerSecondMax: Number.POSITIVE_INFINITY })
  clock.runUntil(end)
  t.same(arrived, [
    { item: 'a', at: 11_000 },
    // It leaves after 100 ms.
    { item: 'b', at: 111_000 },
    // It has not left after 150 ms and takes 1 ms now; its delay is 110 ms.
    { item: 'c', at: 261_000 },
  ])
  t.equal(pipe.unsentBytes, 0)
})

t.test('a fuse burns by the bytes that are sent', async t => {
  const { clock, pipe, end } = makePipe()
  const burnt: number[] = []
  pipe.light(1_500, () => burnt.push(clock.now))
  pipe.send('a', 1_000)
  clock.runUntil(instant(5_000))
  t.same(burnt, [])
  pipe.send('b', 1_000)
  pipe.send('c', 1_000)
  clock.runUntil(end)
  t.same(burnt, [5_000])
})
