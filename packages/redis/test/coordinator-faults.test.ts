import type { CoordinatorClient } from '@fanfold/conformance'
import { RedisServer, until } from '@fanfold/nemesis'
import t from 'tap'
import { announcementOf, makeMember, placementOf } from './coordinator-rig.ts'
import { Relay } from './relay.ts'

const unreachable = 'FANFOLD_COORDINATOR_UNREACHABLE'
const soonLost = { readEveryMs: 100, lostAfterMs: 600, connectWithinMs: 200 }

/** Kinds of what a client was told from an index on. */
const kindsFrom = (client: CoordinatorClient, from: number): string[] =>
  client.inputs.slice(from).map(({ kind }) => kind)

t.test('a server that is killed is lost, and found when it is started again', async t => {
  const server = await RedisServer.start(t, { isDurable: true })
  const client = makeMember(t, { ...soonLost, address: server.address })
  await client.watch()
  t.equal((await client.place(0, placementOf('acme', 1))).kind, 'placed')
  await server.kill()
  const from = client.inputs.length
  const lost = await client.next('coordinator-lost', from)
  t.match(lost, { code: unreachable, message: /where members meet: nothing was answered for \d/ })
  t.match(await client.place(1, placementOf('acme', 2)), { kind: 'place-unanswered' })
  const late = makeMember(t, { ...soonLost, address: server.address })
  await late.next('coordinator-lost', 0)
  const restarted = client.inputs.length
  await server.restart()
  await late.next('coordinator-found', 0)
  t.same(kindsFrom(late, 0), ['coordinator-lost', 'coordinator-found'], 'who comes meanwhile too')
  await client.next('coordinator-found', restarted)
  const found = client.inputs.findIndex(({ kind }) => kind === 'coordinator-found')
  const read = await client.next('placements-read', found)
  t.match(read, { isWhole: true, placements: [{ subject: 'acme', version: 1 }] })
  t.same(kindsFrom(client, restarted).slice(0, 3), [
    'coordinator-found',
    'placements-read',
    'members-heard',
  ])
  await client.announce(announcementOf('a'))
})

t.test('one that stands still is lost, and what was under way is told to be open', async t => {
  const server = await RedisServer.start(t)
  const client = makeMember(t, { ...soonLost, address: server.address, silenceMaxMs: 300 })
  await client.watch()
  server.pause()
  t.teardown(() => server.resume())
  const from = client.inputs.length
  client.start(announcementOf('a', 'late'))
  const answer = await client.place(0, placementOf('acme', 1))
  t.match(answer, { kind: 'place-unanswered', code: unreachable })
  const kinds = kindsFrom(client, from).filter(kind => kind !== 'members-heard')
  t.same(kinds, ['coordinator-lost', 'place-unanswered'])
  const resumed = client.inputs.length
  server.resume()
  await client.next('coordinator-found', resumed)
  t.ok((await client.next('placements-read', resumed)).isWhole)
  await client.announce(announcementOf('a', 'again'))
  const answers = client.inputs.filter(({ kind }) => kind === 'announced')
  t.match(answers, [{ announcement: 2 }], 'the one before it was never answered')
})

t.test('while this process stands still nobody else is silent', async t => {
  const server = await RedisServer.start(t)
  const client = makeMember(t, { ...soonLost, address: server.address })
  await client.watch()
  const from = client.inputs.length
  // Nothing of this process runs meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900)
  await client.next('members-heard', from)
  t.notOk(kindsFrom(client, from).includes('coordinator-lost'))
})

t.test('one that is out of memory is lost, says so, and is found when it has some', async t => {
  const server = await RedisServer.start(t)
  const options = { address: server.address, readEveryMs: 100 }
  const [client, watcher] = [makeMember(t, options), makeMember(t, options)]
  await client.announce(announcementOf('a'))
  await watcher.watch()
  await server.client.config('SET', 'maxmemory', '1')
  const from = client.inputs.length
  client.start(announcementOf('a', 'no room'))
  for (const each of [client, watcher]) {
    t.match(await each.next('coordinator-lost', 0), { code: unreachable, message: /OOM/ })
  }
  const answer = await client.place(0, placementOf('acme', 1))
  t.match(answer, { kind: 'place-unanswered', message: /OOM/ })
  const rejected = async (): Promise<number> =>
    Number(/errorstat_OOM:count=(\d+)/.exec(await server.client.info('errorstats'))?.[1] ?? 0)
  const before = await rejected()
  await until('they look again', async () => (await rejected()) >= before + 4)
  t.notOk(kindsFrom(client, from).includes('coordinator-found'), 'to read is not enough')
  await server.client.config('SET', 'maxmemory', '0')
  for (const each of [client, watcher]) await each.next('coordinator-found', 0)
  await client.announce(announcementOf('a', 'room'))
  await watcher.hear(Buffer.from('room'), 0)
})

