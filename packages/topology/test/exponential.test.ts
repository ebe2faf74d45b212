import fc from 'fast-check'
import t from 'tap'
import { exponential } from '../src/exponential.ts'

await t.test('it is the logarithm of the library, to its last bits', async t => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (high, low) => {
      const expected = -Math.log((high * 2 ** 21 + (low >>> 11) + 1) / 2 ** 53)
      return Math.abs(exponential(high, low) - expected) <= 4e-15 * Math.max(1, expected)
    }),
    { numRuns: 20_000 },
  )
  t.pass('20,000 numbers')
})

await t.test('the ends of the range', async t => {
  t.equal(exponential(0xffff_ffff, 0xffff_ffff), 0)
  t.equal(exponential(0, 0), 53 * Math.LN2)
  t.equal(exponential(0, 0x7ff), exponential(0, 0), 'the lower bits of the lower lane do not count')
  t.ok(exponential(0, 0x800) < exponential(0, 0))
  t.equal(exponential(-1, -1), 0, 'signed lanes are the same bits')
})

await t.test('a larger number gives a smaller outcome', async t => {
  let last = Number.POSITIVE_INFINITY
  for (let high = 0; high < 0xffff_ffff; high += 0x10_0001) {
    const next = exponential(high, 0)
    if (next >= last) t.fail(`${next} at ${high} after ${last}`)
    last = next
  }
  t.ok(last < 0.001)
})
