import fc from 'fast-check'
import t from 'tap'
import { Backoff } from '../src/backoff.ts'
import { type Duration, milliseconds } from '../src/instant.ts'
import { Prng } from '../src/prng.ts'

await t.test(
  'each wait is between half and whole of a step that doubles up to the maximum',
  async t => {
    const options = fc.record({
      base: fc.integer({ min: 1, max: 1_000_000 }),
      factor: fc.integer({ min: 1, max: 10_000 }),
      attempts: fc.integer({ min: 1, max: 80 }),
      seed: fc.string(),
    })
    const property = fc.property(options, ({ base, factor, attempts, seed }) => {
      const max = base * factor
      const backoff = new Backoff({ base: base as Duration, max: max as Duration }, new Prng(seed))
      for (let attempt = 0; attempt < attempts; attempt++) {
        const step = Math.min(max, base * 2 ** attempt)
        const wait = backoff.next()
        if (!Number.isInteger(wait) || wait < Math.floor(step / 2) || wait > step) return false
      }
      return backoff.attempts === attempts
    })
    t.doesNotThrow(() => fc.assert(property))
  },
)

await t.test('a thousand failures in a row still wait no longer than the maximum', async t => {
  const max = milliseconds(1000)
  const backoff = new Backoff({ base: milliseconds(50), max }, new Prng('long'))
  for (let attempt = 0; attempt < 1000; attempt++) backoff.next()
  const wait = backoff.next()
  t.ok(wait >= max / 2 && wait <= max, `${wait} us`)
})

await t.test('after a reset the next wait is of the first step again', async t => {
  const backoff = new Backoff(
    { base: milliseconds(50), max: milliseconds(1000) },
    new Prng('reset'),
  )
  for (let attempt = 0; attempt < 5; attempt++) backoff.next()
  t.equal(backoff.attempts, 5)
  backoff.reset()
  t.equal(backoff.attempts, 0)
  t.ok(backoff.next() <= milliseconds(50))
})

await t.test('those that failed together do not come back together', async t => {
  const waits = new Set<number>()
  for (let peer = 0; peer < 100; peer++) {
    const options = { base: milliseconds(50), max: milliseconds(1000) }
    waits.add(new Backoff(options, new Prng(`peer ${peer}`)).next())
  }
  t.ok(waits.size > 90, `${waits.size} different waits of 100`)
})

await t.test('a base equal to the maximum is allowed, one over it or of zero is not', async t => {
  const make = (base: number, max: number) => () =>
    new Backoff({ base: base as Duration, max: max as Duration }, new Prng(''))
  t.doesNotThrow(make(10, 10))
  t.throws(make(11, 10), { name: 'AssertionError', message: /base 11, max 10/ })
  t.throws(make(0, 10), { name: 'AssertionError' })
})
