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
