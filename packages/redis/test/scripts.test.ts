import { buildLog, write } from '@fanfold/conformance'
import { RedisServer } from '@fanfold/nemesis'
import { zeroPosition } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { logKeysOf } from '../src/log-keys.ts'
import { RedisConnection } from '../src/redis-connection.ts'
import { loadScript } from '../src/redis-script.ts'
import { doc, makeClient } from './log-rig.ts'

const server = await RedisServer.start(t)
const keys = logKeysOf('fanfold:', doc)
const writer = Buffer.alloc(16, 7)
const zeros = Buffer.alloc(32)

function connect(t: Test): RedisConnection {
  const { address } = server
  const connection = new RedisConnection({ address, connectionName: 'test', seed: 'test' })
  t.teardown(() => connection.close())
  return connection
}

/** What a script answers, with texts for bytes. */
async function run(
  connection: RedisConnection,
  name: string,
  ...[names, args]: [names: readonly string[], args: readonly (string | number | Buffer)[]]
): Promise<unknown> {
  const reply = await connection.ask(() => connection.run(loadScript(name), names, args), 2_000)
  return Array.isArray(reply) ? reply.map(String) : reply
}

t.test('a batch is written once, however often the script runs', async t => {
  await server.client.flushall()
  const connection = connect(t)
  const names = [keys.head, keys.log, keys.claims]
  const hash = Buffer.alloc(32, 1)
  const args = [writer, 'node-1', 1, 0, 0, zeros, hash, 'first', 'second']
  for (let time = 0; time < 3; time++) {
    t.same(await run(connection, 'append-records-3', names, args), ['appended'])
  }
  t.equal(await server.client.xlen(keys.log), 2)
  const other = [Buffer.alloc(16, 8), ...args.slice(1)]
  const fenced = ['fenced', '1', '2', 'node-1']
  t.same(await run(connection, 'append-records-3', names, other), fenced, 'another’s is not in')
})

t.test('places of a log are whole numbers, also the largest', async t => {
  await server.client.flushall()
  const connection = connect(t)
  const last = 2 ** 48 - 2
  const head = { epoch: 2 ** 32 - 2, seq: last, hash: zeros, writer, node: 'node-1', first: 1 }
  await server.client.hset(keys.head, head)
  await server.client.xadd(keys.log, `${last}-0`, 'r', 'the one before')
  const args = [writer, 'node-1', 2 ** 32 - 1, 2 ** 32 - 2, last, zeros, zeros, 'the last']
  const names = [keys.head, keys.log, keys.claims]
  t.same(await run(connection, 'append-records-3', names, args), ['appended'])
  t.equal((await server.client.xrevrange(keys.log, '+', '-', 'COUNT', 1))[0]?.[0], `${last + 1}-0`)
  t.equal(await server.client.hget(keys.head, 'seq'), `${last + 1}`)
})

t.test('claims are kept of the newest hundred epochs', async t => {
  await server.client.flushall()
  const client = makeClient(t, server)
  await client.open(doc)
  let after = zeroPosition
  for (let epoch = 1; epoch <= 103; epoch++) {
    const log = buildLog({ doc, count: 1, epoch, after })
    t.equal((await client.append(log)).kind, 'log-appended')
    after = log.end
  }
  const epochs = (await server.client.hkeys(keys.claims)).map(Number)
  t.same([epochs.length, Math.min(...epochs)], [100, 4])
})

t.test('a snapshot whose parts are gone, or too few, is asked for again', async t => {
  await server.client.flushall()
  const connection = connect(t)
  const { end } = await write(makeClient(t, server), buildLog({ doc, count: 2 }))
  const upload = `${keys.uploads}one`
  const names = [keys.head, keys.log, keys.newer, keys.older, upload]
  const args = [end.epoch, end.seq, Buffer.from(end.hash), 2]
  t.same(await run(connection, 'keep-snapshot-5', names, args), ['absent', '0'])
  await server.client.rpush(upload, 'manifest')
  t.same(await run(connection, 'keep-snapshot-5', names, args), ['absent', '1'])
  await server.client.rpush(upload, 'pieces')
  t.same(await run(connection, 'keep-snapshot-5', names, args), ['kept'])
  t.same(await run(connection, 'keep-snapshot-5', names, args), ['kept'], 'its answer was lost')
  t.same(await server.client.lrange(keys.newer, 0, -1), ['manifest', 'pieces'])
})

t.test('a batch that is not in the log is not confirmed, and nothing is written', async t => {
  await server.client.flushall()
  const connection = connect(t)
  const names = [keys.head, keys.claims]
  t.equal(await run(connection, 'confirm-append-2', names, [writer, 1, 1]), 0)
  t.equal(await server.client.dbsize(), 0)
  const append = [writer, 'node-1', 1, 0, 0, zeros, zeros, 'first']
  await run(connection, 'append-records-3', [keys.head, keys.log, keys.claims], append)
  t.equal(await run(connection, 'confirm-append-2', names, [writer, 1, 1]), 1)
  t.equal(await run(connection, 'confirm-append-2', names, [writer, 1, 2]), 0, 'not so far')
  t.equal(await run(connection, 'confirm-append-2', names, [zeros, 1, 1]), 0, 'not of another')
  t.equal(await run(connection, 'confirm-append-2', names, [writer, 2, 1]), 0, 'not that epoch')
  // Another goes on from it, then one that had not seen it does.
  await server.client.hset(keys.head, { epoch: 4, seq: 9 })
  await server.client.hset(keys.claims, { 3: '1:x', 4: '5:y' })
  t.equal(await run(connection, 'confirm-append-2', names, [writer, 1, 1]), 1)
  await server.client.hset(keys.claims, { 2: '0:z' })
  t.equal(await run(connection, 'confirm-append-2', names, [writer, 1, 1]), 0)
})
