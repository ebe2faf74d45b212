import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runProgram } from '../../src/run-program.ts'
import { FakeTerminal } from '../fake-terminal.ts'

const source = `import { defineDocument, nobody } from 'fanfold'
export default defineDocument({
  type: 'match',
  state: () => ({ odds: 1 }),
  messages: {},
  observe: { allow: () => Date.now() > 0 },
  privacy: { '/odds': nobody },
  labels: { '/odds': 2 },
})
`

await t.test('variants and their manifest are written, and reported', async t => {
  const directory = t.testdir({ 'match.ts': source })
  const terminal = new FakeTerminal({ directory })
  t.equal(await runProgram(['build', 'match.ts'], terminal), 0)
  t.match(terminal.stdout, /^variant +bytes +modules +sha-256 +file\nauthority +\d+ +1 /)
  t.match(terminal.stdout, /edge, ceiling 0 .* dist\/match\.edge-0\.[0-9a-f]{8}\.js\n/)
  t.match(terminal.stdout, /ceiling 2 +without state, messages, and 0 modules/)
  t.match(terminal.stdout, /manifest +dist\/match\.json\n$/)
  t.match(terminal.stderr, /match\.ts:6:27: observe\.allow reaches Date\.now,/)
  t.match(readdirSync(join(directory, 'dist')), [
    /^match\.authority\.[0-9a-f]{8}\.js$/,
    /^match\.edge-0\.[0-9a-f]{8}\.js$/,
    /^match\.edge-2\.[0-9a-f]{8}\.js$/,
    'match.json',
  ])
})

await t.test('the report is JSON for who wants it, and the directory may be named', async t => {
  const directory = t.testdir({ 'definition.ts': source })
  const terminal = new FakeTerminal({ directory })
  const args = ['build', '.', '--out', 'out/deep', '--no-minify', '--json', '--quiet']
  t.equal(await runProgram(args, terminal), 0)
  const report = JSON.parse(terminal.stdout)
  t.match(report, { type: 'match', out: 'out/deep', edges: [{ ceiling: 0 }, { ceiling: 2 }] })
  t.match(report.warnings, [{ place: /definition\.ts:6:27$/ }])
  t.equal(terminal.stderr, '')
  const authority = readFileSync(join(directory, 'out/deep', report.authority.file), 'utf8')
  t.ok(authority.split('\n').length > 10)
})

await t.test('what cannot be built is told with its places, and nothing is written', async t => {
  const directory = t.testdir({ 'match.ts': source.replace(': nobody }', ': nobody, ...{} }') })
  const terminal = new FakeTerminal({ directory })
  t.equal(await runProgram(['build', 'match.ts'], terminal), 1)
  t.match(terminal.stderr, /match\.ts:7:31: a spread hides .*\[FANFOLD_DEFINITION_INVALID\]\n$/)
  t.same(readdirSync(directory), ['match.ts'])
})

await t.test('a directory that cannot be written to is told', async t => {
  const directory = t.testdir({ 'match.ts': source, file: '' })
  const terminal = new FakeTerminal({ directory })
  t.equal(await runProgram(['build', 'match.ts', '--out', 'file/in'], terminal), 1)
  t.match(terminal.stderr, /cannot write .*FANFOLD_FILE_FAILED/)
  writeFileSync(join(directory, 'other'), '')
  t.equal(await runProgram(['build', 'gone.ts'], new FakeTerminal({ directory })), 1)
  t.equal(await runProgram(['build'], new FakeTerminal({ directory })), 2)
})
