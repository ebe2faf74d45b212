import { RedisServer } from '@fanfold/nemesis'
import t, { type Test } from 'tap'
import { coordinatorKeysOf } from '../src/coordinator-keys.ts'
import { placementIn, readPlacements } from '../src/read-placements.ts'
import { RedisConnection } from '../src/redis-connection.ts'
import { loadScript } from '../src/redis-script.ts'

const server = await RedisServer.start(t)
const keys = coordinatorKeysOf('fanfold:')
const bytes = Buffer.from([0, 58, 255, 32, 10])
const names = [keys.placed, keys.changes, keys.trail]
const keptForMs = 60_000

/** A connection to a server that is empty. */
async function connect(t: Test): Promise<RedisConnection> {
  await server.client.flushall()
  const { address } = server
  const connection = new RedisConnection({ address, connectionName: 'test', seed: 'test' })
  t.teardown(() => connection.close())
  return connection
}

const run = (
  connection: RedisConnection,
  name: string,
  ...[names, args]: [names: readonly string[], args: readonly (string | number | Buffer)[]]
): Promise<unknown> => connection.ask(() => connection.run(loadScript(name), names, args), 2_000)

const announce = (connection: RedisConnection, name: string, countMax = 10, said?: Buffer) => {
  const args = [name, keptForMs, countMax, '', ...(said === undefined ? [] : [said])]
  return run(connection, 'announce-2', [keys.heard, keys.said], args)
}

/** What is read of members, with texts for bytes, from the names on in threes. */
async function read(connection: RedisConnection, since: number, until = '', countMax = 10) {
  const names = [keys.heard, keys.said, keys.changes, keys.trail]
  const reply = await run(connection, 'read-members-4', names, [since, until, countMax])
  const [now, last, change, id, ...rest] = Array.isArray(reply) ? reply.map(String) : []
  const numbers = rest.flatMap((part, index) => (index % 3 === 0 ? [part] : []))
  return { now: Number(now), last, change, id, names: numbers, rest }
}

const place = async (
  connection: RedisConnection,
  ...[subject, expected, version, placing = `${subject}:${version}`, countMax = 10]: [
    subject: string,
    expected: number,
    version: number,
    placing?: string,
    countMax?: number,
  ]
): Promise<string[]> => {
  const args = [subject, expected, version, placing, bytes, countMax, '']
  const reply = await run(connection, 'place-3', names, args)
  return Array.isArray(reply) ? reply.map(String) : []
}

t.test('who speaks again is last in the order, and has one place', async t => {
  const connection = await connect(t)
  for (const name of ['a/1', 'b/1', 'a/1']) await announce(connection, name, 10, bytes)
  const { last, names, rest, now } = await read(connection, 0)
  t.same([last, names], ['3', ['b/1', 'a/1']])
  t.same([rest[1], rest[4]], ['2', '3'])
  t.ok(now - Number(rest[2]?.split(':')[0]) < 5_000)
  const ttl = await server.client.pttl(keys.heard)
  t.ok(ttl > 0 && ttl <= keptForMs, `${ttl} ms`)
  t.same((await read(connection, 2)).names, ['a/1'], 'since a word')
  t.same((await read(connection, 0, '2')).names, ['b/1'], 'up to a word')
  t.same((await read(connection, 0, '', 1)).names, ['b/1'], 'so many')
  t.same((await read(connection, 9)).names, ['b/1', 'a/1'], 'since a word that is not yet')
})

t.test('who withdraws has a place without bytes', async t => {
  const connection = await connect(t)
  await announce(connection, 'a/1', 10, bytes)
  await announce(connection, 'a/1')
  await announce(connection, 'nobody/1')
  const { names, rest } = await read(connection, 0)
  t.same(names, ['a/1', 'nobody/1'])
  for (const said of [rest[2], rest[5]]) t.match(said, /^\d+$/)
})

