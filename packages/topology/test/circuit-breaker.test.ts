import { after, type Instant, instant, milliseconds, Prng } from '@fanfold/kernel'
import fc from 'fast-check'
import t from 'tap'
import { breakerStates, CircuitBreaker, defaultBreakerOptions } from '../src/circuit-breaker.ts'

const at = (ms: number): Instant => after(instant(0), milliseconds(ms))
const made = (overrides = {}): CircuitBreaker =>
  new CircuitBreaker({ ...defaultBreakerOptions, ...overrides }, new Prng('breaker'))

/** A breaker that opened at 0 ms. */
const opened = (overrides = {}): CircuitBreaker => {
  const breaker = made(overrides)
  for (let count = 0; count < 5; count++) breaker.failed(at(0))
  return breaker
}

/** How long the cooldown that began at `from` takes, ms. */
const cooldownOf = (breaker: CircuitBreaker, from: number): number =>
  ((breaker.wakeAt() ?? at(from)) - at(from)) / 1_000

await t.test('five failures in a row open it, four do not', async t => {
  const breaker = made()
  for (let count = 0; count < 4; count++) breaker.failed(at(0))
  t.ok(breaker.isClosed)
  t.equal(breaker.wakeAt(), undefined)
  t.notOk(breaker.mayProbe(at(0)))
  breaker.failed(at(0))
  t.equal(breaker.state, 'open')
  t.notOk(breaker.isClosed)
})

await t.test('the first cooldown is 15 seconds, and up to half of it more', async t => {
  const cooldowns = Array.from({ length: 50 }, (_, index) => {
    const breaker = new CircuitBreaker(defaultBreakerOptions, new Prng(`${index}`))
    for (let count = 0; count < 5; count++) breaker.failed(at(0))
    return cooldownOf(breaker, 0)
  })
  t.ok(cooldowns.every(ms => ms >= 15_000 && ms < 22_500))
  t.ok(new Set(cooldowns).size > 40, 'those that failed together do not come back together')
})

await t.test('after the cooldown one of a hundred who ask may probe', async t => {
  const breaker = opened()
  const due = breaker.wakeAt() ?? at(0)
  t.notOk(breaker.mayProbe(instant(due - 1)))
  const asked = Array.from({ length: 100 }, () => breaker.mayProbe(due))
  t.equal(asked.filter(Boolean).length, 1)
  t.equal(breaker.state, 'half-open')
  t.notOk(breaker.isClosed, 'nobody’s request is the probe')
})

await t.test(
  'a probe that succeeds closes it, one that fails opens it for twice as long',
  async t => {
    const breaker = opened()
    let now = 30_000
    for (const step of [30_000, 60_000, 120_000, 120_000, 120_000]) {
      t.ok(breaker.mayProbe(at(now)))
      breaker.probed(false, at(now))
      t.equal(breaker.state, 'open')
      const cooldown = cooldownOf(breaker, now)
      t.ok(cooldown >= step && cooldown < 1.5 * step, `${cooldown} ms`)
      now += 200_000
    }
    t.ok(breaker.mayProbe(at(now)))
    breaker.probed(true, at(now))
    t.ok(breaker.isClosed)
    t.equal(breaker.wakeAt(), undefined)
  },
)

await t.test('a probe without an outcome has failed after its time', async t => {
  const breaker = opened()
  t.ok(breaker.mayProbe(at(30_000)))
  t.equal(breaker.wakeAt(), at(35_000))
  t.notOk(breaker.mayProbe(at(34_999)))
  t.equal(breaker.state, 'half-open')
  t.notOk(breaker.mayProbe(at(35_000)))
  t.equal(breaker.state, 'open')
  breaker.probed(true, at(35_001))
  t.equal(breaker.state, 'open', 'it comes too late')
})

