import { Prng } from '@fanfold/kernel'
import { RedisServer, until } from '@fanfold/nemesis'
import t from 'tap'
import { parseRedisAddress } from '../src/redis-address.ts'
import { RedisHints } from '../src/redis-hints.ts'
import { Relay } from './relay.ts'

t.test('hints are heard, and again when the server has been away', async t => {
  const server = await RedisServer.start(t)
  let count = 0
  const hints = new RedisHints({
    address: parseRedisAddress(server.address),
    connectionName: 'test',
    connectWithinMs: 200,
    silenceMaxMs: 200,
    prng: new Prng('test'),
    channel: 'hints',
    onHint: () => count++,
  })
  t.teardown(() => hints.close())
  await until('it listens', () => count === 1)
  await server.client.publish('hints', 'one')
  await until('it is heard', () => count === 2)
  await server.restart()
  await until('it listens again', () => count >= 3)
  const before = count
  await server.client.publish('hints', 'another')
  await until('it is heard again', () => count === before + 1)
  t.equal(await server.client.publish('others', 'nobody'), 0)
})

t.test('one that is closed while it connects again does not listen once more', async t => {
  const server = await RedisServer.start(t)
  const relay = await Relay.open(t, server.port)
  let count = 0
  const hints = new RedisHints({
    address: parseRedisAddress(relay.address),
    connectionName: 'test',
    connectWithinMs: 20_000,
    silenceMaxMs: 20_000,
    prng: new Prng('test'),
    channel: 'hints',
    onHint: () => count++,
  })
  t.teardown(() => hints.close())
  await until('it listens', () => count === 1)
  // The last thing that is asked before a connection is ready.
  relay.holdFrom('info')
  relay.leadTo(server.port)
  await until('the answer is there', () => relay.heldCount > 0)
  hints.close()
  relay.release()
  await until('it is gone', async () => {
    return !String(await server.client.call('client', 'list')).includes('name=test')
  })
  t.equal(count, 1)
})
