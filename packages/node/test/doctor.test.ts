import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { TestAuthority } from '@fanfold/conformance'
import t from 'tap'
import { createConfig } from '../src/config.ts'
import {
  checkCertificates,
  checkClock,
  checkData,
  checkDescriptors,
  checkNodeVersion,
  checkPort,
  runDoctor,
} from '../src/doctor.ts'

t.test('everything is looked at, and a good row has no advice', async t => {
  const config = createConfig(
    { port: 0, adminPort: 0, data: t.testdir(), 'limits.viewersMax': 1 },
    '/',
  )
  const rows = await runDoctor({ config, nodeVersion: process.version, wallClock: Date.now })
  t.same(
    rows.map(({ check }) => check),
    ['node version', 'file descriptors', 'port', 'admin port', 'data directory', 'clock'],
  )
  t.ok(rows.every(({ ok, advice }) => !ok || advice === ''))
})

t.test('a Redis for logs or members is looked at, and not the data directory then', async t => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  const log = `redis://127.0.0.1:${port}`
  const token = 'of thirty-two characters or more, and nobody’s'
  const identity = { 'node.id': 'one', 'link.token': token, 'link.privateKey': token }
  const values = { port: 0, adminPort: 0, data: t.testdir(), log, 'redis.url': log, ...identity }
  const config = createConfig(values, '/')
  const rows = await runDoctor({ config, nodeVersion: process.version, wallClock: Date.now })
  t.notOk(rows.some(({ check }) => check === 'data directory'))
  for (const check of ['redis', 'members meet']) {
    const row = rows.find(row => row.check === check)
    t.match(row, { ok: false, detail: new RegExp(`${log} does not answer`), advice: /start it/ })
  }
})

t.test('a Node that is too old is found', async t => {
  t.match(checkNodeVersion('v20.11.9'), { ok: false, advice: /Node 20\.12/ })
  t.match(checkNodeVersion('v18.20.0'), { ok: false })
  t.match(checkNodeVersion('v20.12.0'), { ok: true })
  t.match(checkNodeVersion('v24.0.0'), { ok: true })
})

t.test('too few file descriptors for the viewers are found', async t => {
  const limits = (soft: string): string =>
    `Limit  Soft\nMax open files            ${soft}   4096   files\n`
  t.match(checkDescriptors(limits('1024'), 50_000), { ok: false, advice: /ulimit -n 51024/ })
  t.match(checkDescriptors(limits('51024'), 50_000), { ok: true })
  t.match(checkDescriptors(limits('unlimited'), 50_000), { ok: true })
  t.match(checkDescriptors(undefined, 50_000), { ok: true, detail: /not known/ })
})

t.test('a port that is taken is found', async t => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  t.match(await checkPort('port', '127.0.0.1', port), { ok: false, detail: /EADDRINUSE/ })
  await new Promise(resolve => server.close(resolve))
  t.match(await checkPort('port', '127.0.0.1', 0), { ok: true })
})

t.test('a data directory is made and timed, and one that cannot be is found', async t => {
  const directory = t.testdir({ file: 'not a directory' })
  t.match(await checkData(join(directory, 'new/data')), { detail: /a sync takes [\d.]+ ms/ })
  t.match(await checkData(join(directory, 'file/data')), { ok: false, advice: /writable/ })
})

t.test('a clock that was never set is found', async t => {
  t.match(checkClock(0), { ok: false, detail: '1970-01-01T00:00:00.000Z' })
  t.match(checkClock(Date.UTC(2026, 0)), { ok: true })
})

t.test('a certificate that ends soon, or is for nobody who comes, is found', async t => {
  const authority = new TestAuthority('authority of tests')
  const now = Date.now()
  const dayMs = 86_400_000
  const rowsFor = (days: number, values: object = {}) => {
    const hosts = ['edge.example.com']
    const issued = authority.issue({ hosts, endsAtMs: now + days * dayMs + dayMs / 2 })
    const { certificate, privateKey } = issued
    const tls = { 'tls.certificate': certificate, 'tls.privateKey': privateKey }
    return checkCertificates(createConfig({ ...tls, ...values }, '/'), now)
  }
  t.same(checkCertificates(createConfig({}, '/'), now), [], 'a plain port has none')
  t.match(rowsFor(90), [{ check: 'certificate', ok: true, detail: /ends at 20\S+Z, in 90 days/ }])
  t.match(rowsFor(14), [{ ok: true }])
  t.match(rowsFor(13), [{ ok: false, detail: /in 13 days/, advice: /renew it.*SIGHUP/ }])
  const advertise = (host: string) => ({ advertise: `wss://${host}:9600` })
  t.match(rowsFor(90, advertise('edge.example.com'))[1], { ok: true })
  t.match(rowsFor(90, advertise('10.0.0.7'))[1], {
    check: 'certificate names',
    ok: false,
    detail: /not for 10\.0\.0\.7/,
    advice: /--advertise/,
  })
})
