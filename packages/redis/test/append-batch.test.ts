import { areSame, buildLog, write } from '@fanfold/conformance'
import { RedisServer, until } from '@fanfold/nemesis'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { doc, makeClient } from './log-rig.ts'
import { Relay } from './relay.ts'

const server = await RedisServer.start(t)
const key = `fanfold:{${doc}}:log`

/** A writer behind a network that may lose things, whose document has three records. */
async function makeWriter(t: Test) {
  await server.client.flushall()
  const relay = await Relay.open(t, server.port)
  const client = makeClient(t, { address: relay.address, silenceMaxMs: 10_000 })
  const first = await write(client, buildLog({ doc, count: 3 }))
  const second = buildLog({ doc, count: 2, after: first.end })
  return { relay, client, first, second }
}

/** Resolves when the log has so many records. */
const untilLength = (length: number): Promise<void> =>
  until('the stream has them', async () => (await server.client.xlen(key)) === length)

t.test('a batch that is in and whose answer was lost is there once', async t => {
  const { relay, client, first, second } = await makeWriter(t)
  relay.lose('answers')
  const answer = client.append(second)
  await untilLength(5)
  relay.leadTo(server.port)
  t.same(await answer, { kind: 'log-appended', doc, seq: 5 })
  const { records } = await makeClient(t, server).open(doc)
  t.ok(areSame(records, [...first.records, ...second.records]))
})

t.test('a batch that was lost on its way is sent again', async t => {
  const { relay, client, second } = await makeWriter(t)
  relay.lose('questions')
  const answer = client.append(second)
  relay.leadTo(server.port)
  t.same(await answer, { kind: 'log-appended', doc, seq: 5 })
})

t.test(
  'a batch that is in counts, though another went on from it before that was known',
  async t => {
    const { relay, client, first, second } = await makeWriter(t)
    relay.lose('answers')
    const answer = client.append(second)
    await untilLength(5)
    const heir = makeClient(t, server)
    await heir.open(doc)
    const third = buildLog({ doc, count: 4, epoch: 2, after: second.end })
    t.match(await heir.append(third), { kind: 'log-appended', seq: 9 })
    relay.leadTo(server.port)
    t.same(await answer, { kind: 'log-appended', doc, seq: 5 })
    const late = buildLog({ doc, count: 1, after: second.end })
    t.match(await client.append(late), {
      code: 'FANFOLD_FENCED',
      message: /2:9, written by node-1/,
    })
    const { records } = await makeClient(t, server).open(doc)
    t.ok(
      areSame(
        records,
        [first, second, third].flatMap(log => log.records),
      ),
    )
  },
)

t.test('a batch that is not in is fenced when another went on without it', async t => {
  const { relay, client, first, second } = await makeWriter(t)
  relay.lose('questions')
  const answer = client.append(second)
  const heir = makeClient(t, { address: server.address, nodeId: 'node-2' })
  await heir.open(doc)
  await heir.append(buildLog({ doc, count: 4, epoch: 2, after: first.end }))
  relay.leadTo(server.port)
  const message =
    '1:4 to 1:5 of acme/match/final is not appended: the log is at 2:7, written by node-2'
  t.same(await answer, { kind: 'log-append-refused', doc, code: 'FANFOLD_FENCED', message })
})

t.test(
  'when nobody can know whether a batch is in, nothing is answered and the process ends',
  async t => {
    const { relay, second } = await makeWriter(t)
    const errors: unknown[] = []
    const onFatal = (error: unknown) => errors.push(error)
    const client = makeClient(t, { address: relay.address, silenceMaxMs: 10_000, onFatal })
    await client.open(doc)
    const claim = buildLog({ doc, count: 1, epoch: 2, after: { ...second.after } })
    relay.lose('answers')
    client.store.perform({ kind: 'log-append', ...claim })
    await untilLength(4)
    // Others have claimed so often since that the log tells nothing of it any more.
    const heir = makeClient(t, server)
    await heir.open(doc)
    let { end } = claim
    for (let epoch = 3; epoch < 103; epoch++) {
      const next = buildLog({ doc, count: 1, epoch, after: end })
      t.equal((await heir.append(next)).kind, 'log-appended')
      end = next.end
    }
    relay.leadTo(server.port)
    await until('something is told', () => errors.length > 0)
    t.match(errors, [{ code: 'FANFOLD_LOG_OUTCOME_UNKNOWN', message: /2:4 to 2:4/ }])
    t.equal(client.inputs.at(-1)?.kind, 'log-opened')
  },
)

t.test('a script that the server has forgotten is sent again', async t => {
  const { client, second } = await makeWriter(t)
  await server.client.script('FLUSH')
  t.same(await client.append(second), { kind: 'log-appended', doc, seq: 5 })
})

t.test('records that stand behind the head are not written over', async t => {
  const { client, second } = await makeWriter(t)
  const stranger = new Redis({ port: server.port })
  t.teardown(() => stranger.disconnect())
  await stranger.xadd(key, '7-0', 'r', 'a stranger')
  const refused = {
    kind: 'log-append-refused',
    code: 'FANFOLD_LOG_DAMAGED',
    message: /behind the head at 1:3/,
  }
  t.match(await client.append(second), refused)
  t.equal(await server.client.xlen(key), 4)
})

t.test('a key that holds something else is damage, and stays as it is', async t => {
  const { client, second } = await makeWriter(t)
  await server.client.set(key, 'something else')
  t.match(await client.append(second), { code: 'FANFOLD_LOG_DAMAGED', message: /WRONGTYPE/ })
  t.equal(await server.client.get(key), 'something else')
  const { answer } = await makeClient(t, server).open(doc)
  t.match(answer, { kind: 'log-open-refused', code: 'FANFOLD_LOG_DAMAGED' })
})
