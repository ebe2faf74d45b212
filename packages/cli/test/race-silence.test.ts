import t from 'tap'
import { raceSilence } from '../src/race-silence.ts'
import { FakeTerminal } from './fake-terminal.ts'

const never = new Promise<never>(() => undefined)
const race = (terminal: FakeTerminal, wanted: Promise<string>, refused = never) =>
  raceSilence(wanted, { terminal, timeoutMs: 50, late: () => new Error('late'), refused })

await t.test('what is wanted comes through', async t => {
  t.equal(await race(new FakeTerminal(), Promise.resolve('here')), 'here')
  await t.rejects(race(new FakeTerminal(), Promise.reject(new Error('no'))), { message: 'no' })
})

await t.test('silence, a refusal and a signal end the wait', async t => {
  await t.rejects(race(new FakeTerminal(), never), { message: 'late' })
  const refused = Promise.reject(new Error('refused'))
  await t.rejects(race(new FakeTerminal(), never, refused), { message: 'refused' })
  const interrupted = new FakeTerminal()
  interrupted.interruption.abort()
  await t.rejects(race(interrupted, never), { code: 'FANFOLD_INTERRUPTED' })
})
