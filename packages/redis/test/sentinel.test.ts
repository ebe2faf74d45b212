import { areSame, buildLog, write } from '@fanfold/conformance'
import { RedisServer, until } from '@fanfold/nemesis'
import t from 'tap'
import { doc, makeClient } from './log-rig.ts'

t.test('a store goes on at the master that a sentinel names', async t => {
  const [master, replica] = await RedisServer.startPair(t)
  const sentinel = await RedisServer.startSentinel(t, master)
  const address = `redis+sentinel://127.0.0.1:${sentinel.port}/main`
  const options = { address, replicas: 1, replicasWithinMs: 100, answerWithinMs: 100 }
  const client = makeClient(t, options)
  const first = await write(client, buildLog({ doc, count: 3 }))
  t.equal(await master.client.xlen(`fanfold:{${doc}}:log`), 3)
  // It looks around before it finds the replica good enough.
  const failOver = () => sentinel.client.call('sentinel', 'failover', 'main').catch(() => 'not yet')
  await until('the sentinel fails over', async () => (await failOver()) === 'OK')
  const second = buildLog({ doc, count: 2, after: first.end })
  t.match(await client.append(second), { kind: 'log-appended', seq: 5 })
  const third = buildLog({ doc, count: 2, after: second.end })
  await until(
    'the replica is the master',
    async () => (await replica.client.role())[0] === 'master',
  )
  t.match(await client.append(third), { kind: 'log-appended', seq: 7 })
  t.equal(await replica.client.xlen(`fanfold:{${doc}}:log`), 7)
  const { records } = await makeClient(t, options).open(doc)
  t.ok(
    areSame(
      records,
      [first, second, third].flatMap(log => log.records),
    ),
  )
})