t.test('beyond the bound those are forgotten who were silent for the longest', async t => {
  const connection = await connect(t)
  for (const name of ['a/1', 'b/1', 'c/1', 'd/1']) await announce(connection, name, 4, bytes)
  await announce(connection, 'a/1', 4, bytes)
  t.same((await read(connection, 0)).names, ['b/1', 'c/1', 'd/1', 'a/1'])
  await announce(connection, 'e/1', 4, bytes)
  t.same((await read(connection, 0)).names, ['c/1', 'd/1', 'a/1', 'e/1'])
  await announce(connection, 'e/1', 2, bytes)
  t.same((await read(connection, 0)).names, ['a/1', 'e/1'], 'a bound that is less than there are')
})

t.test('what is a minute old is forgotten, a few at a time', async t => {
  const connection = await connect(t)
  const names = ['a/1', 'b/1', 'c/1', 'd/1', 'e/1', 'f/1']
  for (const name of names) await announce(connection, name, 10, bytes)
  const { now } = await read(connection, 0)
  for (const name of names) await server.client.hset(keys.said, name, `${now - keptForMs}:x`)
  await announce(connection, 'g/1', 10, bytes)
  t.same((await read(connection, 0)).names, ['e/1', 'f/1', 'g/1'])
  await server.client.hset(keys.said, 'e/1', `${now - keptForMs + 30_000}:x`)
  await announce(connection, 'g/1', 10, bytes)
  t.same((await read(connection, 0)).names, ['e/1', 'g/1'])
  t.equal(await server.client.hlen(keys.said), 2)
})

t.test('a clock that goes back lets the silent get older all the same', async t => {
  const connection = await connect(t)
  await announce(connection, 'a/1', 10, bytes)
  await announce(connection, 'b/1')
  const { now } = await read(connection, 0)
  const later = now + 3_600_000
  await server.client.hset(keys.said, 'a/1', Buffer.concat([Buffer.from(`${later}:`), bytes]))
  await server.client.hset(keys.said, 'b/1', `${later}`)
  await announce(connection, 'c/1', 10, bytes)
  const said = await server.client.hgetallBuffer(keys.said)
  const at = Number(String(said['a/1']).split(':')[0])
  t.ok(at >= now && at < later, 'as taken now')
  t.ok(said['a/1']?.subarray(-bytes.length).equals(bytes), 'byte for byte')
  t.ok(Number(String(said['b/1'])) < later, 'and who has withdrawn')
})

t.test('members of which a part was evicted are all forgotten, and come back', async t => {
  for (const key of [keys.heard, keys.said]) {
    const connection = await connect(t)
    for (const name of ['a/1', 'b/1']) await announce(connection, name, 10, bytes)
    await server.client.del(key)
    await announce(connection, 'a/1', 10, bytes)
    const { last, names } = await read(connection, 0)
    t.same([last, names], ['1', ['a/1']])
    t.equal(await server.client.hlen(keys.said), 1)
  }
})

t.test('what nobody said is dropped as if it were old', async t => {
  const connection = await connect(t)
  for (const name of ['a/1', 'b/1']) await announce(connection, name, 10, bytes)
  await server.client.hset(keys.said, 'a/1', 'something')
  await server.client.hdel(keys.said, 'b/1')
  await server.client.hset(keys.said, 'c/1', 'something')
  await announce(connection, 'd/1', 10, bytes)
  t.same((await read(connection, 0)).names, ['d/1'])
})

t.test('words are counted in whole numbers, also the largest', async t => {
  const connection = await connect(t)
  await announce(connection, 'a/1', 10, bytes)
  await server.client.zadd(keys.heard, `${2 ** 53 - 2}`, 'a/1')
  await announce(connection, 'b/1', 10, bytes)
  const { last, names } = await read(connection, 2 ** 53 - 2)
  t.same([last, names], [`${2 ** 53 - 1}`, ['b/1']])
})

t.test('a placing is done once, however often the script runs', async t => {
  const connection = await connect(t)
  for (let time = 0; time < 3; time++) t.same(await place(connection, 'acme', 0, 1), ['placed'])
  t.equal(await server.client.llen(keys.trail), 1)
  const [outcome, kept] = await place(connection, 'acme', 0, 1, 'another')
  t.equal(outcome, 'conflict', 'another’s of the same version is not it')
  t.match(kept, /^1 acme:1 /)
  t.same(await place(connection, 'none', 3, 4), ['conflict', ''])
  const value = await server.client.hgetBuffer(keys.placed, 'acme')
  t.same(placementIn('acme', value), { subject: 'acme', version: 1, bytes })
})

