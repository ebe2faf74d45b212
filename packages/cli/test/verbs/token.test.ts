import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runProgram } from '../../src/run-program.ts'
import { FakeTerminal, VirtualClock } from '../fake-terminal.ts'

const key = 'a-key-for-tests-only-0123456789abcdef'

function build(t: Test) {
  const clock = new VirtualClock()
  const directory = t.testdir({ 'token.key': `${key}\n` })
  const run = async (args: string[], environment: Record<string, string> = {}, input = '') => {
    const terminal = new FakeTerminal({ clock, directory, environment, input })
    const code = await runProgram(args, terminal)
    return { code, stdout: terminal.stdout, stderr: terminal.stderr }
  }
  return { clock, directory, run }
}

const mint = ['token', '--user', 'ada', '--documents', 'acme/*/1', 'b/**']

await t.test('a token that was made is good until its end', async t => {
  const { run, clock } = build(t)
  const claims = ['--claims', '{"plan":"premium"}', '--allow', 'observe,write', '--ttl', '2h']
  const { code, stdout } = await run([...mint, ...claims, '--key', 'token.key'])
  t.equal(code, 0)
  const token = stdout.trim()
  const good = await run(['token', 'check', token, '--json'], { FANFOLD_TOKEN_KEY: key })
  t.equal(good.code, 0)
  t.match(JSON.parse(good.stdout), {
    subject: 'ada',
    documents: ['acme/*/1', 'b/**'],
    allow: ['observe', 'write'],
    claims: { plan: 'premium' },
  })
  const read = await run(['token', 'check', '-', '--key', 'token.key'], {}, `${token}\n`)
  t.match(read.stdout, /^subject +ada\n/)
  clock.nowMs += 2 * 3_600_000 + 31_000
  const late = await run(['token', 'check', token, '--key', 'token.key'])
  t.equal(late.code, 4)
  t.equal(late.stderr, 'fanfold token check: the token has expired [FANFOLD_UNAUTHORIZED]\n')
})

await t.test('a token of another key, or none, does not pass the check', async t => {
  const { run } = build(t)
  const { stdout } = await run([...mint, '--key', 'token.key', '--json'])
  const token = String(JSON.parse(stdout).token)
  const other = { FANFOLD_TOKEN_KEY: `${key}-other` }
  t.match(await run(['token', 'check', token], other), { code: 4, stderr: /signature/ })
  t.match(await run(['token', 'check', 'x.y.z', '--json'], other), {
    code: 4,
    stderr: /"reason":"malformed"/,
  })
})

await t.test('what is missing or wrong is said', async t => {
  const { run } = build(t)
  const wrong: [string[], number, RegExp][] = [
    [mint, 2, /a key is needed/],
    [['token', '--documents', '**', '--key', 'token.key'], 2, /--user is needed/],
    [['token', '--user', 'a', '--key', 'token.key'], 2, /--documents is needed/],
    [[...mint, '--key', 'token.key', '--allow', 'read'], 2, /--allow is a list/],
    [[...mint, '--key', 'token.key', '--claims', '[]'], 2, /--claims is an object/],
    [[...mint, '--key', 'none.key'], 1, /cannot read .*none\.key.*\[FANFOLD_NO_FILE\]/],
  ]
  for (const [args, code, text] of wrong) {
    const result = await run(args)
    t.match(result, { code, stdout: '' }, args.join(' '))
    t.match(result.stderr, text)
  }
  const short = await run(mint, { FANFOLD_TOKEN_KEY: 'short' })
  t.match(short, { code: 1, stderr: /32 characters.*\[FANFOLD_BAD_TOKEN_KEY\]/ })
})

await t.test('a key that was made signs, and its public half checks', async t => {
  const { run } = build(t)
  t.match(await run(['token', 'key']), { code: 0, stdout: /^[\w-]{43}\n$/ })
  t.equal((await run(['token', 'key', '--ed25519', '--out', 'signer.pem'])).code, 0)
  const { stdout } = await run([...mint, '--key', 'signer.pem'])
  const checked = await run(['token', 'check', stdout.trim(), '--key', 'signer.pem.pub'])
  t.equal(checked.code, 0, checked.stderr)
  const again = await run(['token', 'key', '--ed25519', '--out', 'signer.pem'])
  t.match(again, { code: 1, stderr: /\[FANFOLD_FILE_EXISTS\]/ })
})

await t.test('a fleet and a node of it are made as files', async t => {
  const { run, directory } = build(t)
  const fleet = await run(['token', 'fleet', '--out', 'fleet', '--json'])
  t.equal(fleet.code, 0)
  const publicKey = String(JSON.parse(fleet.stdout).publicKey)
  const args = ['--node', 'edge-1', '--region', 'eu', '--roles', 'proxy,edge', '--out', 'node']
  const link = await run(['token', 'link', ...args, '--fleet-key', 'fleet/fleet.pem', '--json'])
  t.equal(link.code, 0, link.stderr)
  const files = JSON.parse(link.stdout).files
  t.same(files, {
    privateKey: join(directory, 'node', 'edge-1.pem'),
    token: join(directory, 'node', 'edge-1.link-token'),
  })
  const checked = await run([
    ...['config', 'check', '--roles', 'proxy', '--parent', 'ws://p:1', '--json'],
    ...['--link-token-file', files.token, '--link-private-key-file', files.privateKey],
    ...['--link-fleet-public-key', publicKey],
  ])
  t.equal(checked.code, 0, checked.stderr)
  const bad = ['--node', '../x', '--fleet-key', 'fleet/fleet.pem']
  t.match(await run(['token', 'link', ...bad]), { code: 1, stderr: /\[FANFOLD_BAD_TOKEN\]/ })
})