t.test('keys that hold something else make it lost, until they do not', async t => {
  const server = await RedisServer.start(t)
  const client = makeMember(t, { ...soonLost, address: server.address })
  await server.client.set('fanfold:{members}:heard', 'a text')
  const from = client.inputs.length
  client.coordinator.perform({ kind: 'coordinator-watch' })
  t.match(await client.next('coordinator-lost', from), { message: /WRONGTYPE/ })
  await server.client.del('fanfold:{members}:heard')
  await client.next('coordinator-found', from)
  await client.announce(announcementOf('a'))
  await client.hear(Buffer.from('a'), from)
})

t.test('what is said cannot be what no member writes', async t => {
  const server = await RedisServer.start(t)
  const client = makeMember(t, { ...soonLost, address: server.address })
  await server.client.zadd('fanfold:{members}:heard', 1, 'a/1')
  await server.client.hset('fanfold:{members}:said', 'a/1', 'someone else’s')
  client.coordinator.perform({ kind: 'coordinator-watch' })
  const lost = await client.next('coordinator-lost', 0)
  t.match(lost, { message: /something else than when a member was heard/ })
})

t.test('a placing whose answer was lost is asked again, and is done once', async t => {
  const server = await RedisServer.start(t)
  const relay = await Relay.open(t, server.port)
  const client = makeMember(t, { address: relay.address, silenceMaxMs: 200, lostAfterMs: 20_000 })
  // The server has the script from now on.
  await client.place(0, placementOf('other', 1))
  relay.lose('answers')
  const answer = client.place(0, placementOf('acme', 1))
  await until(
    'it is placed',
    async () => (await server.client.hlen('fanfold:{members}:placed')) > 1,
  )
  relay.leadTo(server.port)
  t.equal((await answer).kind, 'placed')
  t.equal(await server.client.llen('fanfold:{members}:trail'), 2)
})

t.test('a placing of which nobody can know any more is told to be open', async t => {
  const server = await RedisServer.start(t)
  const relay = await Relay.open(t, server.port)
  const client = makeMember(t, { address: relay.address, silenceMaxMs: 200, lostAfterMs: 20_000 })
  const other = makeMember(t, server)
  await client.place(0, placementOf('other', 1))
  relay.lose('answers')
  const answer = client.place(0, placementOf('acme', 1))
  await until(
    'it is placed',
    async () => (await server.client.hlen('fanfold:{members}:placed')) > 1,
  )
  t.equal((await other.place(1, placementOf('acme', 2))).kind, 'placed')
  relay.leadTo(server.port)
  t.match(await answer, { kind: 'place-unanswered', message: /acme is at version 2 by now/ })
})

t.test('two thousand members are read in inputs of a thousand', async t => {
  const server = await RedisServer.start(t)
  const client = makeMember(t, { address: server.address, effectsWaitingMax: 2_001 })
  for (let index = 0; index < 2_001; index++) client.start(announcementOf(`node-${index}`))
  const last = announcementOf('last')
  const [watcher, other] = [makeMember(t, server), makeMember(t, server)]
  await until('all are taken', async () => {
    return (await server.client.zcard('fanfold:{members}:heard')) === 2_001
  })
  await watcher.watch()
  await watcher.hear(Buffer.from('node-2000'), 0)
  const counts = watcher.inputs.flatMap(input =>
    input.kind === 'members-heard' ? [input.members.length] : [],
  )
  t.same(counts.slice(0, 3), [1_000, 1_000, 1])
  const from = watcher.inputs.length
  await other.announce(last)
  await watcher.hear(last.bytes, from)
  const later = watcher.inputs.slice(from).find(input => input.kind === 'members-heard')
  t.ok(
    later?.kind === 'members-heard' && later.members.length < 1_000,
    'those who said nothing new are not read again each time',
  )
})

t.test('effects beyond the bound are not done, and a placing says so', async t => {
  const server = await RedisServer.start(t)
  const client = makeMember(t, { address: server.address, effectsWaitingMax: 2 })
  const answers = await Promise.all(
    ['a', 'b', 'c'].map(subject => client.place(0, placementOf(subject, 1))),
  )
  t.same(
    answers.map(({ kind }) => kind),
    ['placed', 'placed', 'place-unanswered'],
  )
  t.match(answers[2], { message: /2 effects wait already/ })
})

t.test('who comes and who goes is told by a hint, before it is time to look', async t => {
  const server = await RedisServer.start(t)
  const client = makeMember(t, server)
  const watcher = makeMember(t, { address: server.address, readEveryMs: 1_000 })
  await watcher.watch()
  const ages: number[] = []
  for (const node of ['a', 'b', 'c', 'd']) {
    await client.announce(announcementOf(node))
    ages.push(await watcher.hear(Buffer.from(node), 0))
  }
  t.ok(Math.min(...ages) < 400, `${ages} ms`)
})
