import t from 'tap'
import { TokenGate } from '../src/token-gate.ts'

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
