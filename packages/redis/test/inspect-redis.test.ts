import { RedisServer } from '@fanfold/nemesis'
import t from 'tap'
import { findingsIn, inspectRedis } from '../src/inspect-redis.ts'

const connectionName = 'test'

t.test('a server says what it is', async t => {
  const server = await RedisServer.start(t)
  const inspection = { address: server.address, connectionName, withinMs: 5_000 }
  const findings = await inspectRedis(inspection)
  t.match(findings, {
    version: /^\d+\.\d+/,
    isVersionOk: true,
    evictionPolicy: 'noeviction',
    evictsAll: false,
    evicts: false,
    hasAppendOnlyFile: false,
  })
  await server.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
  t.match(await inspectRedis(inspection), {
    evictionPolicy: 'allkeys-lru',
    evictsAll: true,
    evicts: true,
  })
  await server.client.config('SET', 'maxmemory-policy', 'volatile-lru')
  const volatile = await inspectRedis(inspection)
  t.match(volatile, { evictsAll: false, evicts: true }, 'a log has no time to live, members have')
})

t.test('a server with an append-only file says so', async t => {
  const server = await RedisServer.start(t, { isDurable: true })
  const inspection = { address: server.address, connectionName, withinMs: 5_000 }
  t.match(await inspectRedis(inspection), { hasAppendOnlyFile: true })
})

t.test('one that is not there is told within the time', async t => {
  const server = await RedisServer.start(t)
  const { address } = server
  await server.kill()
  const asked = inspectRedis({ address, connectionName, withinMs: 100 })
  await t.rejects(asked, { name: 'RedisFailure', kind: 'not-sent' })
})

t.test('versions before 6.2 are too old', async t => {
  const isOk = (version: string) => findingsIn(`redis_version:${version}\r\n`).isVersionOk
  for (const version of ['5.0.14', '6.0.16', '']) t.notOk(isOk(version), version)
  for (const version of ['6.2.0', '7.0.15', '8.2']) t.ok(isOk(version), version)
})
