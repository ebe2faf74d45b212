import t from 'tap'
import { runProgram } from '../../src/run-program.ts'
import { devText } from '../../src/verbs/dev.ts'
import { FakeTerminal } from '../fake-terminal.ts'

await t.test('the first lines say where everything is, and what to try', async t => {
  const text = devText({
    observeUrls: ['ws://h:1/v1/observe', 'ws://h:1/edge/2/v1/observe'],
    writeUrl: 'ws://h:1/v1/write',
    pageUrl: undefined,
    operatorUrl: 'http://h:2/',
    token: 'tok',
    document: 'demo/race/1',
  })
  t.same(text.split('\n'), [
    'observe        ws://h:1/v1/observe',
    '               ws://h:1/edge/2/v1/observe',
    'viewer page    (the project has none)',
    'operator page  http://h:2/',
    'token          tok',
    'write          ws://h:1/v1/write',
    'try            npx fanfold tail demo/race/1 --url ws://h:1 --as tok',
  ])
})

await t.test('a project that is not there is an error, and nothing runs', async t => {
  const terminal = new FakeTerminal({ directory: t.testdir({}) })
  const args = ['dev', 'none', '--port', '0', '--admin-port', '0']
  t.equal(await runProgram(args, terminal), 1)
  t.match(
    terminal.stderr,
    /none: there is no such file or directory \[FANFOLD_DEFINITION_INVALID\]/,
  )
  const empty = new FakeTerminal({ directory: t.testdir({}) })
  t.equal(await runProgram(['dev'], empty), 2)
})