await t.test('within ten seconds of a good probe one failure opens it again, longer', async t => {
  const breaker = opened()
  breaker.mayProbe(at(30_000))
  breaker.probed(true, at(30_000))
  breaker.succeeded(at(39_000))
  breaker.failed(at(39_999))
  t.equal(breaker.state, 'open')
  t.ok(cooldownOf(breaker, 39_999) >= 30_000)
})

await t.test('after ten good seconds all is as at first', async t => {
  const breaker = opened()
  breaker.mayProbe(at(30_000))
  breaker.probed(true, at(30_000))
  for (let count = 0; count < 4; count++) breaker.failed(at(40_000))
  t.ok(breaker.isClosed)
  breaker.failed(at(40_000))
  const cooldown = cooldownOf(breaker, 40_000)
  t.ok(cooldown >= 15_000 && cooldown < 22_500)
})

await t.test('a link that is up every other second is one that fails', async t => {
  const breaker = made()
  let openings = 0
  for (let second = 0; second < 120; second++) {
    const wasClosed = breaker.isClosed
    const isUp = second % 2 === 0
    if (wasClosed && isUp) breaker.succeeded(at(second * 1_000))
    else if (wasClosed) breaker.failed(at(second * 1_000))
    else if (breaker.mayProbe(at(second * 1_000))) breaker.probed(isUp, at(second * 1_000))
    if (wasClosed && !breaker.isClosed) openings++
  }
  t.ok(openings >= 1 && openings <= 4, `opened ${openings} times in two minutes`)
})

await t.test('successes that are ten seconds old forget failures, younger ones do not', async t => {
  const young = made()
  for (let count = 0; count < 4; count++) young.failed(at(0))
  young.succeeded(at(1_000))
  young.succeeded(at(10_999))
  young.failed(at(10_999))
  t.equal(young.state, 'open')
  const old = made()
  for (let count = 0; count < 4; count++) old.failed(at(0))
  old.succeeded(at(1_000))
  old.succeeded(at(11_000))
  old.failed(at(11_000))
  t.ok(old.isClosed)
})

await t.test('what was begun before it opened changes nothing', async t => {
  const breaker = opened()
  const due = breaker.wakeAt()
  breaker.succeeded(at(1_000))
  breaker.failed(at(1_000))
  breaker.probed(true, at(1_000))
  t.equal(breaker.state, 'open')
  t.equal(breaker.wakeAt(), due)
})

await t.test('a breaker of 0 failures never opens', async t => {
  const breaker = made({ failuresMax: 0 })
  for (let count = 0; count < 1_000; count++) breaker.failed(at(count))
  t.ok(breaker.isClosed)
})

await t.test('options that contradict each other are refused', async t => {
  for (const bad of [
    { failuresMax: -1 },
    { failuresMax: 1.5 },
    { cooldownMs: 0 },
    { cooldownMaxMs: 1 },
    { stableMs: -1 },
    { probeMaxMs: 0 },
  ]) {
    t.throws(() => made(bad), /got/)
  }
})

await t.test(
  'whatever happens, there is one probe at a time and each opening has an end',
  async t => {
    const step = fc.record({
      ms: fc.nat(20_000),
      does: fc.constantFrom('succeeded', 'failed', 'probe', 'good', 'bad'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), steps => {
        const breaker = made()
        let now = 0
        let probes = 0
        for (const { ms, does } of steps) {
          now += ms
          if (does === 'succeeded') breaker.succeeded(at(now))
          else if (does === 'failed') breaker.failed(at(now))
          else if (does !== 'probe') breaker.probed(does === 'good', at(now))
          else if (breaker.mayProbe(at(now))) probes = 1
          if (breaker.state !== 'half-open') probes = 0
          if (breaker.state === 'half-open' && probes !== 1) return false
          if (breaker.isClosed !== (breaker.wakeAt() === undefined)) return false
          if ((breaker.wakeAt() ?? at(now)) > at(now + 180_000)) return false
        }
        return true
      }),
    )
    t.same(breakerStates, { closed: 0, 'half-open': 1, open: 2 })
  },
)
