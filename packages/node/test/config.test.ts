import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createConfig, loadConfig } from '../src/config.ts'
import { load, problemsOf, secret } from './load-config.ts'

t.test('without anything said, every role runs on the loopback address', async t => {
  const { config, places } = await load(t, {})
  t.same(config.roles, ['authority', 'proxy', 'edge'])
  t.equal(config.host, '127.0.0.1')
  t.equal(config.port, 9600)
  t.equal(config.adminPort, 9700)
  t.equal(config.limits.ringBytesMax, 16 * 1024 * 1024)
  t.equal(config.limits.idempotencyWindowMs, 600_000)
  t.equal(config.node.id, undefined)
  t.equal(places.size, 0)
})

t.test('the configuration and all in it is frozen', async t => {
  const { config } = await load(t, {})
  t.ok(Object.isFrozen(config))
  t.ok(Object.isFrozen(config.limits))
  t.ok(Object.isFrozen(config.roles))
})

t.test('a flag goes over the environment, that over the file, that over the default', async t => {
  const directory = t.testdir({
    'fanfold.yaml': 'port: 1\nadminPort: 2\nregion: file\nlimits:\n  viewersMax: 3\n',
  })
  const { config, places } = await loadConfig({
    directory,
    flags: { port: '11' },
    environment: { FANFOLD_PORT: '21', FANFOLD_ADMIN_PORT: '22', FANFOLD_NODE__ID: 'n1' },
  })
  t.match(config, { port: 11, adminPort: 22, region: 'file', node: { id: 'n1' } })
  t.equal(config.limits.viewersMax, 3)
  t.equal(config.limits.framesPerSecondMax, 100)
  t.match(Object.fromEntries(places), {
    port: '--port',
    adminPort: 'FANFOLD_ADMIN_PORT',
    region: 'fanfold.yaml:3',
    'limits.viewersMax': 'fanfold.yaml:5',
  })
})

t.test('a switch is off, and on by a flag without a value or by 1 in the environment', async t => {
  t.equal((await load(t, {})).config.disableSnapshot, false)
  const environment = { FANFOLD_DISABLE_SNAPSHOT: '1' }
  t.equal((await load(t, { environment })).config.disableSnapshot, true)
  const flags = { 'disable-snapshot': 'true' }
  t.equal((await load(t, { flags })).config.disableSnapshot, true)
})

t.test('a switch that is on without a word is off by a flag with a value, or by 0', async t => {
  t.equal((await load(t, {})).config.native, true)
  t.equal((await load(t, { environment: { FANFOLD_NATIVE: '0' } })).config.native, false)
  t.equal((await load(t, { flags: { native: 'false' } })).config.native, false)
})

t.test('what the program decides goes over everything', async t => {
  const { config } = await load(t, { program: { port: 0 }, flags: { port: '11' } })
  t.equal(config.port, 0)
})

t.test('durations and sizes are written with units', async t => {
  const flags = { 'limits-link-silence-max-ms': '2s', 'limits-ring-bytes-max': '2MiB' }
  const { config } = await load(t, {
    flags,
    environment: {
      FANFOLD_LIMITS__LINK_PING_MS: '500 ms',
      FANFOLD_LIMITS__DRAIN_DEADLINE_MS: '1.5m',
    },
  })
  t.equal(config.limits.linkSilenceMaxMs, 2_000)
  t.equal(config.limits.ringBytesMax, 2 * 1024 * 1024)
  t.equal(config.limits.linkPingMs, 500)
  t.equal(config.limits.drainDeadlineMs, 90_000)
})

t.test('a list is repeated as a flag and has commas in the environment', async t => {
  const { config } = await load(t, {
    flags: { parent: ['ws://a:1', 'ws://b:1'] },
    environment: { FANFOLD_ROLES: 'proxy, edge' },
  })
  t.same(config.parents, ['ws://a:1', 'ws://b:1'])
  t.same(config.roles, ['proxy', 'edge'])
})

t.test('paths start where they are said: the file in its own directory', async t => {
  const directory = t.testdir({
    etc: { 'fanfold.json': '{ "data": "store", "definitions": ["match.ts"] }' },
  })
  const { config } = await loadConfig({
    directory,
    file: 'etc/fanfold.json',
    flags: { definitions: ['here.ts'] },
  })
  t.equal(config.data, join(directory, 'etc/store'))
  t.same(config.definitions, [join(directory, 'here.ts')])
})

t.test('a TypeScript file is bundled with what it imports', async t => {
  const directory = t.testdir({
    'fanfold.ts':
      "import { big } from './big.ts'\nexport default { limits: { viewersMax: big } }\n",
    'big.ts': "import { sep } from 'node:path'\nexport const big: number = 7 + sep.length\n",
  })
  const { config } = await loadConfig({ directory })
  t.equal(config.limits.viewersMax, 8)
})

t.test('a TypeScript file that does not compile is a problem with its line', async t => {
  const directory = t.testdir({ 'fanfold.ts': 'export default {\n  port: ,\n}\n' })
  const [problem] = await problemsOf(loadConfig({ directory }))
  t.match(problem?.place, /fanfold\.ts:2:\d+$/)
})

t.test('a secret comes from the environment, or from a file that any source names', async t => {
  const directory = t.testdir({
    key: `${secret}\n`,
    'fanfold.yaml': 'adminTokenFile: key\n',
  })
  const plain = await loadConfig({ directory, environment: { FANFOLD_TOKEN_KEY: secret } })
  t.equal(plain.config.tokenKey, secret)
  t.equal(plain.config.adminToken, secret)
  const file = await loadConfig({ directory, environment: { FANFOLD_TOKEN_KEY_FILE: 'key' } })
  t.equal(file.config.tokenKey, secret)
  const flag = await loadConfig({ directory, flags: { 'token-key-file': 'key' } })
  t.equal(flag.config.tokenKey, secret)
})

t.test('variables of others are left alone', async t => {
  const { places } = await load(t, {
    environment: {
      HOME: '/root',
      FANFOLD_SERVICE_HOST: '10.0.0.1',
      FANFOLD_PORT_9600_TCP_ADDR: '10.0.0.1',
      FANFOLD_URL: 'ws://localhost',
    },
    environmentIgnored: ['FANFOLD_URL'],
  })
  t.equal(places.size, 0)
})

t.test('createConfig looks at no file and no environment', async t => {
  const directory = t.testdir()
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'fanfold.yaml'), 'port: 1')
  t.equal(createConfig({}, directory).port, 9600)
  t.throws(() => createConfig({ port: -1 }, directory), { code: 'FANFOLD_CONFIG_INVALID' })
})
