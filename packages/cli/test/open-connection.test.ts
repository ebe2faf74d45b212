import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { FanfoldError } from '@fanfold/client'
import { TestAuthority } from '@fanfold/conformance'
import { until } from '@fanfold/nemesis'
import t from 'tap'
import { openConnection, readConnectionOptions, silenceError } from '../src/open-connection.ts'
import { Options } from '../src/options.ts'
import { FakeTerminal } from './fake-terminal.ts'

const read = (values: Record<string, unknown>, environment: Record<string, string> = {}) =>
  readConnectionOptions(
    new Options({ timeout: '2s', ...values }),
    new FakeTerminal({ environment }),
  )

await t.test('options come before the environment, and that before the default', async t => {
  const environment = { FANFOLD_URL: 'ws://b', FANFOLD_TOKEN: 'tb\n' }
  t.same(read({ url: 'ws://a', as: 'ta' }, environment), {
    url: 'ws://a',
    token: 'ta',
    timeoutMs: 2_000,
  })
  t.match(read({}, environment), { url: 'ws://b', token: 'tb' })
  t.match(read({}), { url: 'ws://127.0.0.1:9600', token: undefined })
  t.equal(read({ as: ' ' }).token, undefined)
})

await t.test('silence says whether the node was reached', async t => {
  const settings = read({})
  t.match(silenceError(settings, undefined), { code: 'FANFOLD_UNREACHABLE', exitCode: 3 })
  const failed = new FanfoldError('FANFOLD_CONNECTION_FAILED', 'closed with 1006')
  t.match(silenceError(settings, failed), {
    code: 'FANFOLD_UNREACHABLE',
    message: /cannot reach ws:\/\/127\.0\.0\.1:9600 within 2000 ms \(closed with 1006\)/,
  })
  const refused = new FanfoldError('FANFOLD_NO_PARENT', 'no parent')
  t.match(silenceError(settings, refused), { code: 'FANFOLD_NO_ANSWER', exitCode: 3 })
})

await t.test('a URL that is none is refused at once', async t => {
  t.throws(() => openConnection({ url: 'ftp://a', token: undefined }), {
    code: 'FANFOLD_BAD_OPTION',
  })
})

await t.test('a certificate that is not believed is what is said of the attempt', async t => {
  const issued = new TestAuthority('authority of tests').issue({ hosts: ['127.0.0.1'] })
  const server = createServer({ cert: issued.certificate, key: issued.privateKey })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const url = `wss://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { connection, trouble } = openConnection({ url, token: 'x' })
  t.teardown(() => connection.close())
  connection.observe('a/b/c')
  await until('an attempt fails', () => trouble() !== undefined)
  t.match(trouble(), {
    code: 'FANFOLD_CONNECTION_FAILED',
    message: /closed with 1006: unable to verify the first certificate$/,
  })
})
