import t from 'tap'
import { alignColumns, Output } from '../src/output.ts'
import { FakeTerminal } from './fake-terminal.ts'

await t.test('a result is text for people and a line of JSON for programs', async t => {
  const person = new FakeTerminal()
  await new Output(person, { json: false, quiet: true }).result({ seq: 1 }, () => 'seq 1')
  t.equal(person.stdout, 'seq 1\n')
  const program = new FakeTerminal()
  await new Output(program, { json: true, quiet: false }).result({ seq: 1 }, () => 'seq 1')
  t.equal(program.stdout, '{"seq":1}\n')
})

await t.test('a note goes to standard error, and nowhere with --quiet', async t => {
  const loud = new FakeTerminal()
  await new Output(loud, { json: false, quiet: false }).note('stale')
  t.same([loud.stdout, loud.stderr], ['', 'stale\n'])
  const quiet = new FakeTerminal()
  await new Output(quiet, { json: false, quiet: true }).note('stale')
  t.equal(quiet.stderr, '')
})

await t.test('columns are as wide as their widest cell, and lines end with text', async t => {
  const rows = [
    ['a', 'bb', 'c'],
    ['aaa', '', ''],
  ]
  t.equal(alignColumns(rows), 'a    bb  c\naaa')
  t.equal(alignColumns([]), '')
})
