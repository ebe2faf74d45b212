import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { sourceDigest } from '../src/addon-files.ts'
import { compileAddon, loadAddon } from '../src/index.ts'

const strict = ['-Wall', '-Wextra', '-Werror', '-std=c11', '-D_DEFAULT_SOURCE']

t.test('the addon compiles without a warning, and is loaded', async t => {
  const path = join(t.testdir(), 'build', 'direct-send.node')
  compileAddon({ compiler: 'cc', flags: strict, path })
  const addon = loadAddon(path)
  t.match(addon, { kind: 'loaded', sendAll: Function })
})

t.test('an addon that was not built is not there, which is no error', async t => {
  const path = join(t.testdir(), 'direct-send.node')
  t.match(loadAddon(path), { kind: 'absent', why: 'not-built', reason: /npm run native/ })
})

t.test('an addon that was built of another source is not used', async t => {
  const path = join(t.testdir(), 'direct-send.node')
  compileAddon({ compiler: 'cc', flags: ['-USOURCE_SHA256', '-DSOURCE_SHA256="0123"'], path })
  t.match(loadAddon(path), { kind: 'absent', why: 'stale', reason: /another source/ })
  t.match(sourceDigest(), /^[0-9a-f]{64}$/)
})

t.test('a file that is no addon is said to be none', async t => {
  const path = join(t.testdir(), 'direct-send.node')
  writeFileSync(path, 'not a library')
  t.match(loadAddon(path), { kind: 'absent', why: 'unloadable', reason: /cannot be loaded/ })
})

t.test('without a compiler it is said what to install', async t => {
  const path = join(t.testdir(), 'direct-send.node')
  t.throws(() => compileAddon({ compiler: 'no-such-compiler', path }), {
    code: 'FANFOLD_NO_COMPILER',
    message: /no-such-compiler: run `apt-get install gcc libc6-dev` as root/,
  })
})

t.test('what the compiler says is told, and the addon before stays', async t => {
  const path = join(t.testdir(), 'direct-send.node')
  compileAddon({ compiler: 'cc', path })
  const before = readFileSync(path)
  t.throws(() => compileAddon({ compiler: 'cc', flags: ['-include', 'no-such.h'], path }), {
    code: 'FANFOLD_NOT_COMPILED',
    message: /no-such\.h/,
  })
  t.ok(readFileSync(path).equals(before))
})

t.test('the program that builds says in one line why it cannot, and ends with 1', async t => {
  const program = fileURLToPath(new URL('../src/build-addon.js', import.meta.url))
  const environment = { ...process.env, CC: '/no/such/compiler' }
  const { status, stderr } = spawnSync(process.execPath, [program], {
    env: environment,
    encoding: 'utf8',
  })
  t.equal(status, 1)
  t.match(stderr, /^FANFOLD_NO_COMPILER: .*\n$/)
})
