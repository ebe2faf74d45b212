import { Prng } from '@fanfold/kernel'
import { Ledger } from '@fanfold/reduction'
import t from 'tap'
import { newSessions } from '../src/new-sessions.ts'

t.test('sessions are drawn of all that a number can be, each once', async t => {
  const prng = new Prng('sessions')
  const sessions = newSessions(20_000, new Ledger(), length => prng.bytes(length))
  t.equal(new Set(sessions).size, 20_000)
  t.ok(sessions.every(session => Number.isSafeInteger(session) && session > 0))
  for (let bit = 0; bit < 53; bit++) {
    const set = sessions.filter(session => Math.floor(session / 2 ** bit) % 2 === 1).length
    t.ok(Math.abs(set - 10_000) < 500, `bit ${bit} is set in ${set}`)
  }
})

t.test('what is drawn again, or was begun before, or is none, is drawn anew', async t => {
  const ledger = new Ledger()
  ledger.enter({ opened: [3], sealed: [], counted: [] })
  const draws = [0, 3, 4, 4, 5]
  let at = 0
  const randomBytes = (length: number): Uint8Array => {
    const bytes = new Uint8Array(length)
    for (let last = 6; last < length; last += 7) bytes[last] = draws[at++] ?? 0
    return bytes
  }
  t.same(newSessions(2, ledger, randomBytes), [4, 5])
  t.same(newSessions(0, ledger, randomBytes), [])
})

t.test('what is not random is noticed', async t => {
  const zeros = (length: number): Uint8Array => new Uint8Array(length)
  t.throws(() => newSessions(1, new Ledger(), zeros), { name: 'AssertionError' })
})
