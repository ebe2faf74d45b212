import t from 'tap'
import type { Cohort } from '../src/cohort.ts'
import { FrameCache } from '../src/frame-cache.ts'

const bytes = (length: number): Uint8Array => new Uint8Array(length)
// The cache looks at nothing else in a cohort.
const cohorts = Array.from({ length: 3 }, () => ({ sent: { seq: 1 } }) as Cohort)
const [one, two, three] = cohorts as [Cohort, Cohort, Cohort]
const lengths = (cache: FrameCache, cohort: Cohort): number[] | undefined =>
  cache.get(cohort)?.map(frame => frame.length)

t.test('deltas follow the snapshot as long as they are fewer bytes than another', async t => {
  const cache = new FrameCache(1_000)
  cache.put(one, bytes(100))
  cache.push(one, bytes(60))
  t.same(lengths(cache, one), [100, 60])
  cache.push(one, bytes(39))
  t.same(lengths(cache, one), [100, 60, 39])
  cache.push(one, bytes(1))
  t.equal(lengths(cache, one), undefined)
  t.equal(cache.bytes, 0)
  cache.push(one, bytes(1))
  t.equal(cache.bytes, 0, 'a delta after nothing is nothing')
})

t.test('what nobody has used for a minute of sweeps goes', async t => {
  const cache = new FrameCache(1_000)
  for (const cohort of [one, two]) cache.put(cohort, bytes(100))
  for (let sweep = 0; sweep < 12; sweep++) cache.sweep()
  cache.get(one)
  cache.sweep()
  t.same(lengths(cache, one), [100])
  t.equal(cache.get(two), undefined)
  t.equal(cache.bytes, 100)
})

t.test('at the limit the ones that were not used for longest go', async t => {
  const cache = new FrameCache(250)
  cache.put(one, bytes(100))
  cache.put(two, bytes(100))
  cache.get(one)
  cache.put(three, bytes(50))
  t.equal(cache.bytes, 250)
  cache.put(three, bytes(51))
  t.same(
    [lengths(cache, one), lengths(cache, two), lengths(cache, three)],
    [[100], undefined, [51]],
  )
})

t.test('the one used last is kept however large it is', async t => {
  const cache = new FrameCache(10)
  cache.put(one, bytes(100))
  t.same(lengths(cache, one), [100])
  cache.put(two, bytes(200))
  t.same([lengths(cache, one), lengths(cache, two)], [undefined, [200]])
  cache.drop(two)
  t.equal(cache.bytes, 0)
})