t.test('subjects are as many as may be', async t => {
  const connection = await connect(t)
  t.same(await place(connection, 'a', 0, 1, 'one', 1), ['placed'])
  t.same(await place(connection, 'b', 0, 1, 'two', 1), ['full'])
  t.same(await place(connection, 'a', 1, 7, 'three', 1), ['placed'])
})

t.test('placements of which a part was evicted are all forgotten, to be given back', async t => {
  for (const key of [keys.placed, keys.changes]) {
    const connection = await connect(t)
    for (const subject of ['a', 'b']) await place(connection, subject, 0, 1)
    await server.client.del(key)
    t.same(await place(connection, 'a', 1, 2), ['conflict', ''])
    t.equal(await server.client.exists(keys.placed, keys.changes, keys.trail), 0)
    t.same(await place(connection, 'a', 0, 2), ['placed'])
  }
})

t.test(
  'what changed since a change that is known is read, in the order of the changes',
  async t => {
    const connection = await connect(t)
    const ask = (number: number, id: string) =>
      readPlacements({ connection, keys, since: { number, id } })
    await place(connection, 'a', 0, 1)
    await place(connection, 'b', 0, 1)
    const first = await ask(0, '')
    t.match(first, { isWhole: true, change: { number: 2 } })
    await place(connection, 'c', 0, 1)
    await place(connection, 'a', 1, 2)
    const { number, id } = first.change
    const next = await ask(number, id)
    t.match(next, { isWhole: false, placements: [{ subject: 'c' }, { subject: 'a', version: 2 }] })
    t.equal(next.placements.length, 2)
    t.match(await ask(next.change.number, next.change.id), { isWhole: false, placements: [] })
  },
)

t.test('a change of another history makes everything be read', async t => {
  const connection = await connect(t)
  const ask = (number: number, id: string) =>
    readPlacements({ connection, keys, since: { number, id } })
  await place(connection, 'a', 0, 1)
  const before = await Promise.all(names.map(key => server.client.dumpBuffer(key)))
  await place(connection, 'b', 0, 1)
  const known = (await ask(0, '')).change
  // A failover to a copy from before, which goes on otherwise to as many changes.
  for (const [index, key] of names.entries()) {
    await server.client.restore(key, 0, before[index] ?? '', 'REPLACE')
  }
  t.match(await ask(known.number, known.id), { isWhole: true, placements: [{ subject: 'a' }] })
  await place(connection, 'c', 0, 1)
  const next = await ask(known.number, known.id)
  t.match(next, { isWhole: true, placements: [{ subject: 'a' }, { subject: 'c' }] })
  t.equal(next.change.number, known.number)
  await server.client.flushall()
  t.match(await ask(known.number, known.id), { isWhole: true, placements: [] })
})

t.test('who is more changes behind than are remembered reads everything', async t => {
  const connection = await connect(t)
  const ask = (number: number, id: string) =>
    readPlacements({ connection, keys, since: { number, id } })
  await place(connection, 'a', 0, 1)
  const { change } = await ask(0, '')
  for (let version = 2; version <= 100; version++)
    await place(connection, 'a', version - 1, version)
  const known = await ask(change.number, change.id)
  t.match(known, { isWhole: false, placements: [{ subject: 'a', version: 100 }] })
  await place(connection, 'a', 100, 101)
  t.match(await ask(change.number, change.id), { isWhole: true })
  t.equal(await server.client.llen(keys.trail), 100)
})

t.test('many placements are read in several replies, all of them', async t => {
  const connection = await connect(t)
  const count = 600
  const subjects = Array.from({ length: count }, (_, index) => `subject-${index}`)
  for (const subject of subjects) await place(connection, subject, 0, 1, subject, count)
  const since = { number: 0, id: '' }
  const { isWhole, placements, change } = await readPlacements({ connection, keys, since })
  t.ok(isWhole)
  t.equal(change.number, count)
  t.same(
    placements.map(({ subject }) => subject),
    subjects,
  )
})
