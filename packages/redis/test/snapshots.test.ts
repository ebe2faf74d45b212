import {
  areSame,
  type BuiltLog,
  buildLog,
  type LogClient,
  sha256,
  write,
} from '@fanfold/conformance'
import { encodeSnapshot, type Snapshot } from '@fanfold/document'
import { RedisServer } from '@fanfold/nemesis'
import type { Position } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { doc, makeClient } from './log-rig.ts'

const server = await RedisServer.start(t)
const base = `fanfold:{${doc}}:`

const snapshotAt = (at: Position): Snapshot =>
  encodeSnapshot({ at, state: { n: at.seq }, definition: undefined, sha256 })

/** A log of stretches of ten records each. */
async function writeStretches(t: Test, count: number) {
  await server.client.flushall()
  const client = makeClient(t, server)
  const stretches: BuiltLog[] = [await write(client, buildLog({ doc, count: 10 }))]
  while (stretches.length < count) {
    const after = stretches.at(-1)?.end
    const next = buildLog({ doc, count: 10, after })
    await client.append(next)
    stretches.push(next)
  }
  const ends = stretches.map(({ end }) => end)
  return { client, ends, records: stretches.flatMap(({ records }) => records) }
}

async function keep(client: LogClient, ends: readonly Position[]): Promise<void> {
  for (const end of ends) {
    const answer = await client.keepSnapshot(doc, snapshotAt(end))
    if (answer.kind !== 'log-snapshot-kept') throw new Error(answer.message)
  }
}

t.test('the log is trimmed behind the older snapshot, which stays of use', async t => {
  const { client, ends, records } = await writeStretches(t, 4)
  await keep(client, ends.slice(0, 1))
  t.equal(await server.client.xlen(`${base}log`), 40, 'one snapshot trims nothing')
  await keep(client, ends.slice(1, 3))
  t.equal(await server.client.xlen(`${base}log`), 21, 'from seq 20 on')
  const opened = await makeClient(t, server).open(doc)
  t.equal(opened.snapshot?.manifest.at.seq, 30)
  t.ok(areSame(opened.records, records.slice(30)))
  // The newer one is torn: the older one and more records stand for it.
  await server.client.lset(`${base}snapshot:newer`, 0, 'torn')
  const older = await makeClient(t, server).open(doc)
  t.equal(older.snapshot?.manifest.at.seq, 20)
  t.ok(areSame(older.records, records.slice(20)))
  const keys = await server.client.keys('*')
  t.same(
    keys.sort(),
    ['claims', 'head', 'log', 'snapshot:newer', 'snapshot:older'].map(name => base + name),
  )
  t.equal(await server.client.ttl(`${base}snapshot:newer`), -1, 'it does not die by itself')
})

t.test('what was trimmed is not read, and is said to be so', async t => {
  const { client, ends, records } = await writeStretches(t, 3)
  await keep(client, ends.slice(0, 2))
  for (const after of [0, 5, 8]) {
    const answer = await client.read({ doc, read: after + 1, after })
    t.match(answer, {
      kind: 'log-read-refused',
      code: 'FANFOLD_LOG_TRIMMED',
      message: /from 10 on/,
    })
  }
  const batches = await client.readAll({ doc, read: 20, after: 9 })
  t.ok(areSame(batches.flat(), records.slice(9)))
})

t.test('snapshots kept in any order leave the two newest', async t => {
  const { client, ends } = await writeStretches(t, 4)
  const [first, second, third, fourth] = ends as [Position, Position, Position, Position]
  await keep(client, [second, fourth, first, third, third])
  t.same(await server.client.hmget(`${base}head`, 'newer', 'older', 'first'), [
    '1:40',
    '1:30',
    '30',
  ])
  const { snapshot, records } = await makeClient(t, server).open(doc)
  t.equal(snapshot?.manifest.at.seq, 40)
  t.equal(records.length, 0)
})

t.test('a snapshot of another history is not kept, and trims nothing', async t => {
  const { ends } = await writeStretches(t, 3)
  const client = makeClient(t, server)
  await client.open(doc)
  for (const end of [ends[0], ends[2]]) {
    if (end === undefined) throw new Error('there are three')
    const hash = end.hash.map(byte => byte ^ 1)
    const answer = await client.keepSnapshot(doc, snapshotAt({ ...end, hash }))
    t.match(answer, { kind: 'log-snapshot-refused', code: 'FANFOLD_FENCED', message: /1:30/ })
  }
  t.same((await server.client.keys('*')).length, 3, 'no upload stays')
})

t.test('a log whose snapshots are all gone and that was trimmed is not opened', async t => {
  const { client, ends } = await writeStretches(t, 3)
  await keep(client, ends.slice(0, 2))
  await server.client.del(`${base}snapshot:newer`, `${base}snapshot:older`)
  const { answer } = await makeClient(t, server).open(doc)
  t.match(answer, {
    kind: 'log-open-refused',
    code: 'FANFOLD_LOG_DAMAGED',
    message: /begins at 10 of 1:30/,
  })
})

t.test('a log that is trimmed while it is opened begins again, or is read on', async t => {
  const { client, ends, records } = await writeStretches(t, 4)
  await keep(client, ends.slice(0, 1))
  const readers = Array.from({ length: 12 }, () => makeClient(t, server).open(doc))
  await keep(client, ends.slice(1, 4))
  for (const { answer, snapshot, records: told } of await Promise.all(readers)) {
    const at = snapshot?.manifest.at.seq ?? 0
    if (answer.kind === 'log-opened') t.ok(areSame(told, records.slice(at)), `from ${at}`)
    else t.match(answer, { code: 'FANFOLD_LOG_UNREADABLE' })
  }
})

t.test('records that were changed where they are kept are damage', async t => {
  const { records } = await writeStretches(t, 1)
  const entries = await server.client.xrangeBuffer(`${base}log`, '-', '+')
  await server.client.del(`${base}log`)
  for (const [index, [id, fields]] of entries.entries()) {
    const bytes = Buffer.from(fields[1] ?? [])
    if (index === 6) bytes.writeUInt8(bytes.readUInt8(bytes.length - 2) ^ 1, bytes.length - 2)
    await server.client.xadd(`${base}log`, id.toString(), 'r', bytes)
  }
  const { answer, records: told } = await makeClient(t, server).open(doc)
  t.match(answer, { kind: 'log-open-refused', code: 'FANFOLD_LOG_DAMAGED', message: /1:7/ })
  t.ok(areSame(told, records.slice(0, told.length)), 'nothing of it was told')
})
