import { areSame, buildLog, sha256, write } from '@fanfold/conformance'
import { encodeSnapshot } from '@fanfold/document'
import { RedisServer } from '@fanfold/nemesis'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { doc, makeClient } from './log-rig.ts'

const full = 'FANFOLD_LOG_FULL'
const server = await RedisServer.start(t)

t.test('no memory is no room: nothing is written, and it goes on when there is some', async t => {
  const client = makeClient(t, server)
  const first = await write(client, buildLog({ doc, count: 3 }))
  await server.client.config('SET', 'maxmemory', '1')
  const second = buildLog({ doc, count: 200, after: first.end })
  for (let attempt = 0; attempt < 2; attempt++) {
    const answer = await client.append(second)
    t.match(answer, { kind: 'log-append-refused', code: full, message: /OOM/ })
  }
  const snapshot = encodeSnapshot({ at: first.end, state: { n: 3 }, definition: undefined, sha256 })
  t.match(await client.keepSnapshot(doc, snapshot), { kind: 'log-snapshot-refused', code: full })
  t.ok(areSame((await client.readAll({ doc, read: 1, after: 0 })).flat(), first.records))
  t.equal(await server.client.xlen(`fanfold:{${doc}}:log`), 3)
  await server.client.config('SET', 'maxmemory', '0')
  t.match(await client.append(second), { kind: 'log-appended', seq: 203 })
  t.match(await client.keepSnapshot(doc, snapshot), { kind: 'log-snapshot-kept', seq: 3 })
})

t.test('what waits is bounded: more is refused, and nothing of it is done', async t => {
  const client = makeClient(t, { address: server.address, effectsWaitingMax: 2 })
  const docs = ['a', 'b', 'c'].map(id => parseDocumentKey(`acme/match/${id}`))
  const opened = await Promise.all(docs.map(doc => client.open(doc)))
  t.same(
    opened.map(({ answer }) => ('code' in answer ? answer.code : answer.kind)),
    ['log-opened', 'log-opened', full],
  )
  const [, , third = doc] = docs
  t.match((await client.open(third)).answer, { kind: 'log-opened' }, 'there is room again')
})

t.test('bytes that wait are bounded: a batch at the bound goes, one over it does not', async t => {
  const other = parseDocumentKey('acme/match/large')
  const log = buildLog({ doc: other, count: 10, recordBytes: 1_000 })
  for (const [bytesWaitingMax, kind] of [
    [9_999, 'log-append-refused'],
    [10_000, 'log-appended'],
  ] as const) {
    const client = makeClient(t, { address: server.address, bytesWaitingMax })
    await client.open(other)
    t.match(await client.append(log), { kind }, `${bytesWaitingMax} bytes`)
  }
})
