import t from 'tap'
import { retryAfterStorm, TokenGate } from '../src/token-gate.ts'

t.test('so many tokens are let in, and one more for each that leaves', t => {
  const gate = new TokenGate({ tokensMax: 2 })
  t.ok(gate.enter())
  t.ok(gate.enter())
  t.notOk(gate.enter())
  gate.leave()
  t.ok(gate.enter())
  t.notOk(gate.enter())
  t.end()
})

t.test('those who are sent away come back at different times within five seconds', t => {
  const times = Array.from({ length: 200 }, retryAfterStorm)
  t.ok(times.every(time => time >= 1_000 && time < 5_000))
  t.ok(new Set(times).size > 100)
  t.end()
})
