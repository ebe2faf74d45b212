import { type Instant, instant } from '@fanfold/kernel'
import { parseDocumentKey } from '@fanfold/protocol'
import fc from 'fast-check'
import t from 'tap'
import { ByteAllowance } from '../src/byte-allowance.ts'

const [one, two] = ['a', 'b'].map(id => parseDocumentKey(`acme/match/${id}`)) as [never, never]

/** A thousand bytes a second, and a clock in a test's hands. */
function allow(bytesPerSecondMax = 1_000) {
  let now: Instant = instant(0)
  let overs = 0
  const allowance = new ByteAllowance({
    tenant: 'acme',
    bytesPerSecondMax,
    now: () => now,
    onOver: () => overs++,
  })
  const pass = (ms: number): void => {
    now = instant(now + Math.round(ms * 1_000))
  }
  return { allowance, pass, overs: () => overs, nowMs: () => now / 1_000 }
}

t.test('a second’s worth goes at once, and more than that has to be waited for', t => {
  const { allowance, pass, overs } = allow()
  allowance.spend(100, 10)
  t.equal(allowance.isOver, false)
  allowance.spend(1, 1)
  t.equal(allowance.isOver, true)
  t.equal(overs(), 1)
  t.equal(allowance.hasPlenty, false)
  allowance.spend(99, 1)
  t.equal(overs(), 1, 'it is over once')
  pass(149)
  t.equal(allowance.isOver, true, 'until it has something for more than a crumb')
  pass(1)
  t.equal(allowance.isOver, false)
  t.equal(allowance.hasPlenty, false)
  pass(450)
  t.equal(allowance.hasPlenty, true)
  t.equal(allowance.sentBytes, 1_100)
  t.end()
})

t.test('one update silences the tenant for ten seconds at most, one newcomer for one', t => {
  const { allowance, pass } = allow()
  allowance.spend(1_000_000, 1_000)
  pass(10_049)
  t.equal(allowance.isOver, true)
  pass(1)
  t.equal(allowance.isOver, false)
  for (let count = 0; count < 50; count++) allowance.spendOne(1_000_000)
  pass(1_049)
  t.equal(allowance.isOver, true)
  pass(1)
  t.equal(allowance.isOver, false)
  t.end()
})

t.test('a newcomer takes nothing off what an update has left to wait for', t => {
  const { allowance, pass } = allow()
  allowance.spend(6_000, 1)
  allowance.spendOne(1)
  pass(5_049)
  t.equal(allowance.isOver, true)
  pass(1)
  t.equal(allowance.isOver, false)
  t.end()
})

t.test('another rate counts from now on', t => {
  const { allowance, pass } = allow()
  allowance.spend(2_000, 1)
  allowance.resize(10_000)
  t.equal(allowance.isOver, true)
  pass(1_050)
  t.equal(allowance.isOver, false, 'what was owed is owed for as long')
  allowance.spend(500, 1)
  t.equal(allowance.isOver, false)
  allowance.spend(500, 1)
  t.equal(allowance.isOver, true)
  t.end()
})

t.test('documents that wait go on in their order', t => {
  const { allowance, pass } = allow()
  allowance.spend(1_001, 1)
  for (const doc of [one, two, one]) allowance.wait(doc)
  t.equal(allowance.next(), undefined)
  pass(60)
  t.equal(allowance.next(), one)
  allowance.wait(one)
  t.equal(allowance.next(), two)
  allowance.forget(one)
  t.equal(allowance.hasWaiting, false)
  t.equal(allowance.next(), undefined)
  t.end()
})

t.test('when it is free is when it is not over, whatever it owes', t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_024, max: 10_000_000 }),
      fc.array(fc.record({ bytes: fc.nat(100_000), viewers: fc.nat(100), waitMs: fc.nat(500) })),
      (rate, steps) => {
        const { allowance, pass, nowMs } = allow(rate)
        for (const { bytes, viewers, waitMs } of steps) {
          allowance.spend(bytes, viewers)
          pass(waitMs)
          if (!allowance.isOver) continue
          const waitedMs = allowance.freeAt / 1_000 - nowMs()
          if (waitedMs > 10_051) throw new Error(`it is over for ${waitedMs} ms`)
          pass(waitedMs + 0.001)
          if (allowance.isOver) throw new Error('it is over when it is free')
        }
      },
    ),
  )
  t.end()
})

t.test('what is sent in any time is what the rate gives in it, and one update too many', t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_024, max: 1_000_000 }),
      fc.array(fc.record({ part: fc.integer({ min: 1, max: 100 }), waitMs: fc.nat(100) })),
      (rate, steps) => {
        const { allowance, pass, nowMs } = allow(rate)
        for (const { part, waitMs } of steps) {
          if (!allowance.isOver) allowance.spend(Math.ceil((rate * part) / 100), 1)
          pass(waitMs)
        }
        return allowance.sentBytes <= rate * (1 + nowMs() / 1_000) + rate + steps.length
      },
    ),
  )
  t.end()
})
