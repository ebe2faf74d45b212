/*
 * What every log store does, whatever it is made of: files, a simulated disk, a server of streams.
 * Each test gets an empty rig; each store that the rig opens is a node of its own, and all stores of
 * one rig share what is durable.
 */
import { encodeSnapshot, type LogStoreFactory } from '@fanfold/document'
import { type DocumentKey, type LogRecord, limits, parseDocumentKey } from '@fanfold/protocol'
import type { Test } from 'tap'
import { areSame, buildLog, sha256, snapshotOf } from './build-log.ts'
import { LogClient, write } from './log-client.ts'
import { testLogReadings } from './log-readings.ts'

/** One place where logs are durable. */
export type LogStoreRig = {
  /** A store on it. It may be given up without being closed: that is a crash. */
  readonly open: LogStoreFactory
  /** Lets virtual time pass, where the stores live in it. */
  readonly advance?: (() => void) | undefined
  /** From now on the disk fails each read of a record, or none any more. */
  readonly failReads: (areFailing: boolean) => void
  /** Ends everything. */
  close(): Promise<void>
}

/** Makes an empty rig. */
export type OpenLogStoreRig = () => Promise<LogStoreRig>

const doc = parseDocumentKey('acme/match/final')

/** Adds the tests of the LogStore port to `t`, for one adapter. */
export function testLogStorePort(t: Test, openRig: OpenLogStoreRig): void {
  /** Makes clients on one rig, which ends with the test. */
  const makeClients = async (t: Test): Promise<() => LogClient> => {
    const rig = await openRig()
    t.teardown(() => rig.close())
    return () => new LogClient(rig.open, rig.advance)
  }

  t.test('a document that was never written opens empty, at epoch 0', async t => {
    const client = (await makeClients(t))()
    const opened = await client.open(doc)
    t.same(opened.answer, { kind: 'log-opened', doc, epoch: 0 })
    t.equal(opened.records.length, 0)
    t.equal(opened.snapshot, undefined)
  })

  t.test('what was appended comes back byte for byte, to another node too', async t => {
    const make = await makeClients(t)
    const log = buildLog({ doc, count: 10 })
    const writer = make()
    await writer.open(doc)
    t.same(await writer.append(log), { kind: 'log-appended', doc, seq: 10 })
    const opened = await make().open(doc)
    t.ok(areSame(opened.records, log.records))
    t.same(opened.answer, { kind: 'log-opened', doc, epoch: 1 })
  })

  t.test('appends follow each other in order', async t => {
    const make = await makeClients(t)
    const writer = make()
    await writer.open(doc)
    const first = buildLog({ doc, count: 3 })
    const second = buildLog({ doc, count: 2, after: first.end })
    const third = buildLog({ doc, count: 1, after: second.end })
    for (const log of [first, second, third]) {
      t.equal((await writer.append(log)).kind, 'log-appended')
    }
    const opened = await make().open(doc)
    t.ok(areSame(opened.records, [...first.records, ...second.records, ...third.records]))
  })

  t.test(
    'an append that does not follow the last record is fenced and changes nothing',
    async t => {
      const make = await makeClients(t)
      const writer = make()
      await writer.open(doc)
      const first = buildLog({ doc, count: 3 })
      await writer.append(first)
      const gap = buildLog({ doc, count: 1, after: { ...first.end, seq: 4 } })
      const other = buildLog({ doc, count: 3, seed: 'other' })
      const astray = buildLog({ doc, count: 1, after: other.end })
      for (const log of [gap, astray, first]) {
        t.match(await writer.append(log), { kind: 'log-append-refused', code: 'FANFOLD_FENCED' })
      }
      const next = buildLog({ doc, count: 1, after: first.end })
      t.match(await writer.append(next), { kind: 'log-appended', seq: 4 })
      t.ok(areSame((await make().open(doc)).records, [...first.records, ...next.records]))
    },
  )

  t.test('a higher epoch claims the log and goes on from its end', async t => {
    const make = await makeClients(t)
    const first = await write(make(), buildLog({ doc, count: 3 }))
    const heir = make()
    t.match(await heir.open(doc), { answer: { epoch: 1 } })
    const second = buildLog({ doc, count: 2, epoch: 2, after: first.end })
    t.match(await heir.append(second), { kind: 'log-appended', seq: 5 })
    const opened = await make().open(doc)
    t.equal(opened.answer.kind === 'log-opened' && opened.answer.epoch, 2)
    t.ok(areSame(opened.records, [...first.records, ...second.records]))
  })

  t.test('one node may claim several epochs in turn', async t => {
    const make = await makeClients(t)
    const writer = make()
    await writer.open(doc)
    const first = buildLog({ doc, count: 2 })
    const second = buildLog({ doc, count: 2, epoch: 5, after: first.end })
    const third = buildLog({ doc, count: 2, epoch: 6, after: second.end })
    for (const log of [first, second, third]) {
      t.equal((await writer.append(log)).kind, 'log-appended')
    }
    t.equal((await make().open(doc)).records.length, 6)
  })

  t.test('an older epoch is fenced', async t => {
    const make = await makeClients(t)
    const first = await write(make(), buildLog({ doc, count: 3, epoch: 4 }))
    const late = make()
    await late.open(doc)
    const older = buildLog({ doc, count: 1, epoch: 3, after: first.end })
    t.match(await late.append(older), { kind: 'log-append-refused', code: 'FANFOLD_FENCED' })
  })

  t.test('an epoch belongs to the node that claimed it', async t => {
    const make = await makeClients(t)
    const first = await write(make(), buildLog({ doc, count: 3 }))
    const other = make()
    await other.open(doc)
    const same = buildLog({ doc, count: 1, after: first.end })
    t.match(await other.append(same), { kind: 'log-append-refused', code: 'FANFOLD_FENCED' })
  })

  for (const epoch of [2, 7]) {
    t.test(`a writer is deposed by a claim of ${epoch - 1} more, and stays so`, async t => {
      const make = await makeClients(t)
      const deposed = make()
      const first = await write(deposed, buildLog({ doc, count: 3 }))
      const heir = make()
      await heir.open(doc)
      const second = buildLog({ doc, count: 2, epoch, after: first.end })
      await heir.append(second)
      const late = buildLog({ doc, count: 2, after: first.end, seed: 'late' })
      for (const log of [late, late]) {
        t.match(await deposed.append(log), { kind: 'log-append-refused', code: 'FANFOLD_FENCED' })
      }
      const third = buildLog({ doc, count: 1, epoch, after: second.end })
      t.match(await heir.append(third), { kind: 'log-appended', seq: 6 })
      const opened = await make().open(doc)
      const records = [...first.records, ...second.records, ...third.records]
      t.ok(areSame(opened.records, records), 'nothing of the deposed one is in the log')
    })
  }

  t.test('a claim by a node that has not seen the newest record is fenced', async t => {
    const make = await makeClients(t)
    const writer = make()
    const first = await write(writer, buildLog({ doc, count: 3 }))
    const late = make()
    await late.open(doc)
    const second = buildLog({ doc, count: 1, after: first.end })
    await writer.append(second)
    const claim = buildLog({ doc, count: 1, epoch: 2, after: first.end })
    t.match(await late.append(claim), { kind: 'log-append-refused', code: 'FANFOLD_FENCED' })
    late.release(doc)
    const { answer, records } = await late.open(doc)
    t.ok(areSame(records, [...first.records, ...second.records]))
    const epoch = (answer.kind === 'log-opened' ? answer.epoch : 0) + 1
    const again = buildLog({ doc, count: 1, epoch, after: second.end })
    t.match(await late.append(again), { kind: 'log-appended', seq: 5 })
  })

  t.test('of several that claim one epoch at once, exactly one wins', async t => {
    const make = await makeClients(t)
    const first = await write(make(), buildLog({ doc, count: 3 }))
    const claims = ['a', 'b', 'c', 'd'].map(seed => ({
      client: make(),
      log: buildLog({ doc, count: 1, epoch: 2, after: first.end, seed }),
    }))
    for (const { client } of claims) await client.open(doc)
    const answers = await Promise.all(claims.map(({ client, log }) => client.append(log)))
    const winners = claims.filter((_, index) => answers[index]?.kind === 'log-appended')
    const fenced = answers.filter(answer => 'code' in answer && answer.code === 'FANFOLD_FENCED')
    t.equal(winners.length, 1)
    t.equal(fenced.length, claims.length - 1)
    const records = winners.flatMap(({ log }) => log.records)
    t.ok(areSame((await make().open(doc)).records, [...first.records, ...records]))
  })

  t.test('a snapshot is where the next open starts, and the records after it follow', async t => {
    const make = await makeClients(t)
    const writer = make()
    const first = await write(writer, buildLog({ doc, count: 5 }))
    const snapshot = snapshotOf(first)
    t.same(await writer.keepSnapshot(doc, snapshot), { kind: 'log-snapshot-kept', doc, seq: 5 })
    t.equal((await make().open(doc)).records.length, 0, 'none after it yet')
    const second = buildLog({ doc, count: 2, after: first.end })
    await writer.append(second)
    const opened = await make().open(doc)
    t.same(opened.snapshot?.manifest, snapshot.manifest)
    t.same(opened.snapshot?.pieces.map(toText), snapshot.pieces.map(toText))
    t.ok(areSame(opened.records, second.records))
  })

  t.test('of several snapshots the newest is used, across epochs too', async t => {
    const make = await makeClients(t)
    const writer = make()
    await writer.open(doc)
    let log = buildLog({ doc, count: 2 })
    for (const epoch of [1, 2, 2, 3]) {
      await writer.append(log)
      t.match(await writer.keepSnapshot(doc, snapshotOf(log)), { kind: 'log-snapshot-kept' })
      log = buildLog({ doc, count: 2, epoch, after: log.end })
    }
    const opened = await make().open(doc)
    t.equal(opened.snapshot?.manifest.at.seq, 8)
    t.equal(opened.records.length, 0)
  })

  t.test('a snapshot may be behind the log, and large', async t => {
    const make = await makeClients(t)
    const writer = make()
    const first = await write(writer, buildLog({ doc, count: 2 }))
    const second = buildLog({ doc, count: 3, after: first.end })
    await writer.append(second)
    const rows = Array.from({ length: 6_000 }, (_, index) => [`row-${index}`, 'x'.repeat(200)])
    const state = Object.fromEntries(rows)
    const snapshot = encodeSnapshot({
      at: first.end,
      state,
      definition: undefined,
      extra: { ids: ['c1-17'] },
      sha256,
    })
    await writer.keepSnapshot(doc, snapshot)
    const opened = await make().open(doc)
    t.ok(snapshot.pieces.length > 16)
    t.same(opened.snapshot?.pieces.map(toText), snapshot.pieces.map(toText))
    t.ok(areSame(opened.records, second.records))
  })

  t.test('a document that was closed opens again, and its writer goes on in its epoch', async t => {
    const make = await makeClients(t)
    const client = make()
    const first = await write(client, buildLog({ doc, count: 2 }))
    client.release(doc)
    const opened = await client.open(doc)
    t.ok(areSame(opened.records, first.records))
    const second = buildLog({ doc, count: 2, after: first.end })
    t.match(await client.append(second), { kind: 'log-appended', seq: 4 })
  })

  t.test('many documents at once do not mix', async t => {
    const make = await makeClients(t)
    const client = make()
    const docs = Array.from({ length: 60 }, (_, index) => parseDocumentKey(`acme/table/${index}`))
    const logs = await Promise.all(docs.map(doc => writeTwice(client, doc)))
    const reader = make()
    const opened = await Promise.all(docs.map(doc => reader.open(doc)))
    t.ok(opened.every(({ records }, index) => areSame(records, logs[index] ?? [])))
  })

  t.test('records of the largest size come back, many in a batch', async t => {
    const make = await makeClients(t)
    const recordBytes = limits.recordBytesMax.value
    const log = await write(make(), buildLog({ doc, count: 4, recordBytes }))
    const opened = await make().open(doc)
    t.equal(log.records[0]?.bytes.length, recordBytes)
    t.ok(areSame(opened.records, log.records))
  })

  t.test('a long log comes in batches of at most 1 MiB', async t => {
    const make = await makeClients(t)
    const log = await write(make(), buildLog({ doc, count: 3_000, recordBytes: 1_000 }))
    const reader = make()
    const opened = await reader.open(doc)
    t.ok(areSame(opened.records, log.records))
    for (const input of reader.inputs) {
      if (input.kind !== 'log-records') continue
      const bytes = input.records.reduce((sum, record) => sum + record.bytes.length, 0)
      t.ok(bytes <= 1_048_576 && input.records.length > 0, `${bytes} bytes`)
    }
  })

  t.test('nothing is answered from inside an effect', async t => {
    const client = (await makeClients(t))()
    const log = buildLog({ doc, count: 2 })
    const isSilent = (start: () => Promise<unknown>): Promise<unknown> => {
      const before = client.inputs.length
      const answer = start()
      t.equal(client.inputs.length, before)
      return answer
    }
    await isSilent(() => client.open(doc))
    await isSilent(() => client.append(log))
    await isSilent(() => client.append(log))
    await isSilent(() => client.keepSnapshot(doc, snapshotOf(log)))
  })

  t.test('close waits for what was begun', async t => {
    const make = await makeClients(t)
    const client = make()
    await client.open(doc)
    const { epoch, after, records, end } = buildLog({ doc, count: 2 })
    client.store.perform({ kind: 'log-append', doc, epoch, after, records })
    await client.store.close()
    t.same(client.inputs.at(-1), { kind: 'log-appended', doc, seq: end.seq })
  })

  t.test('a log that the disk does not let be read is refused, and whole when it does', async t => {
    const rig = await openRig()
    t.teardown(() => rig.close())
    const make = () => new LogClient(rig.open, rig.advance)
    const log = await write(make(), buildLog({ doc, count: 40 }))
    const reader = make()
    rig.failReads(true)
    for (let attempt = 0; attempt < 3; attempt++) {
      const { answer, records } = await reader.open(doc)
      t.match(answer, { kind: 'log-open-refused', code: 'FANFOLD_LOG_UNREADABLE' })
      t.ok(areSame(records, log.records.slice(0, records.length)), 'what was told is of the log')
    }
    rig.failReads(false)
    const opened = await reader.open(doc)
    t.ok(areSame(opened.records, log.records))
    const next = buildLog({ doc, count: 2, epoch: 2, after: log.end })
    t.match(await reader.append(next), { kind: 'log-appended', seq: 42 }, 'and it goes on')
  })

  t.test('a snapshot that the disk does not let be read is there later', async t => {
    const rig = await openRig()
    t.teardown(() => rig.close())
    const make = () => new LogClient(rig.open, rig.advance)
    const writer = make()
    const log = await write(writer, buildLog({ doc, count: 10 }))
    await writer.keepSnapshot(doc, snapshotOf(log))
    rig.failReads(true)
    const reader = make()
    t.match(await reader.open(doc), { answer: { code: 'FANFOLD_LOG_UNREADABLE' } })
    rig.failReads(false)
    const { snapshot, records } = await reader.open(doc)
    t.equal(snapshot?.manifest.at.seq, 10)
    t.same(records, [])
  })

  t.test('a reading that fails is over, another begins there, and appends go on', async t => {
    const rig = await openRig()
    t.teardown(() => rig.close())
    const client = new LogClient(rig.open, rig.advance)
    const log = await write(client, buildLog({ doc, count: 40 }))
    t.match(await client.read({ doc, read: 1, after: 0, bytesMax: 1 }), { kind: 'log-read' })
    rig.failReads(true)
    const refused = { kind: 'log-read-refused', code: 'FANFOLD_LOG_UNREADABLE' }
    t.match(await client.read({ doc, read: 2, after: 20 }), { read: 2, ...refused })
    const next = buildLog({ doc, count: 2, after: log.end })
    t.match(await client.append(next), { kind: 'log-appended', seq: 42 })
    rig.failReads(false)
    const batches = await client.readAll({ doc, read: 3, after: 20 })
    t.ok(areSame(batches.flat(), [...log.records, ...next.records].slice(20)))
  })

  testLogReadings(t, makeClients)
}

async function writeTwice(client: LogClient, doc: DocumentKey): Promise<LogRecord[]> {
  const first = await write(client, buildLog({ doc, count: 3 }))
  const second = buildLog({ doc, count: 2, after: first.end })
  await client.append(second)
  return [...first.records, ...second.records]
}

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
