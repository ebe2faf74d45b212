/* Logs that are followed, where they are large, or go away. */
import { areSame, buildLog, write } from '@fanfold/conformance'
import { RedisServer, until } from '@fanfold/nemesis'
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { doc, makeClient } from './log-rig.ts'

const lost = 'FANFOLD_LOG_LOST'
const logKey = `fanfold:{${doc}}:log`
const headKey = `fanfold:{${doc}}:head`

/** How often the server has done a command. */
async function callsOf({ client }: RedisServer, command: string): Promise<number> {
  const stats = await client.info('commandstats')
  const found = new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)
  return Number(found?.[1] ?? 0)
}

t.test('who takes over a long log that it follows reads the last of it alone', async t => {
  const server = await RedisServer.start(t)
  const [writer, follower] = [
    makeClient(t, server),
    makeClient(t, { address: server.address, nodeId: 'heir' }),
  ]
  let log = await write(writer, buildLog({ doc, count: 1_000 }))
  for (let count = 1; count < 20; count++) {
    log = buildLog({ doc, count: 1_000, after: log.end })
    await writer.append(log)
  }
  t.match(await follower.follow(doc), { kind: 'log-followed' })
  t.equal(follower.recordsOf(doc).length, 20_000)
  const read = await callsOf(server, 'xrange')
  const told = follower.inputs.length
  const more = buildLog({ doc, count: 5, after: log.end })
  await writer.append(more)
  t.match((await follower.open(doc)).answer, { kind: 'log-opened', epoch: 1 })
  t.ok(areSame(follower.recordsOf(doc, told), more.records), 'five records are told')
  const ranges = (await callsOf(server, 'xrange')) - read
  t.ok(ranges <= 5, `${ranges} ranges are read`)
  const own = buildLog({ doc, count: 1, epoch: 2, after: more.end })
  t.match(await follower.append(own), { kind: 'log-appended', seq: 20_006 })
})

t.test('one command looks at many logs, and none is read that has not moved', async t => {
  const server = await RedisServer.start(t)
  const [writer, follower] = [
    makeClient(t, server),
    makeClient(t, { address: server.address, nodeId: 'heir' }),
  ]
  const docs: DocumentKey[] = []
  for (let number = 0; number < 300; number++) docs.push(parseDocumentKey(`acme/match/m${number}`))
  const logs = await Promise.all(docs.map(doc => write(writer, buildLog({ doc, count: 2 }))))
  await Promise.all(docs.map(doc => follower.follow(doc)))
  const read = await callsOf(server, 'xrange')
  const looks = await callsOf(server, 'hmget')
  const [first] = logs
  if (first === undefined) throw new Error('there are 300')
  const more = buildLog({ doc: first.doc, count: 1, after: first.end })
  await writer.append(more)
  await follower.untilTold(first.doc, 3)
  await until('all are looked at', async () => (await callsOf(server, 'hmget')) >= looks + 600)
  t.equal((await callsOf(server, 'xrange')) - read, 1)
})

t.test('a log that went back behind what was told of it is lost', async t => {
  const server = await RedisServer.start(t)
  const [writer, follower] = [
    makeClient(t, server),
    makeClient(t, { address: server.address, nodeId: 'heir' }),
  ]
  const log = await write(writer, buildLog({ doc, count: 5 }))
  await follower.follow(doc)
  const copy = await server.client.dumpBuffer(logKey)
  const head = await server.client.dumpBuffer(headKey)
  const more = buildLog({ doc, count: 3, after: log.end })
  await writer.append(more)
  await follower.untilTold(doc, 8)
  await server.client.restore(logKey, 0, copy, 'REPLACE')
  await server.client.restore(headKey, 0, head, 'REPLACE')
  t.match(await follower.untilRefused(doc), { code: lost, message: /1:8.*ends at 1:5/ })
  follower.release(doc)
  const told = follower.inputs.length
  t.match(await follower.follow(doc), { kind: 'log-followed' })
  t.ok(areSame(follower.recordsOf(doc, told), log.records), 'it is read anew')
})

t.test('a log that went another way than what was told of it is lost', async t => {
  const server = await RedisServer.start(t)
  const make = (nodeId: string) =>
    makeClient(t, { address: server.address, nodeId, followEveryMs: 60_000 })
  const [writer, follower, other] = [make('one'), make('two'), make('three')]
  const log = await write(writer, buildLog({ doc, count: 5 }))
  const copies = await Promise.all([logKey, headKey].map(key => server.client.dumpBuffer(key)))
  await writer.append(buildLog({ doc, count: 3, after: log.end }))
  await follower.follow(doc)
  for (const [index, key] of [logKey, headKey].entries()) {
    await server.client.restore(key, 0, copies[index] ?? '', 'REPLACE')
  }
  await other.open(doc)
  await other.append(buildLog({ doc, count: 9, epoch: 2, after: log.end, seed: 'another' }))
  const { answer } = await follower.open(doc)
  t.match(answer, { kind: 'log-open-refused', code: lost })
  follower.release(doc)
  t.match((await follower.open(doc)).answer, { kind: 'log-opened', epoch: 2 })
})

t.test('while the server does not answer nothing is told, and then all of it', async t => {
  const server = await RedisServer.start(t)
  const times = { silenceMaxMs: 500, reachWithinMs: 500 }
  const writer = makeClient(t, { address: server.address, ...times })
  const follower = makeClient(t, { address: server.address, ...times, nodeId: 'heir' })
  const log = await write(writer, buildLog({ doc, count: 5 }))
  await follower.follow(doc)
  server.pause()
  const more = buildLog({ doc, count: 3, after: log.end })
  const appended = writer.append(more)
  await until('the append waits', () =>
    writer.inputs.some(({ kind }) => kind === 'log-append-waits'),
  )
  server.resume()
  t.match(await appended, { kind: 'log-appended' })
  await follower.untilTold(doc, 8)
  t.ok(areSame(follower.recordsOf(doc), [...log.records, ...more.records]))
  t.notOk(follower.inputs.some(({ kind }) => kind === 'log-open-refused'))
})

t.test('a head that holds something else refuses its own document and no other', async t => {
  const server = await RedisServer.start(t)
  const [writer, follower] = [
    makeClient(t, server),
    makeClient(t, { address: server.address, nodeId: 'heir' }),
  ]
  const other = parseDocumentKey('acme/match/semi')
  const log = await write(writer, buildLog({ doc: other, count: 2 }))
  await write(writer, buildLog({ doc, count: 2 }))
  await follower.follow(doc)
  await follower.follow(other)
  await server.client.set(headKey, 'not a head')
  t.match(await follower.untilRefused(doc), { code: 'FANFOLD_LOG_DAMAGED' })
  await writer.append(buildLog({ doc: other, count: 1, after: log.end }))
  await follower.untilTold(other, 3)
})
