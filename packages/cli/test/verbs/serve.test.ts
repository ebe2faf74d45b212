import { join } from 'node:path'
import t from 'tap'
import { runProgram } from '../../src/run-program.ts'
import { FakeTerminal } from '../fake-terminal.ts'

await t.test('a node without what its roles need does not start, and says why', async t => {
  const directory = t.testdir({})
  const terminal = new FakeTerminal({ directory })
  const args = [
    'serve',
    '--roles',
    'edge',
    '--data',
    join(directory, 'data'),
    '--log-level',
    'silent',
  ]
  t.equal(await runProgram(args, terminal), 2)
  t.match(terminal.stderr, /^fanfold serve: 1 problem in the configuration\n {2}parents: /)
  t.match(terminal.stderr, /\[FANFOLD_CONFIG_INVALID\]\n$/)
})
