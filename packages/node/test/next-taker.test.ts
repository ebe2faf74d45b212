import t from 'tap'
import { nextTaker, type Taker } from '../src/next-taker.ts'

const taker = (held: number, given = held, isTaking = true): Taker => ({ held, given, isTaking })

t.test('who has fewest connections is next', async t => {
  const takers = [taker(5), taker(3), taker(4)]
  t.equal(nextTaker(takers), takers[1])
})

t.test('of those with equally many it is who was given fewest', async t => {
  const takers = [taker(3, 9), taker(3, 7), taker(3, 7), taker(3, 8)]
  t.equal(nextTaker(takers), takers[1])
})

t.test('who takes none is passed over, and nobody is next where nobody takes any', async t => {
  const takers = [taker(0, 0, false), taker(8)]
  t.equal(nextTaker(takers), takers[1])
  t.equal(nextTaker([taker(0, 0, false)]), undefined)
  t.equal(nextTaker([]), undefined)
})

t.test('one that has replaced another gets all, until it has as many', async t => {
  const old = { held: 100, given: 180, isTaking: true }
  const fresh = { held: 0, given: 0, isTaking: true }
  for (let count = 0; count < 120; count++) {
    const next = nextTaker([old, fresh])
    if (next === undefined) continue
    next.held++
    next.given++
  }
  t.same([old.held, fresh.held], [110, 110])
})
