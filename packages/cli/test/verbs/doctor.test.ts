import { join } from 'node:path'
import t from 'tap'
import { runProgram } from '../../src/run-program.ts'
import { doctorText } from '../../src/verbs/doctor.ts'
import { FakeTerminal } from '../fake-terminal.ts'

const rows = [
  { check: 'clock', ok: true, detail: 'now', advice: '' },
  { check: 'port', ok: false, detail: 'taken', advice: 'give another' },
]

await t.test('what is wrong comes with advice, what is well can be left out', async t => {
  t.equal(doctorText(rows, false), 'ok   clock  now\nBAD  port   taken: give another')
  t.equal(doctorText(rows, true), 'BAD  port  taken: give another')
})

await t.test('every check is told, and one that fails ends with 4', async t => {
  const directory = t.testdir({ file: '' })
  const terminal = new FakeTerminal({ directory })
  const data = join(directory, 'file', 'data')
  const ports = ['--port', '0', '--admin-port', '0']
  const args = ['doctor', ...ports, '--data', data, '--limits-viewers-max', '1', '--json']
  t.equal(await runProgram(args, terminal), 4)
  const found: { check: string; ok: boolean }[] = JSON.parse(terminal.stdout)
  t.same(
    found.map(({ check }) => check),
    ['node version', 'file descriptors', 'port', 'admin port', 'data directory', 'clock'],
  )
  t.equal(found.find(({ check }) => check === 'data directory')?.ok, false)
})
