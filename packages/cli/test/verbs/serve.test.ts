import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@fanfold/nemesis'
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

await t.test('a node that is hung up reads its file again, and goes on', async t => {
  const settings = 'roles: [authority]\nport: 0\nadminPort: 0\ntokenKeyFile: key\n'
  const key = 'a key of tests and of nothing else 0123456789'
  const directory = t.testdir({ 'fanfold.yaml': settings, key })
  const lines: { event: string; [field: string]: unknown }[] = []
  const logs = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const terminal = new FakeTerminal({ directory, logs })
  const ended = runProgram(['serve'], terminal)
  const logged = async (event: string): Promise<object> => {
    const find = () => lines.find(line => line.event === event)
    await until(`the node logs ${event}`, () => find() !== undefined)
    return find() ?? {}
  }
  await logged('node.ready')
  writeFileSync(join(directory, 'fanfold.yaml'), `${settings}wieght: 7\n`)
  terminal.hangUp()
  t.match(await logged('config.refused'), {
    level: 'error',
    problems: [{ place: 'fanfold.yaml:5', message: /did you mean weight/ }],
  })
  writeFileSync(join(directory, 'fanfold.yaml'), `${settings}weight: 7\n`)
  terminal.hangUp()
  t.match(await logged('config.needs-restart'), { level: 'warn', options: ['weight'] })
  t.match(await logged('config.reloaded'), { options: [] })
  terminal.interruption.abort()
  t.equal(await ended, 0)
})
