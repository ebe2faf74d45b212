import { areSame, buildLog, write } from '@fanfold/conformance'
import { RedisServer } from '@fanfold/nemesis'
import t from 'tap'
import { doc, makeClient, told } from './log-rig.ts'

const [master, replica] = await RedisServer.startPair(t)
const options = { address: master.address, replicas: 1, replicasWithinMs: 50 }

t.test('a batch is acknowledged when a replica has it', async t => {
  const client = makeClient(t, options)
  const log = await write(client, buildLog({ doc, count: 5 }))
  t.equal(await replica.client.xlen(`fanfold:{${doc}}:log`), 5)
  const { records } = await makeClient(t, options).open(doc)
  t.ok(areSame(records, log.records))
})

t.test('a replica that stands still keeps a batch waiting, not the reading', async t => {
  await master.client.flushall()
  const client = makeClient(t, { ...options, answerWithinMs: 500 })
  const first = await write(client, buildLog({ doc, count: 2 }))
  replica.pause()
  t.teardown(() => replica.resume())
  const second = buildLog({ doc, count: 3, after: first.end })
  const answer = client.append(second)
  const waits = await told(client, 'log-append-waits')
  t.match(waits, { code: 'FANFOLD_LOG_UNREACHABLE', message: /0 of 1 replicas have it/ })
  t.equal((await client.readAll({ doc, read: 1, after: 0 })).flat().length, 2, 'what is durable')
  replica.resume()
  t.same(await answer, { kind: 'log-appended', doc, seq: 5 })
  t.equal(await replica.client.xlen(`fanfold:{${doc}}:log`), 5)
})

t.test('a master that wants more replicas than it has keeps a batch waiting', async t => {
  await master.client.flushall()
  const client = makeClient(t, { address: master.address, answerWithinMs: 500 })
  await client.open(doc)
  await master.client.config('SET', 'min-replicas-to-write', '3')
  t.teardown(() => master.client.config('SET', 'min-replicas-to-write', '0'))
  const answer = client.append(buildLog({ doc, count: 1 }))
  t.match(await told(client, 'log-append-waits'), { message: /NOREPLICAS/ })
  await master.client.config('SET', 'min-replicas-to-write', '0')
  t.match(await answer, { kind: 'log-appended', seq: 1 })
})

t.test(
  'a server that has become a replica is not written, until it is the master again',
  async t => {
    await master.client.flushall()
    const client = makeClient(t, { address: master.address, answerWithinMs: 50 })
    const first = await write(client, buildLog({ doc, count: 1 }))
    await replica.client.replicaof('NO', 'ONE')
    await master.client.replicaof('127.0.0.1', `${replica.port}`)
    const answer = client.append(buildLog({ doc, count: 1, after: first.end }))
    t.match(await told(client, 'log-append-waits'), { code: 'FANFOLD_LOG_UNREACHABLE' })
    await master.client.replicaof('NO', 'ONE')
    t.match(await answer, { kind: 'log-appended', seq: 2 })
  },
)
