import fc from 'fast-check'
import t from 'tap'
import { hasRoomFor } from '../src/has-room-for.ts'

t.test('a child alone may have all the room there is', async t => {
  for (let count = 0; count < 8; count++) {
    t.ok(hasRoomFor({ count, countMax: 8, children: 1, ofChild: count + 1 }))
  }
  t.notOk(hasRoomFor({ count: 8, countMax: 8, children: 1, ofChild: 9 }))
})

t.test('the last quarter is for children that have no more than their part', async t => {
  const room = { countMax: 8, children: 4 }
  t.ok(hasRoomFor({ ...room, count: 5, ofChild: 6 }))
  t.notOk(hasRoomFor({ ...room, count: 6, ofChild: 7 }))
  t.notOk(hasRoomFor({ ...room, count: 6, ofChild: 3 }))
  t.ok(hasRoomFor({ ...room, count: 6, ofChild: 2 }))
  t.ok(hasRoomFor({ ...room, count: 7, ofChild: 1 }))
})

t.test(
  'however much one child asks for, each of some others gets what is its part of a quarter',
  async t => {
    const numbers = fc.record({
      countMax: fc.integer({ min: 40, max: 400 }),
      others: fc.integer({ min: 1, max: 9 }),
    })
    const check = fc.property(numbers, ({ countMax, others }) => {
      const children = others + 1
      let count = 0
      for (let ofChild = 1; ofChild <= 2 * countMax; ofChild++) {
        if (hasRoomFor({ count, countMax, children, ofChild })) count++
      }
      const part = Math.floor(countMax / 4 / children)
      for (let other = 0; other < others; other++) {
        for (let ofChild = 1; ofChild <= part; ofChild++) {
          if (!hasRoomFor({ count, countMax, children, ofChild })) return false
          count++
        }
      }
      return count <= countMax
    })
    t.doesNotThrow(() => fc.assert(check, { numRuns: 200 }))
  },
)
