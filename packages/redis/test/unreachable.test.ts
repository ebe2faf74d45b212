import { areSame, buildLog, LogClient, sha256, write } from '@fanfold/conformance'
import { encodeSnapshot } from '@fanfold/document'
import { RedisServer, until } from '@fanfold/nemesis'
import type { LogRecord } from '@fanfold/protocol'
import t from 'tap'
import { createRedisLogStore } from '../src/redis-log-store.ts'
import { doc, makeClient, told } from './log-rig.ts'

const unreachable = 'FANFOLD_LOG_UNREACHABLE'

for (const [name, silenceMaxMs] of Object.entries({
  'and the connection stays': 10_000,
  'and the connection is given up': 200,
})) {
  t.test(`a server that stands still keeps an append waiting, ${name}`, async t => {
    const server = await RedisServer.start(t)
    const { address } = server
    const options = { address, silenceMaxMs, replicasWithinMs: 50, connectWithinMs: 200 }
    const client = makeClient(t, { ...options, answerWithinMs: 300 })
    const first = await write(client, buildLog({ doc, count: 3 }))
    const second = buildLog({ doc, count: 4, after: first.end })
    server.pause()
    const answer = client.append(second)
    const waits = await told(client, 'log-append-waits')
    t.match(waits, { doc, code: unreachable, message: /for 300 ms/ })
    server.resume()
    t.same(await answer, { kind: 'log-appended', doc, seq: 7 })
    t.equal(client.inputs.filter(({ kind }) => kind === 'log-append-waits').length, 1, 'told once')
    const third = buildLog({ doc, count: 1, after: second.end })
    t.match(await client.append(third), { kind: 'log-appended', seq: 8 })
    const { records } = await makeClient(t, { address }).open(doc)
    t.ok(
      areSame(
        records,
        [first, second, third].flatMap(log => log.records),
      ),
    )
  })
}

t.test('what is acknowledged is there once, whenever the server is killed', async t => {
  const server = await RedisServer.start(t, { isDurable: true })
  const { address } = server
  const client = makeClient(t, { address, answerWithinMs: 5 })
  const expected: LogRecord[] = []
  let after = (await write(client, buildLog({ doc, count: 1 }))).end
  expected.push(...buildLog({ doc, count: 1 }).records)
  for (let round = 0; round < 6; round++) {
    const batches = 1 + round * 3
    // Killed while an append is under way, at another place of it each round.
    let restarted = Promise.resolve()
    for (let batch = 0; batch < batches + 3; batch++) {
      const log = buildLog({ doc, count: 2, after })
      const answer = client.append(log)
      if (batch === batches) restarted = server.restart()
      t.match(await answer, { kind: 'log-appended', seq: log.end.seq })
      expected.push(...log.records)
      after = log.end
    }
    await restarted
  }
  const { records } = await makeClient(t, { address }).open(doc)
  t.ok(areSame(records, expected))
})

t.test('no room is not believed while a batch that was sent may be done yet', async t => {
  const server = await RedisServer.start(t, { isDurable: true })
  const { address } = server
  const client = makeClient(t, { address, answerWithinMs: 100, silenceMaxMs: 250 })
  const first = await write(client, buildLog({ doc, count: 1 }))
  server.pause()
  const second = buildLog({ doc, count: 1, after: first.end })
  const answer = client.append(second)
  await told(client, 'log-append-waits')
  // The batch is in no buffer of the server that comes back, but nobody here can know.
  await server.restart(['--maxmemory', '1'])
  await until('the server is out of memory', async () =>
    /OOM/.test(await server.client.info('errorstats')),
  )
  t.notOk(client.inputs.some(({ kind }) => kind === 'log-append-refused'))
  await server.client.config('SET', 'maxmemory', '0')
  t.match(await answer, { kind: 'log-appended', seq: 2 })
})

t.test('what only asks is refused when nothing answers', async t => {
  const server = await RedisServer.start(t)
  const { address } = server
  const client = makeClient(t, { address, reachWithinMs: 300, silenceMaxMs: 250 })
  const log = await write(client, buildLog({ doc, count: 3 }))
  server.pause()
  const snapshot = encodeSnapshot({ at: log.end, state: { n: 3 }, definition: undefined, sha256 })
  const [read, kept] = await Promise.all([
    client.read({ doc, read: 1, after: 0 }),
    client.keepSnapshot(doc, snapshot),
  ])
  t.match(read, { kind: 'log-read-refused', read: 1, code: unreachable })
  t.match(kept, { kind: 'log-snapshot-refused', code: unreachable })
  const other = makeClient(t, { address, reachWithinMs: 300, silenceMaxMs: 250 })
  t.match((await other.open(doc)).answer, { kind: 'log-open-refused', code: unreachable })
  server.resume()
  t.ok(areSame((await makeClient(t, { address }).open(doc)).records, log.records))
})

t.test('a server that was never there is said to be so, without its password', async t => {
  const server = await RedisServer.start(t)
  await server.kill()
  const address = server.address.replace('://', '://somebody:hunter2@')
  const client = makeClient(t, { address, reachWithinMs: 500 })
  const { answer } = await client.open(doc)
  t.match(answer, { kind: 'log-open-refused', code: unreachable, message: /ECONNREFUSED/ })
  t.notMatch(JSON.stringify(answer), /hunter2|somebody/)
})

t.test('a wrong password is said to be wrong, and is not told', async t => {
  const server = await RedisServer.start(t, { arguments: ['--requirepass', 'right'] })
  const address = server.address.replace('://', '://:hunter2@')
  const client = makeClient(t, { address, reachWithinMs: 1_000 })
  const { answer } = await client.open(doc)
  t.match(answer, { kind: 'log-open-refused', code: unreachable, message: /WRONGPASS/ })
  t.notMatch(JSON.stringify(answer), /hunter2/)
})

t.test('who may not write is told so, and nothing is written', async t => {
  const server = await RedisServer.start(t)
  const rights = ['on', 'nopass', '~*', '+@all', '-xadd', '-hset']
  server.commandNow('ACL', 'SETUSER', 'reader', ...rights)
  const client = makeClient(t, { address: server.address.replace('://', '://reader:x@') })
  await client.open(doc)
  const answer = await client.append(buildLog({ doc, count: 1 }))
  t.match(answer, { kind: 'log-append-refused', code: unreachable, message: /can't run/ })
  t.equal(await server.client.dbsize(), 0)
})

t.test('closing gives up in the time it was given, and nothing is answered after', async t => {
  const server = await RedisServer.start(t)
  const client = new LogClient(receive =>
    createRedisLogStore({
      address: server.address,
      nodeId: 'node-1',
      sha256,
      receive,
      closeWithinMs: 50,
    }),
  )
  const first = await write(client, buildLog({ doc, count: 1 }))
  server.pause()
  const { epoch, after, records } = buildLog({ doc, count: 1, after: first.end })
  client.store.perform({ kind: 'log-append', doc, epoch, after, records })
  await client.store.close()
  const before = client.inputs.length
  server.resume()
  // What the paused server took is done before this is answered, on whichever connection.
  await server.client.ping()
  t.equal(client.inputs.length, before)
  t.equal(client.inputs.at(-1)?.kind, 'log-appended', 'the first one')
})
