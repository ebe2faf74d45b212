/*
 * What readings of a log do, in every log store: the part of its suite for `log-read`.
 */
import { type LogRecord, parseDocumentKey } from '@fanfold/protocol'
import type { Test } from 'tap'
import { areSame, type BuiltLog, buildLog, snapshotOf } from './build-log.ts'
import { type LogClient, write } from './log-client.ts'

const doc = parseDocumentKey('acme/match/final')
const otherDoc = parseDocumentKey('acme/match/semi')

/** Adds the tests of readings to `t`; each makes clients on an empty rig of its own. */
export function testLogReadings(t: Test, makeClients: (t: Test) => Promise<() => LogClient>): void {
  const openLog = async (t: Test, count: number, recordBytes?: number) => {
    const make = await makeClients(t)
    const client = make()
    const log = await write(client, buildLog({ doc, count, recordBytes }))
    return { make, client, log, records: log.records }
  }

  t.test('a reading gives the log in order, in batches of the bytes it was asked for', async t => {
    const { client, records } = await openLog(t, 300, 1_000)
    for (const bytesMax of [999, 1_000, 4_500, 100_000, 10_000_000]) {
      const batches = await client.readAll({ doc, read: bytesMax, after: 0, bytesMax })
      t.ok(areSame(batches.flat(), records), `${bytesMax} bytes at a time`)
      const perBatch = Math.max(1, Math.floor(bytesMax / 1_000))
      t.ok(batches.every(batch => batch.length <= perBatch))
    }
  })

  t.test('a record that is larger than a batch comes alone', async t => {
    const { client, records } = await openLog(t, 3, 500_000)
    const batches = await client.readAll({ doc, read: 1, after: 0, bytesMax: 1 })
    t.same(
      batches.map(batch => batch.length),
      [1, 1, 1],
    )
    t.ok(areSame(batches.flat(), records))
  })

  t.test('a reading begins anywhere, and at the end there is nothing', async t => {
    const { client, records } = await openLog(t, 40)
    for (const after of [0, 1, 17, 39, 40, 41, 1_000]) {
      const batches = await client.readAll({ doc, read: after + 1, after })
      t.ok(areSame(batches.flat(), records.slice(after)), `after ${after}`)
    }
  })

  t.test('a document that was never written has nothing to read', async t => {
    const client = (await makeClients(t))()
    await client.open(doc)
    t.match(await client.read({ doc, read: 1, after: 0 }), { kind: 'log-read', records: [] })
  })

  t.test('a reading that was at the end goes on when more is durable', async t => {
    const { client, log } = await openLog(t, 3)
    t.equal((await client.readAll({ doc, read: 1, after: 0 })).flat().length, 3)
    let after = log.end
    for (const epoch of [1, 1, 2, 4]) {
      const more = buildLog({ doc, count: 2, after, epoch })
      await client.append(more)
      const batches = await client.readAll({ doc, read: 1, after: after.seq })
      t.ok(areSame(batches.flat(), more.records), `epoch ${epoch}`)
      after = more.end
    }
  })

  t.test('a reading goes over epochs, and over what a deposed writer left', async t => {
    const make = await makeClients(t)
    const deposed = make()
    const first = await write(deposed, buildLog({ doc, count: 5 }))
    const heir = make()
    await heir.open(doc)
    const second = buildLog({ doc, count: 4, epoch: 3, after: first.end })
    await heir.append(second)
    await deposed.append(buildLog({ doc, count: 2, after: first.end, seed: 'late' }))
    const next = make()
    await next.open(doc)
    const third = buildLog({ doc, count: 3, epoch: 4, after: second.end })
    t.match(await next.append(third), { kind: 'log-appended' })
    const expected = [first, second, third].flatMap(({ records }) => records)
    const reader = make()
    await reader.open(doc)
    for (const client of [next, reader]) {
      for (const after of [0, 4, 5, 6, 9, 10]) {
        const batches = await client.readAll({ doc, read: after + 1, after, bytesMax: 400 })
        t.ok(areSame(batches.flat(), expected.slice(after)), `after ${after}`)
      }
    }
  })

  t.test('readings go on beside appends, and see no record before it is durable', async t => {
    const { client, log } = await openLog(t, 20)
    let { end } = log
    const expected: LogRecord[] = [...log.records]
    const seen: LogRecord[] = []
    for (let round = 0; round < 30; round++) {
      const more: BuiltLog = buildLog({ doc, count: 5, after: end })
      const isAppended = client.append(more)
      const answer = await client.read({ doc, read: 1, after: seen.length, bytesMax: 900 })
      if (answer.kind === 'log-read') seen.push(...answer.records)
      const durable = client.inputs.filter(({ kind }) => kind === 'log-appended').length
      t.ok(seen.length <= 20 + 5 * (durable - 1), `${seen.length} read, ${durable} appends`)
      await isAppended
      expected.push(...more.records)
      end = more.end
    }
    const rest = await client.readAll({ doc, read: 1, after: seen.length })
    t.ok(areSame([...seen, ...rest.flat()], expected))
  })

  t.test('many readings of several documents do not disturb each other', async t => {
    const make = await makeClients(t)
    const client = make()
    const logs = [
      await write(client, buildLog({ doc, count: 50 })),
      await write(client, buildLog({ doc: otherDoc, count: 50 })),
    ]
    const readings = Array.from({ length: 100 }, async (_, index) => {
      const log = logs[index % 2] as BuiltLog
      const request = { doc: log.doc, read: index, after: index % 7, bytesMax: 700 }
      const batches = await client.readAll(request)
      return areSame(batches.flat(), log.records.slice(index % 7))
    })
    t.ok((await Promise.all(readings)).every(isSame => isSame))
  })

  t.test('a reading may be ended at any time, also while it is asked', async t => {
    const { client, log } = await openLog(t, 50)
    await client.read({ doc, read: 1, after: 0, bytesMax: 300 })
    client.endRead(doc, 1)
    void client.read({ doc, read: 2, after: 0 }).catch(() => undefined)
    client.endRead(doc, 2)
    client.endRead(doc, 3)
    const batches = await client.readAll({ doc, read: 4, after: 0 })
    t.ok(areSame(batches.flat(), log.records))
  })

  t.test('a closed document has no readings, and one opened again is read anew', async t => {
    const { client, log } = await openLog(t, 20)
    await client.read({ doc, read: 1, after: 0, bytesMax: 300 })
    client.release(doc)
    await client.open(doc)
    const batches = await client.readAll({ doc, read: 2, after: 5 })
    t.ok(areSame(batches.flat(), log.records.slice(5)))
  })

  t.test('a snapshot does not shorten what can be read', async t => {
    const { make, client, log } = await openLog(t, 10)
    await client.keepSnapshot(doc, snapshotOf(log))
    const reader = make()
    t.equal((await reader.open(doc)).records.length, 0)
    const batches = await reader.readAll({ doc, read: 1, after: 0 })
    t.ok(areSame(batches.flat(), log.records))
  })

  t.test('nothing of a reading is answered from inside its effect', async t => {
    const { client } = await openLog(t, 2)
    const before = client.inputs.length
    const answer = client.read({ doc, read: 1, after: 0 })
    t.equal(client.inputs.length, before)
    t.match(await answer, { kind: 'log-read', doc, read: 1 })
  })
}
