import t from 'tap'
import { lossDelayMs, reconnectDelayMs } from '../src/reconnect-delay.ts'

const options = { minMs: 500, maxMs: 20_000 }

t.test('the wait is drawn from a step that doubles up to the longest', t => {
  t.equal(reconnectDelayMs(0, options, 0), 500)
  t.equal(reconnectDelayMs(0, options, 0.999), 1_000)
  t.equal(reconnectDelayMs(3, options, 0.5), 2_500)
  t.equal(reconnectDelayMs(9, options, 0.5), 10_500)
  t.end()
})

t.test('no wait is shorter than the shortest or longer than the longest', t => {
  for (let failures = 0; failures < 2_000; failures += 7) {
    t.ok(reconnectDelayMs(failures, options, 0) >= 500)
    t.ok(reconnectDelayMs(failures, options, 0.999_999) <= 20_000)
  }
  t.end()
})

t.test('the wait after a loss is from nothing up to twice the shortest, or the longest', t => {
  t.equal(lossDelayMs(options, 0), 0)
  t.equal(lossDelayMs(options, 0.5), 500)
  t.equal(lossDelayMs(options, 0.999_999), 1_000)
  t.equal(lossDelayMs({ minMs: 500, maxMs: 500 }, 0.999_999), 500)
  t.end()
})
