/* What a hostile page or program can do to the admin port and to a page's files. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ConfigError, createConfig } from '../src/index.ts'
import { answerFile } from '../src/static-files.ts'
import { startVictim, tokenKey, until } from './hostile-rig.ts'
import { openRaw } from './hostile-socket.ts'

const adminToken = 'an-admin-token-for-tests-0123456789'
const free = await startVictim(t)

/** Status and body of a request whose Host header is given. */
async function get(
  port: number,
  path: string,
  host: string,
  extra = '',
): Promise<{ status: number; text: string }> {
  const raw = await openRaw(port)
  raw.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${extra}Connection: close\r\n\r\n`)
  await until(() => raw.isClosed, `an answer to ${path}`)
  const text = raw.received()
  return { status: Number(text.slice(9, 12)), text }
}

t.test('a page that was rebound to this machine learns nothing of the tree', async t => {
  for (const path of ['/admin/topology', '/']) {
    for (const host of [
      'evil.example:9700',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '',
    ]) {
      t.equal((await get(free.adminPort, path, host)).status, 403, `${path} for ${host}`)
    }
    for (const host of ['localhost:9700', '127.0.0.1', '127.0.0.1:1', '[::1]:9700', 'LOCALHOST']) {
      t.equal((await get(free.adminPort, path, host)).status, 200, `${path} for ${host}`)
    }
  }
  t.equal((await get(free.adminPort, '/healthz', 'node-7.internal')).status, 200)
})

t.test('with a token the admin port asks for it, whatever the host', async t => {
  const guarded = await startVictim(t, { adminToken })
  const ask = async (authorization: string, host = 'x'): Promise<number> => {
    const header = authorization === '' ? '' : `Authorization: ${authorization}\r\n`
    return (await get(guarded.adminPort, '/admin/topology', host, header)).status
  }
  t.equal(await ask(`Bearer ${adminToken}`, 'node-7.internal'), 200)
  for (const shown of [
    '',
    'Bearer ',
    `Bearer ${adminToken}x`,
    adminToken,
    `bearer ${adminToken} x`,
  ]) {
    t.equal(await ask(shown, '127.0.0.1'), 401, shown)
  }
  t.equal((await get(guarded.adminPort, '/admin/../admin/topology', 'x')).status, 404)
  t.equal((await get(guarded.adminPort, '//admin/topology', 'x')).status, 404)
  t.notOk(guarded.logged().includes(adminToken))
})

t.test('an admin port that others can reach needs a token', async t => {
  t.throws(
    () => createConfig({ tokenKey, adminHost: '0.0.0.0', data: 'x' }, t.testdirName),
    ConfigError,
  )
})

t.test('a page gives its own files, and none beside them', async t => {
  const directory = t.testdir({ 'secret.json': '{"secret":1}', 'page-2': { 'other.js': 'other' } })
  const page = join(directory, 'page')
  mkdirSync(page)
  writeFileSync(join(page, 'index.html'), 'the page')
  symlinkSync(join(directory, 'secret.json'), join(page, 'link.json'))
  symlinkSync(directory, join(page, 'up'))
  t.match(await answerFile(page, '/'), { status: 200 })
  const paths = [
    '/../secret.json',
    '/%2e%2e/secret.json',
    '/..%2fsecret.json',
    '/..%5csecret.json',
    '/%2e%2e%2f%2e%2e%2fetc/passwd',
    '/%252e%252e/secret.json',
    '/../page-2/other.js',
    '//etc/hostname.json',
    join(directory, 'secret.json'),
    '/index.html%00.js',
    '/.',
    '/%ff',
    '/link.json',
    '/up/secret.json',
    '/up/page-2/other.js',
    '/constructor.js',
    `/${'x'.repeat(10_000)}.js`,
    `/${'a/'.repeat(5_000)}.js`,
  ]
  for (const path of paths) {
    const found = await answerFile(page, path)
    t.equal(found, undefined, path.slice(0, 60))
  }
})
