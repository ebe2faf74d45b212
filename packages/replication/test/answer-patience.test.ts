import fc from 'fast-check'
import t from 'tap'
import { AnswerPatience } from '../src/answer-patience.ts'
import { at } from './build-stream.ts'

/** A link over which frames come at these times while a stream waits from the first moment on, ms. */
function heardAt(...times: number[]): AnswerPatience {
  const patience = new AnswerPatience(2_000)
  patience.begin(at(0))
  for (const ms of times) patience.heard(at(ms))
  return patience
}

t.test('an answer is overdue when nothing has come for a while since it was asked for', async t => {
  t.equal(heardAt().overdueAt(at(0), 2_000), at(2_000))
  t.equal(heardAt(700).overdueAt(at(0), 2_000), at(2_700), 'or since something came')
  t.equal(heardAt(700).overdueAt(at(900), 2_000), at(2_900))
})

t.test('while others come it may take eight times as long, and no longer', async t => {
  const times = Array.from({ length: 40 }, (_, index) => 500 * (index + 1))
  t.equal(heardAt(...times).overdueAt(at(100), 2_000), at(16_100))
})

t.test('twice the longest time between two frames that were waited for is a while', async t => {
  t.equal(heardAt(900).ms, 2_000)
  t.equal(heardAt(100, 4_100).ms, 8_000)
  t.ok(heardAt(100, 4_100, 4_200, 4_300).ms > 7_900, 'also when others come sooner')
  t.equal(heardAt(100_000).ms, 32_000, 'up to half a minute')
})

t.test('what a link was like is forgotten', async t => {
  const patience = heardAt(5_000)
  t.equal(patience.ms, 10_000)
  patience.end()
  patience.heard(at(35_000))
  t.equal(patience.ms, 6_000)
  patience.heard(at(200_000))
  t.equal(patience.ms, 2_000)
})

t.test('time in which nothing was waited for says nothing', async t => {
  const patience = heardAt(100)
  patience.end()
  patience.heard(at(9_000))
  t.equal(patience.ms, 2_000)
  patience.begin(at(20_000))
  t.notOk(patience.isQuiet(at(21_999)))
  t.ok(patience.isQuiet(at(22_000)))
  patience.heard(at(20_500))
  t.equal(patience.ms, 2_000)
})

t.test('whatever comes, an answer is waited for, and not for ever', async t => {
  const times = fc.array(fc.nat({ max: 100_000 }), { maxLength: 30, size: 'max' })
  const check = fc.property(times, fc.nat({ max: 100_000 }), (times, since) => {
    const patience = heardAt(...times.sort((a, b) => a - b))
    const waitMs = (patience.overdueAt(at(since), patience.ms) - at(since)) / 1_000
    const isBounded = patience.ms >= 2_000 && patience.ms <= 32_000
    // Instants are whole microseconds.
    return isBounded && waitMs >= patience.ms - 0.001 && waitMs <= 8 * patience.ms + 0.001
  })
  t.doesNotThrow(() => fc.assert(check, { numRuns: 500 }))
})
