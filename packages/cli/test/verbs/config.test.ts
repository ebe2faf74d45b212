import t, { type Test } from 'tap'
import { runProgram } from '../../src/run-program.ts'
import { FakeTerminal } from '../fake-terminal.ts'

async function run(
  t: Test,
  args: string[],
  options: { files?: Record<string, string>; environment?: Record<string, string> } = {},
) {
  const { files = {}, environment = {} } = options
  const terminal = new FakeTerminal({ directory: t.testdir(files), environment })
  const code = await runProgram(['config', ...args], terminal)
  return { code, stdout: terminal.stdout, stderr: terminal.stderr }
}

await t.test('a check shows each value with its source, and no secret', async t => {
  const tokenKey = 'a-secret-for-tests-0123456789abcdef'
  const { code, stdout } = await run(t, ['check', '--port', '7', '--json'], {
    files: { 'fanfold.yaml': 'region: eu\n' },
    environment: { FANFOLD_TOKEN_KEY: tokenKey, FANFOLD_URL: 'ws://x', FANFOLD_TOKEN: 't' },
  })
  t.equal(code, 0)
  const rows: { name: string }[] = JSON.parse(stdout)
  const row = (name: string) => rows.find(one => one.name === name)
  t.match(row('port'), { value: '7', source: '--port' })
  t.match(row('region'), { value: 'eu', source: 'fanfold.yaml:1' })
  t.match(row('tokenKey'), { value: '(redacted)', source: 'FANFOLD_TOKEN_KEY' })
  t.match(row('data'), { source: 'default' })
  t.notMatch(stdout, tokenKey)
})

await t.test('a check finds all problems, and ends with 4', async t => {
  const { code, stdout, stderr } = await run(t, ['check', '--port', '70000'], {
    environment: { FANFOLD_REGOIN: 'eu' },
  })
  t.same([code, stdout], [4, ''])
  t.match(stderr, /--port: /)
  t.match(stderr, /did you mean FANFOLD_REGION\?/)
  t.match(stderr, /\[FANFOLD_CONFIG_INVALID\]\n$/)
})

await t.test('a problem is JSON with --json, and good news are silent with --quiet', async t => {
  const bad = await run(t, ['check', '--region', '-', '--json'])
  t.match(JSON.parse(bad.stderr), { error: { problems: [{ place: '--region' }] } })
  t.same(await run(t, ['check', '--quiet']), { code: 0, stdout: '', stderr: '' })
})

await t.test('the defaults are a configuration that passes the check', async t => {
  const { code, stdout } = await run(t, ['defaults'])
  t.equal(code, 0)
  const files = { 'other.yaml': stdout }
  t.match(await run(t, ['check', '-c', 'other.yaml', '--quiet'], { files }), {
    code: 0,
    stderr: '',
  })
})

await t.test('every variable of the environment is listed', async t => {
  const { stdout } = await run(t, ['env'])
  t.match(stdout, /^FANFOLD_PORT +The public port/m)
  t.match(stdout, /^FANFOLD_TOKEN_KEY_FILE +/m)
})
