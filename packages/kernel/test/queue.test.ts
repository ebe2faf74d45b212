import fc from 'fast-check'
import t from 'tap'
import { BoundedQueue } from '../src/queue.ts'

type Step =
  | { readonly do: 'push'; readonly item: number }
  | { readonly do: 'shift' | 'peek' | 'clear' }
  | { readonly do: 'at'; readonly index: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('push' as const), item: fc.integer() }) },
  { weight: 4, arbitrary: fc.constant({ do: 'shift' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'peek' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('at' as const),
      index: fc.integer({ min: -2, max: 80 }),
    }),
  },
)

await t.test('a queue does what an array with a bound does', async t => {
  const property = fc.property(
    fc.integer({ min: 1, max: 70 }),
    fc.array(fc.oneof({ weight: 60, arbitrary: step }, fc.constant({ do: 'clear' as const })), {
      maxLength: 400,
    }),
    (countMax, steps) => {
      const queue = new BoundedQueue<number>(countMax)
      let model: number[] = []
      for (const step of steps) {
        switch (step.do) {
          case 'push': {
            const fits = model.length < countMax
            if (fits) model.push(step.item)
            if (queue.push(step.item) !== fits) return false
            break
          }
          case 'shift':
            if (queue.shift() !== model.shift()) return false
            break
          case 'peek':
            if (queue.peek() !== model[0]) return false
            break
          case 'at':
            if (queue.at(step.index) !== model[step.index]) return false
            break
          case 'clear':
            queue.clear()
            model = []
        }
        if (queue.count !== model.length) return false
      }
      return true
    },
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
})

await t.test(
  'the last place is taken, one more is not, and nothing that waits is lost',
  async t => {
    const queue = new BoundedQueue<number>(100)
    for (let item = 0; item < 100; item++) t.ok(queue.push(item))
    t.notOk(queue.push(100))
    t.equal(queue.count, 100)
    for (let item = 0; item < 100; item++) t.equal(queue.shift(), item)
    t.equal(queue.shift(), undefined)
    t.ok(queue.push(7), 'there is room again')
  },
)

await t.test('growing keeps the order when the oldest item is not in the first place', async t => {
  const queue = new BoundedQueue<number>(64)
  for (let item = 0; item < 10; item++) queue.push(-1)
  for (let item = 0; item < 10; item++) queue.shift()
  for (let item = 0; item < 40; item++) queue.push(item)
  t.same(
    Array.from({ length: 40 }, () => queue.shift()),
    Array.from({ length: 40 }, (_, item) => item),
  )
})

await t.test('a queue of one is allowed, a queue of none is not', async t => {
  const queue = new BoundedQueue<string>(1)
  t.ok(queue.push('a'))
  t.notOk(queue.push('b'))
  t.equal(queue.peek(), 'a')
  t.throws(() => new BoundedQueue(0), { name: 'AssertionError', message: /countMax 0/ })
  t.throws(() => new BoundedQueue(Number.NaN), { name: 'AssertionError' })
})
