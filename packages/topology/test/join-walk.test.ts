import t from 'tap'
import { JoinWalk } from '../src/join-walk.ts'

await t.test('who was named last is asked first, in the order of the names', async t => {
  const walk = new JoinWalk(['a', 'b'])
  t.equal(walk.next(), 'a')
  walk.redirected(['c', 'd'])
  t.equal(walk.next(), 'c')
  walk.redirected(['e'])
  t.same([walk.next(), walk.next(), walk.next(), walk.next()], ['e', 'd', 'b', undefined])
  t.equal(walk.askedCount, 5)
})

await t.test('nobody is asked twice, so nodes that name each other end it', async t => {
  const walk = new JoinWalk(['a'])
  for (let place = walk.next(); place !== undefined; place = walk.next()) {
    walk.redirected(place === 'a' ? ['b'] : ['a', 'b'])
  }
  t.equal(walk.askedCount, 2)
})

await t.test('it ends after its bound, and remembers no more places than that', async t => {
  const walk = new JoinWalk(['start'], 5)
  let last = ''
  for (let place = walk.next(); place !== undefined; place = walk.next()) {
    last = place
    walk.redirected(Array.from({ length: 100 }, (_, index) => `${place}.${index}`))
  }
  t.equal(walk.askedCount, 5)
  t.equal(last, 'start.0.0.0.0')
  t.throws(() => new JoinWalk([], 0), /asks somebody, got asksMax 0/)
})
