import { areSame, type BuiltLog, buildLog, sha256, write } from '@fanfold/conformance'
import { encodeSnapshot } from '@fanfold/document'
import { RedisServer } from '@fanfold/nemesis'
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { makeClient, told } from './log-rig.ts'

const servers = await RedisServer.startCluster(t, 3)
const [first, second] = servers as [RedisServer, RedisServer]
const address = `redis+cluster://127.0.0.1:${first.port},127.0.0.1:${second.port}`

const unreachable = 'FANFOLD_LOG_UNREACHABLE'
const docs: DocumentKey[] = Array.from({ length: 30 }, (_, index) =>
  parseDocumentKey(`acme/match/${index}`),
)

t.test('documents live on all nodes of a cluster, each whole on one', async t => {
  const client = makeClient(t, { address })
  const logs: BuiltLog[] = []
  for (const doc of docs) {
    const start = await write(client, buildLog({ doc, count: 5 }))
    for (const log of [start, buildLog({ doc, count: 5, after: start.end })]) {
      if (log !== start) await client.append(log)
      const snapshot = encodeSnapshot({
        at: log.end,
        state: { n: log.end.seq },
        definition: undefined,
        sha256,
      })
      t.match(await client.keepSnapshot(doc, snapshot), { kind: 'log-snapshot-kept' })
      logs.push(log)
    }
  }
  const sizes = await Promise.all(servers.map(({ client }) => client.dbsize()))
  t.ok(
    sizes.every(size => size > 0 && size % 5 === 0),
    `${sizes} keys`,
  )
  const reader = makeClient(t, { address })
  for (const doc of docs) {
    const { snapshot, records } = await reader.open(doc)
    t.equal(snapshot?.manifest.at.seq, 10)
    t.equal(records.length, 0)
    const batches = await reader.readAll({ doc, read: docs.indexOf(doc), after: 5 })
    const expected = logs.filter(log => log.doc === doc && log.after.seq === 5)
    t.ok(
      areSame(
        batches.flat(),
        expected.flatMap(log => log.records),
      ),
    )
  }
})

t.test('a batch follows a document that moves to another node', async t => {
  const doc = parseDocumentKey('acme/match/moving')
  const client = makeClient(t, { address })
  const log = await write(client, buildLog({ doc, count: 5 }))
  const slot = Number(await first.client.call('cluster', 'keyslot', `fanfold:{${doc}}:log`))
  const from = servers[Math.floor((slot * 3) / 16_384)] ?? first
  const to = from === first ? second : first
  const [fromId, toId] = await Promise.all(
    [from, to].map(({ client }) => client.call('cluster', 'myid').then(String)),
  )
  await to.client.call('cluster', 'setslot', `${slot}`, 'importing', `${fromId}`)
  await from.client.call('cluster', 'setslot', `${slot}`, 'migrating', `${toId}`)
  const keys = ['head', 'log', 'claims'].map(name => `fanfold:{${doc}}:${name}`)
  await from.client.call('migrate', '127.0.0.1', `${to.port}`, '', '0', '1000', 'keys', ...keys)
  // Between the two the old node says where to ask.
  const next = buildLog({ doc, count: 1, after: log.end })
  t.match(await client.append(next), { kind: 'log-appended', seq: 6 })
  for (const { client } of [to, from]) {
    await client.call('cluster', 'setslot', `${slot}`, 'node', `${toId}`)
  }
  const last = buildLog({ doc, count: 1, after: next.end })
  t.match(await client.append(last), { kind: 'log-appended', seq: 7 })
  t.equal((await makeClient(t, { address }).open(doc)).records.length, 7)
})

t.test('a node that is gone keeps its documents waiting, and no others', async t => {
  const client = makeClient(t, { address, reachWithinMs: 1_000, answerWithinMs: 100 })
  const logs = new Map<number, BuiltLog>()
  for (const doc of docs.map(doc => parseDocumentKey(`${doc}-more`))) {
    const slot = await first.client.call('cluster', 'keyslot', `fanfold:{${doc}}:log`)
    logs.set(Math.floor((Number(slot) * 3) / 16_384), buildLog({ doc, count: 2 }))
  }
  const [here, there] = [logs.get(0), logs.get(1)]
  if (here === undefined || there === undefined) throw new Error('both nodes have documents')
  for (const log of [here, there]) await write(client, log)
  await second.kill()
  const next = (log: BuiltLog) => buildLog({ doc: log.doc, count: 1, after: log.end })
  t.match(await client.append(next(here)), { kind: 'log-appended', seq: 3 })
  const answer = client.append(next(there))
  t.match(await told(client, 'log-append-waits', there.doc), { code: unreachable })
  const read = await client.read({ doc: there.doc, read: 1, after: 0 })
  t.match(read, { kind: 'log-read-refused', code: unreachable })
  await second.restart()
  t.match(await answer, { kind: 'log-appended', seq: 3 })
})
