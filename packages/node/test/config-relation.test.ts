import { allTenants, memberLimits, tenantGlobRule } from '@fanfold/topology'
import t from 'tap'
import { createConfig } from '../src/config.ts'
import { configRow } from '../src/config-table.ts'
import { load, problemsOf, secret } from './load-config.ts'

const fleetKey = 'A'.repeat(43)

t.test('a public address without keys is refused, with the reasons', async t => {
  const problems = await problemsOf(load(t, { flags: { host: '0.0.0.0', 'admin-host': '::' } }))
  t.match(problems, [
    { place: 'host', message: /without tokenKey or tokenJwksUrl/ },
    { place: 'host', message: /without link\.token and link\.fleetPublicKeys/ },
    { place: 'adminHost', message: /give adminToken/ },
  ])
})

t.test('a public address with keys is fine', async t => {
  const directory = t.testdir()
  const config = createConfig(
    {
      host: '0.0.0.0',
      adminHost: '0.0.0.0',
      adminToken: secret,
      tokenKey: secret,
      'link.token': secret,
      'link.privateKey': secret,
      'link.fleetPublicKeys': [fleetKey],
    },
    directory,
  )
  t.equal(config.host, '0.0.0.0')
})

t.test('every way to write the loopback address counts as one', async t => {
  const directory = t.testdir()
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) {
    t.equal(createConfig({ host, adminHost: host }, directory).host, host)
  }
})

t.test('limits that cannot hold together are refused, with both numbers', async t => {
  const flags = {
    'limits-link-ping-ms': '500ms',
    'limits-member-heartbeat-ms': '3s',
    'limits-snapshot-bytes-max': '1GiB',
    'limits-large-state-bytes': '64MiB',
    'limits-worker-bytes-max': '16MiB',
  }
  t.match(await problemsOf(load(t, { flags })), [
    { place: 'limits.linkPingMs', message: /500 ms \* 3 > 1000 ms/ },
    { place: 'limits.memberHeartbeatMs', message: /3000 ms \* 3 > 5000 ms/ },
    { place: 'limits.snapshotBytesMax', message: /1073741824 > 536870912 bytes/ },
    { place: 'limits.largeStateBytes', message: /67108864 > 16777216 bytes/ },
  ])
})

const redis = 'redis://127.0.0.1:6379'
const identity = { 'node.id': 'one', 'link.token': secret, 'link.privateKey': secret }

t.test('a node that meets others in a Redis needs no parent, and says who it is', async t => {
  const directory = t.testdir()
  const config = createConfig({ roles: ['edge'], 'redis.url': redis, ...identity }, directory)
  t.match(config, { redis: { url: redis }, parents: [], weight: 100, advertise: undefined })
  const roles = ['authority', 'proxy']
  const authority = { roles, log: redis, 'redis.url': redis, advertise: 'ws://10.0.0.1:9600' }
  t.equal(createConfig({ ...authority, ...identity }, directory).advertise, 'ws://10.0.0.1:9600')
})

t.test('what a node of a fleet must not lack, or have beside, is said', async t => {
  const flags = { redis, parent: 'ws://10.0.0.1:9600' }
  t.match(await problemsOf(load(t, { flags })), [
    { place: 'parents', message: /either the tree forms itself, or parents are named/ },
    { place: 'link.token', message: /fanfold token link/ },
    { place: 'node.id', message: /--node-id/ },
    { place: 'log', message: /so that another one can take them over/ },
  ])
  const bound = { redis, roles: 'edge', host: '0.0.0.0' }
  const places = (await problemsOf(load(t, { flags: bound }))).map(({ place }) => place)
  t.ok(places.includes('advertise'))
})

t.test('a node without the role authority needs a parent, or where to look for one', async t => {
  const problems = await problemsOf(load(t, { flags: { roles: 'edge' } }))
  t.match(problems, [{ place: 'parents', message: /or the Redis where nodes meet/ }])
})

t.test('tenants are told to an authority that has others beside it, and to no other', async t => {
  const tenants = { 'tenants-allow': ['acme', 'b*'], 'tenants-deny': ['b2'] }
  const without = [
    { place: 'tenants.allow', message: /without redis\.url this one takes all/ },
    { place: 'tenants.deny', message: /give redis\.url, or leave it out/ },
  ]
  t.match(await problemsOf(load(t, { flags: tenants })), without)
  const edge = { roles: 'edge', parent: 'ws://a:9600' }
  const environment = { FANFOLD_TENANTS__ALLOW: 'acme, b*', FANFOLD_TENANTS__DENY: 'b2' }
  const { config } = await load(t, { flags: edge, environment })
  t.same(
    config.tenants,
    { allow: ['acme', 'b*'], deny: ['b2'], quotas: [] },
    'who commits nothing has none',
  )
  const { config: standard } = await load(t, {})
  t.same(standard.tenants, { ...allTenants, quotas: [] })
})

t.test('who stands by is an authority of a fleet', async t => {
  const message = /for an authority of a fleet.*leave it out/
  const alone = { 'hot-standby': 'true' }
  t.match(await problemsOf(load(t, { flags: alone })), [{ place: 'hotStandby', message }])
  const directory = t.testdir()
  const edge = { roles: ['edge'], 'redis.url': redis, ...identity, hotStandby: true }
  t.throws(() => createConfig(edge, directory), { message })
  const authority = { ...edge, roles: ['authority'], log: redis }
  t.equal(createConfig(authority, directory).hotStandby, true)
  t.equal(createConfig({ ...authority, hotStandby: false }, directory).hotStandby, false)
})

t.test('a glob over tenants is one that can be announced', async t => {
  for (const name of ['tenants.allow', 'tenants.deny'] as const) {
    const { pattern, max } = configRow(name)
    t.equal(`^${pattern}$`, tenantGlobRule.pattern.source)
    t.equal(max, memberLimits.tenantGlobsMax.value)
  }
})
