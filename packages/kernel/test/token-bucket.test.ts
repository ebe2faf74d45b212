import t from 'tap'
import { TokenBucket } from '../src/token-bucket.ts'

t.test('a burst goes through and no more, then the rate', t => {
  const bucket = new TokenBucket({ perSecondMax: 10, burst: 3, nowMs: 0 })
  t.same(
    [0, 0, 0, 0].map(nowMs => bucket.take(nowMs)),
    [true, true, true, false],
  )
  t.notOk(bucket.take(99))
  t.ok(bucket.take(100))
  t.notOk(bucket.take(100))
  t.end()
})

t.test('a long quiet saves up one burst at most', t => {
  const bucket = new TokenBucket({ perSecondMax: 10, burst: 2, nowMs: 0 })
  t.same(
    [9_000, 9_000, 9_000].map(nowMs => bucket.take(nowMs)),
    [true, true, false],
  )
  t.end()
})

t.test('several are taken at once, or as many as there are', t => {
  const bucket = new TokenBucket({ perSecondMax: 10, burst: 5, nowMs: 0 })
  t.equal(bucket.takeUpTo(3, 0), 3)
  t.equal(bucket.takeUpTo(3, 0), 2)
  t.equal(bucket.takeUpTo(3, 150), 1)
  t.equal(bucket.takeUpTo(0, 9_000), 0)
  t.equal(bucket.takeUpTo(9, 9_000), 5)
  t.end()
})

t.test('it says how long until there is one more', t => {
  const bucket = new TokenBucket({ perSecondMax: 10, burst: 2, nowMs: 0 })
  bucket.take(0)
  t.equal(bucket.waitMs, 0)
  bucket.take(0)
  t.equal(bucket.waitMs, 100)
  t.notOk(bucket.take(30))
  t.equal(bucket.waitMs, 70)
  t.ok(bucket.take(100))
  t.end()
})
