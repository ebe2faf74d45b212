import { areSame, buildLog, write } from '@fanfold/conformance'
import { RedisServer } from '@fanfold/nemesis'
import t from 'tap'
import { doc, makeClient } from './log-rig.ts'
import { Relay } from './relay.ts'

const lost = 'FANFOLD_LOG_LOST'

t.test('a server that was emptied is no new log', async t => {
  const server = await RedisServer.start(t)
  const client = makeClient(t, server)
  const log = await write(client, buildLog({ doc, count: 5 }))
  await server.client.flushall()
  const next = buildLog({ doc, count: 1, after: log.end })
  for (const epoch of [1, 2]) {
    const answer = await client.append({
      ...next,
      ...buildLog({ doc, count: 1, after: log.end, epoch }),
    })
    t.match(answer, {
      kind: 'log-append-refused',
      code: lost,
      message: /records 1 to 5 of .* gone/,
    })
  }
  t.equal(await server.client.dbsize(), 0, 'nothing was written')
  t.match(await client.read({ doc, read: 1, after: 0 }), { kind: 'log-read-refused', code: lost })
  client.release(doc)
  t.match((await client.open(doc)).answer, { kind: 'log-opened', epoch: 0 })
  const fresh = buildLog({ doc, count: 2, epoch: 3 })
  t.match(
    await client.append(fresh),
    { kind: 'log-appended', seq: 2 },
    'it goes on from what is left',
  )
})

t.test('a document that was not written yet loses nothing with its server', async t => {
  const server = await RedisServer.start(t)
  const client = makeClient(t, server)
  await client.open(doc)
  await server.client.flushall()
  t.match(await client.append(buildLog({ doc, count: 2 })), { kind: 'log-appended', seq: 2 })
})

t.test('a log that is gone beside its head is not gone on with', async t => {
  const server = await RedisServer.start(t)
  const client = makeClient(t, server)
  const log = await write(client, buildLog({ doc, count: 5 }))
  await server.client.del(`fanfold:{${doc}}:log`)
  const next = buildLog({ doc, count: 1, after: log.end })
  t.match(await client.append(next), { kind: 'log-append-refused', code: lost })
  const { answer } = await makeClient(t, server).open(doc)
  t.match(answer, { kind: 'log-open-refused', code: 'FANFOLD_LOG_DAMAGED' })
})

t.test('a head that is gone beside its log makes no new log', async t => {
  const server = await RedisServer.start(t)
  const client = makeClient(t, server)
  await write(client, buildLog({ doc, count: 5 }))
  await server.client.del(`fanfold:{${doc}}:head`)
  const { answer } = await makeClient(t, server).open(doc)
  t.match(answer, { kind: 'log-open-refused', code: 'FANFOLD_LOG_DAMAGED', message: /no head/ })
})

t.test('what a failover lost is named, to who wrote it and to who read it', async t => {
  const [master, replica] = await RedisServer.startPair(t)
  const relay = await Relay.open(t, master.port)
  const client = makeClient(t, relay)
  const first = await write(client, buildLog({ doc, count: 3 }))
  await master.client.wait(1, 1_000)
  // It is promoted while the master goes on: it gets nothing more.
  await replica.client.replicaof('NO', 'ONE')
  const second = buildLog({ doc, count: 4, after: first.end })
  await client.append(second)
  const reader = makeClient(t, relay)
  await reader.open(doc)
  await master.kill()
  relay.leadTo(replica.port)
  const third = buildLog({ doc, count: 1, after: second.end })
  const message = /records 4 to 7 of .* the log is at 1:3, written by node-1/
  t.match(await client.append(third), { kind: 'log-append-refused', code: lost, message })
  const claim = buildLog({ doc, count: 1, epoch: 2, after: second.end })
  t.match(await reader.append(claim), { kind: 'log-append-refused', code: lost, message })
  const heir = makeClient(t, replica)
  t.ok(areSame((await heir.open(doc)).records, first.records))
  const inherited = buildLog({ doc, count: 6, epoch: 2, after: first.end })
  t.match(await heir.append(inherited), { kind: 'log-appended', seq: 9 })
  const names = /records 4 to 7 of .* the log is at 2:9/
  const late = await client.append(third)
  t.match(late, { code: lost, message: names }, 'also when another went on')
})

t.test(
  'of two that claimed one epoch on two sides of a split, one is told what it lost',
  async t => {
    const [master, replica] = await RedisServer.startPair(t)
    const relay = await Relay.open(t, master.port)
    const client = makeClient(t, relay)
    const first = await write(client, buildLog({ doc, count: 3 }))
    await master.client.wait(1, 1_000)
    await replica.client.replicaof('NO', 'ONE')
    const mine = buildLog({ doc, count: 4, epoch: 2, after: first.end })
    t.match(await client.append(mine), { kind: 'log-appended', seq: 7 })
    const heir = makeClient(t, { address: replica.address, nodeId: 'node-2' })
    await heir.open(doc)
    const theirs = buildLog({ doc, count: 6, epoch: 2, after: first.end, seed: 'theirs' })
    t.match(await heir.append(theirs), { kind: 'log-appended', seq: 9 })
    relay.leadTo(replica.port)
    const message = /records 4 to 7 of .* the log is at 2:9, written by node-2/
    for (const epoch of [2, 3]) {
      const late = buildLog({ doc, count: 1, epoch, after: mine.end })
      t.match(await client.append(late), { kind: 'log-append-refused', code: lost, message })
    }
    const { records } = await makeClient(t, replica).open(doc)
    t.ok(areSame(records, [...first.records, ...theirs.records]), 'one history is left')
  },
)
