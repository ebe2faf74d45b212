import { readdirSync, renameSync } from 'node:fs'
import { appendFile, cp, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuiltLog, buildLog, type LogClient, sha256 } from '@fanfold/conformance'
import { encodeSnapshot, type LogInput } from '@fanfold/document'
import { limits, parseDocumentKey } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { createFileLogStore } from '../src/file-log-store.ts'
import { nodeFileSystem } from '../src/file-system.ts'
import { turnBytesMax } from '../src/turn-budget.ts'
import { doc, docPath, makeClient, makeTemporaryDirectory } from './temporary.ts'
import { TurnCounter } from './turn-counter.ts'

/** Four hundred opens of files that were just written need not wait for the disk. */
const withoutSync = { ...nodeFileSystem, syncData: async () => undefined }

const segmentName = '0000000001-000000.log'

/** Bytes that a record takes in its segment. */
const frameBytes = (log: BuiltLog, index: number): number =>
  8 + (log.records.at(index)?.bytes.length ?? 0)

/** A log on disk that nobody has open. */
async function writeLog(t: Test, log: BuiltLog): Promise<{ directory: string; path: string }> {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await client.open(log.doc)
  await client.append(log)
  await client.store.close()
  return { directory, path: join(directory, docPath, segmentName) }
}

/** What the next node finds, then what the one after it finds when that has gone on. */
async function recover(
  t: Test,
  directory: string,
): Promise<{ seqs: number[]; later: number[]; answer: string }> {
  const client = makeClient(t, directory)
  const { records, answer } = await client.open(doc)
  const seqs = records.map(record => record.seq)
  if (answer.kind === 'log-open-refused') {
    return { seqs, later: [], answer: `${answer.code} ${answer.message}` }
  }
  const last = records.at(-1)
  const after =
    last === undefined
      ? undefined
      : { epoch: last.epoch, seq: last.seq, hash: last.chainHash.slice() }
  await client.append(buildLog({ doc, count: 1, epoch: answer.epoch + 1, after, seed: 'heir' }))
  await client.store.close()
  const reopened = await makeClient(t, directory).open(doc)
  return { seqs, later: reopened.records.map(record => record.seq), answer: reopened.answer.kind }
}

t.test('a log cut at any byte of its last two records loses only what was cut', async t => {
  const log = buildLog({ doc, count: 6 })
  const { path } = await writeLog(t, log)
  const bytes = await readFile(path)
  const last = frameBytes(log, -1)
  const both = last + frameBytes(log, -2)
  const wrong: string[] = []
  const directory = makeTemporaryDirectory(t)
  const folder = join(directory, docPath)
  for (let cut = 0; cut <= both; cut++) {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, segmentName), bytes.subarray(0, bytes.length - cut))
    const kept = cut === 0 ? 6 : cut <= last ? 5 : 4
    const client = makeClient(t, directory, { files: withoutSync })
    const opened = await client.open(doc)
    const end = opened.records.at(-1)
    if (end?.seq !== kept || opened.answer.kind !== 'log-opened') wrong.push(`${cut}: ${end?.seq}`)
    await client.store.close()
    await rm(folder, { recursive: true })
  }
  t.same(wrong, [])
})

t.test('reads that come in parts are completed', async t => {
  const log = buildLog({ doc, count: 6 })
  const { directory } = await writeLog(t, log)
  const files = { ...nodeFileSystem }
  files.read = (file, target, position) =>
    nodeFileSystem.read(file, target.subarray(0, Math.min(7, target.length)), position)
  const client = makeClient(t, directory, { files })
  t.match(await client.open(doc), { answer: { kind: 'log-opened', epoch: 1 } })
  const claim = buildLog({ doc, count: 1, epoch: 2, after: log.end })
  t.match(await client.append(claim), { kind: 'log-appended', seq: 7 })
  const batches = await client.readAll({ doc, read: 1, after: 0 })
  t.equal(batches.flat().length, 7)
})

t.test('what is being written while it is read is no damage', async t => {
  const log = buildLog({ doc, count: 6 })
  const { directory, path } = await writeLog(t, log)
  const bytes = await readFile(path)
  // Nothing, a part of the header, a part of the third record: and by the next read, everything.
  for (const length of [0, 50, bytes.length - 3 * frameBytes(log, -1) - 30]) {
    await truncate(path, length)
    const files = { ...nodeFileSystem }
    files.read = async (file, target, position) => {
      const count = await nodeFileSystem.read(file, target, position)
      if (count > 0 || position === length) await writeFile(path, bytes)
      return count
    }
    const client = makeClient(t, directory, { files })
    const { answer, records } = await client.open(doc)
    t.match(answer, { kind: 'log-opened', epoch: 1 }, `${length} bytes`)
    t.equal(records.length, 6)
    await client.store.close()
  }
})

t.test(
  'a log whose sync fails when it is opened is written again, and the process ends',
  async t => {
    const log = buildLog({ doc, count: 6 })
    const { directory, path } = await writeLog(t, log)
    await tearTail(path, 30)
    const before = await readFile(path)
    const files = { ...nodeFileSystem }
    const written: number[] = []
    let syncs = 0
    files.syncData = async file => {
      if (syncs++ < 2) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
      await nodeFileSystem.syncData(file)
    }
    files.write = async (file, bytes, position) => {
      written.push(position, bytes.length)
      return await nodeFileSystem.write(file, bytes, position)
    }
    const fatal = new Promise(resolve => {
      const client = makeClient(t, directory, { files, onFatal: resolve })
      client.store.perform({ kind: 'log-open', doc })
    })
    t.match(await fatal, { code: 'FANFOLD_DISK_FAILED' })
    const good = before.length - (frameBytes(log, -1) - 30)
    t.same(written, [0, good, 0, good], 'until a sync of it succeeds')
    t.equal(syncs, 3)
    t.same(await readFile(path), before)
  },
)

t.test('a torn log goes on behind its last good record', async t => {
  const log = buildLog({ doc, count: 6 })
  const { directory, path } = await writeLog(t, log)
  await tearTail(path, 30)
  const before = await readFile(path)
  const found = await recover(t, directory)
  t.same(found, { seqs: [1, 2, 3, 4, 5], later: [1, 2, 3, 4, 5, 6], answer: 'log-opened' })
  t.same(await readFile(path), before, 'the torn segment is left as it is')
})

t.test('a tail of zeros ends the log', async t => {
  const log = buildLog({ doc, count: 6 })
  for (const count of [1, 40, frameBytes(log, -1), frameBytes(log, -1) + 20]) {
    const { directory, path } = await writeLog(t, log)
    await zeroTail(path, count)
    const kept = count <= frameBytes(log, -1) ? 5 : 4
    const { seqs, later } = await recover(t, directory)
    t.same([seqs.length, later.length], [kept, kept + 1], `${count} bytes`)
  }
})

t.test('blocks that were allocated behind the log and never written end it', async t => {
  const { directory, path } = await writeLog(t, buildLog({ doc, count: 6 }))
  await appendFile(path, new Uint8Array(20_000))
  const { seqs, later } = await recover(t, directory)
  t.same([seqs.length, later.length], [6, 7])
})

t.test('a tail that is there twice counts once', async t => {
  const log = buildLog({ doc, count: 6 })
  const last = frameBytes(log, -1)
  for (const count of [last, last + frameBytes(log, -2), 25, last + 25]) {
    const { directory, path } = await writeLog(t, log)
    await doubleTail(path, count)
    const { seqs, later } = await recover(t, directory)
    t.same([seqs, later.length], [[1, 2, 3, 4, 5, 6], 7], `${count} bytes`)
  }
})

t.test('a flipped bit in the last record ends the log before it', async t => {
  const log = buildLog({ doc, count: 6 })
  const { directory, path } = await writeLog(t, log)
  await flip(path, -20)
  t.same((await recover(t, directory)).seqs, [1, 2, 3, 4, 5])
})

t.test('a flipped bit with good records behind it refuses the log and changes nothing', async t => {
  const log = buildLog({ doc, count: 6 })
  const start = -6 * frameBytes(log, -1)
  for (const offset of [start + 1, start + 5, start + 40, start + 120, -frameBytes(log, -1) - 3]) {
    const { directory, path } = await writeLog(t, log)
    await flip(path, offset)
    const before = await readFile(path)
    const { answer } = await recover(t, directory)
    t.match(answer, /^FANFOLD_LOG_DAMAGED .*0000000001-000000\.log: .* at byte \d+.*restore/)
    t.same(await readFile(path), before)
  }
})

t.test('a good record is found far behind a bad one, with and without a trace', async t => {
  const recordBytes = limits.recordBytesMax.value
  for (const isTraced of [false, true]) {
    const log = buildLog({ doc, count: 12, recordBytes, isTraced })
    const { directory, path } = await writeLog(t, log)
    // Everything from inside the second record to the last one is gone.
    const bytes = await readFile(path)
    bytes.fill(0, 8 + recordBytes + 500, bytes.length - frameBytes(log, -1))
    await writeFile(path, bytes)
    const { answer } = await recover(t, directory)
    const at = bytes.length - frameBytes(log, -1)
    t.match(answer, new RegExp(`^FANFOLD_LOG_DAMAGED .*good record at byte ${at}`))
  }
})

t.test('a header that is not whole, with records behind it, refuses the log', async t => {
  const { directory, path } = await writeLog(t, buildLog({ doc, count: 6 }))
  await flip(path, 40)
  t.match((await recover(t, directory)).answer, /^FANFOLD_LOG_DAMAGED .*no header/)
})

t.test('a bad record in a segment that others continue refuses the log', async t => {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory, { segmentBytesMax: 1 })
  await client.open(doc)
  let log = buildLog({ doc, count: 2 })
  for (let round = 0; round < 3; round++) {
    await client.append(log)
    log = buildLog({ doc, count: 2, after: log.end })
  }
  await client.store.close()
  await flip(join(directory, docPath, '0000000001-000001.log'), -5)
  const { answer } = await recover(t, directory)
  t.match(answer, /^FANFOLD_LOG_DAMAGED .*0000000001-000001\.log: .*the log goes on to 1:4/)
})

t.test('a segment in the middle that is gone refuses the log', async t => {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await client.open(doc)
  const first = buildLog({ doc, count: 2 })
  const second = buildLog({ doc, count: 2, epoch: 2, after: first.end })
  const third = buildLog({ doc, count: 2, epoch: 3, after: second.end })
  for (const log of [first, second, third]) await client.append(log)
  await client.store.close()
  await rm(join(directory, docPath, '0000000002-000000.log'))
  t.match(
    (await recover(t, directory)).answer,
    /^FANFOLD_LOG_DAMAGED .*2:4, which no segment holds/,
  )
})

t.test("another document's log in the place of this one is refused", async t => {
  const other = parseDocumentKey('acme/match/other')
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await client.open(other)
  await client.append(buildLog({ doc: other, count: 2 }))
  await client.store.close()
  const folder = join(directory, docPath)
  await cp(join(directory, 'documents/acme/match/other'), folder, { recursive: true })
  t.match((await recover(t, directory)).answer, /meta\.json: the directory of acme\/match\/other/)
  await rm(join(folder, 'meta.json'))
  t.match((await recover(t, directory)).answer, /DAMAGED .*the log of acme\/match\/other/)
  t.match((await makeClient(t, directory).open(other)).answer, { kind: 'log-opened' })
})

t.test('a segment under another name is refused', async t => {
  const { directory, path } = await writeLog(t, buildLog({ doc, count: 2 }))
  renameSync(path, join(directory, docPath, '0000000002-000000.log'))
  t.match((await recover(t, directory)).answer, /DAMAGED .*the segment of epoch 1, part 0/)
})

t.test(
  'a claim that died before its header was out counts as an epoch without records',
  async t => {
    const { directory } = await writeLog(t, buildLog({ doc, count: 3 }))
    for (const bytes of [0, 20]) {
      await writeFile(join(directory, docPath, '0000000002-000000.log'), new Uint8Array(bytes))
      const client = makeClient(t, directory)
      const { records, answer } = await client.open(doc)
      t.match(answer, { kind: 'log-opened', epoch: 2 })
      t.equal(records.length, 3)
    }
    t.same((await recover(t, directory)).later, [1, 2, 3, 4])
  },
)

t.test('a header without records is a log that goes on there', async t => {
  const log = buildLog({ doc, count: 3 })
  const { directory, path } = await writeLog(t, log)
  await tearTail(path, 3 * frameBytes(log, -1) - 2)
  t.same(await recover(t, directory), { seqs: [], later: [1], answer: 'log-opened' })
})

t.test('a first segment torn in its header is an empty log', async t => {
  const { directory, path } = await writeLog(t, buildLog({ doc, count: 1 }))
  await truncate(path, 50)
  t.same(await recover(t, directory), { seqs: [], later: [1], answer: 'log-opened' })
})

t.test('a snapshot that does not verify is set aside, and the one before it used', async t => {
  for (const offset of [3, 12, 60, -5]) {
    const { client, directory, seqs } = await writeSnapshots(t)
    await client.store.close()
    await flip(join(directory, docPath, snapshotName(6)), offset)
    const opened = await makeClient(t, directory).open(doc)
    t.equal(opened.snapshot?.manifest.at.seq, 4)
    t.same(seqs(opened.records), [5, 6])
    t.same(snapshotNames(directory), [snapshotName(4), `${snapshotName(6)}.bad`])
  }
})

t.test('snapshots that another node removes meanwhile are not missed', async t => {
  const log = buildLog({ doc, count: 6 })
  const { directory } = await writeLog(t, log)
  const keep = async (n: number, client: LogClient) =>
    client.keepSnapshot(
      doc,
      encodeSnapshot({
        at: { epoch: 1, seq: n, hash: log.records[n - 1]?.chainHash ?? new Uint8Array(0) },
        state: { n },
        definition: undefined,
        sha256,
      }),
    )
  const files = { ...nodeFileSystem }
  const client = makeClient(t, directory, { files })
  await client.open(doc)
  for (const n of [2, 3]) t.match(await keep(n, client), { kind: 'log-snapshot-kept' })
  files.remove = async path => {
    await nodeFileSystem.remove(path)
    await nodeFileSystem.remove(path)
  }
  t.match(await keep(4, client), { kind: 'log-snapshot-kept', seq: 4 })
  const folder = join(directory, docPath)
  files.list = async path => {
    const names = await nodeFileSystem.list(path)
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.snapshot')) await rm(join(folder, name))
    }
    return names
  }
  client.release(doc)
  const { answer, snapshot, records } = await client.open(doc)
  t.match(answer, { kind: 'log-opened', epoch: 1 })
  t.equal(snapshot, undefined)
  t.equal(records.length, 6)
})

t.test('without any good snapshot the whole log is read', async t => {
  const { client, directory, seqs } = await writeSnapshots(t)
  await client.store.close()
  for (const seq of [4, 6]) await truncate(join(directory, docPath, snapshotName(seq)), 100)
  const opened = await makeClient(t, directory).open(doc)
  t.equal(opened.snapshot, undefined)
  t.same(seqs(opened.records), [1, 2, 3, 4, 5, 6])
})

t.test('a snapshot newer than the log is set aside', async t => {
  const { client, directory, seqs } = await writeSnapshots(t)
  await client.store.close()
  await tearTail(join(directory, docPath, segmentName), 10)
  const opened = await makeClient(t, directory).open(doc)
  t.equal(opened.snapshot?.manifest.at.seq, 4)
  t.same(seqs(opened.records), [5])
  t.ok(snapshotNames(directory).includes(`${snapshotName(6)}.bad`))
})

t.test('a snapshot of another history is set aside', async t => {
  const { client, directory, seqs } = await writeSnapshots(t)
  const other = buildLog({ doc, count: 5, seed: 'other' })
  await client.keepSnapshot(
    doc,
    encodeSnapshot({ at: other.end, state: { n: 5 }, definition: undefined, sha256 }),
  )
  await client.store.close()
  await rm(join(directory, docPath, snapshotName(6)))
  const opened = await makeClient(t, directory).open(doc)
  t.equal(opened.snapshot, undefined)
  t.same(seqs(opened.records), [1, 2, 3, 4, 5, 6])
  t.same(snapshotNames(directory), [`${snapshotName(5)}.bad`])
})

t.test('snapshots without a log refuse the document: it is not empty, it is lost', async t => {
  const { client, directory } = await writeSnapshots(t)
  await client.store.close()
  await rm(join(directory, docPath, segmentName))
  t.match((await recover(t, directory)).answer, /^FANFOLD_LOG_DAMAGED .*which has been lost/)
  t.same(snapshotNames(directory), [snapshotName(4), snapshotName(6)])
})

t.test('segments before the newest snapshot are not read', async t => {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory, { segmentBytesMax: 1 })
  await client.open(doc)
  const first = buildLog({ doc, count: 2 })
  const second = buildLog({ doc, count: 2, after: first.end })
  const third = buildLog({ doc, count: 2, after: second.end })
  for (const log of [first, second, third]) await client.append(log)
  await client.keepSnapshot(
    doc,
    encodeSnapshot({ at: second.end, state: {}, definition: undefined, sha256 }),
  )
  await client.store.close()
  await rm(join(directory, docPath, segmentName))
  const opened = await makeClient(t, directory).open(doc)
  t.equal(opened.snapshot?.manifest.at.seq, 4)
  t.equal(opened.records.length, 2)
})

/** Six records, with snapshots kept at 2, 4 and 6: the two newest stay. */
async function writeSnapshots(t: Test): Promise<{
  client: LogClient
  directory: string
  seqs: (records: readonly { readonly seq: number }[]) => number[]
}> {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await client.open(doc)
  let log = buildLog({ doc, count: 2 })
  for (const seq of [2, 4, 6]) {
    await client.append(log)
    await client.keepSnapshot(
      doc,
      encodeSnapshot({ at: log.end, state: { n: seq }, definition: undefined, sha256 }),
    )
    log = buildLog({ doc, count: 2, after: log.end })
  }
  t.same(snapshotNames(directory), [snapshotName(4), snapshotName(6)], 'the two newest are kept')
  return { client, directory, seqs: records => records.map(record => record.seq) }
}

const snapshotName = (seq: number): string => `0000000001-${String(seq).padStart(16, '0')}.snapshot`

const snapshotNames = (directory: string): string[] =>
  readdirSync(join(directory, docPath))
    .filter(name => name.includes('snapshot'))
    .sort()

/** Turns one bit around; a negative offset counts from the end. */
async function flip(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path)
  const at = offset < 0 ? bytes.length + offset : offset
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at)
  await writeFile(path, bytes)
}

/** Loses the last bytes. */
async function tearTail(path: string, count: number): Promise<void> {
  await truncate(path, (await readFile(path)).length - count)
}

/** Makes the last bytes zeros: the block was allocated and never written. */
async function zeroTail(path: string, count: number): Promise<void> {
  const bytes = await readFile(path)
  await writeFile(path, bytes.fill(0, bytes.length - count))
}

/** Writes the last bytes a second time. */
async function doubleTail(path: string, count: number): Promise<void> {
  await appendFile(path, (await readFile(path)).subarray(-count))
}

t.test(
  'one turn checks and tells so much of all logs together, and each is told whole',
  async t => {
    const keys = [1, 2, 3, 4].map(index => parseDocumentKey(`acme/table/${index}`))
    const directory = makeTemporaryDirectory(t)
    const before = makeClient(t, directory)
    for (const [index, key] of keys.entries()) {
      await before.open(key)
      await before.append(buildLog({ doc: key, count: 2_000, recordBytes: 200 * (index + 1) }))
    }
    await before.store.close()
    const told = new TurnCounter()
    t.teardown(() => told.stop())
    const counts = new Map<string, number>()
    await new Promise<void>(resolve => {
      let open = 0
      const receive = (input: LogInput): void => {
        if (input.kind === 'log-opened' && ++open === keys.length) resolve()
        if (input.kind !== 'log-records') return
        counts.set(input.doc, (counts.get(input.doc) ?? 0) + input.records.length)
        for (const { bytes } of input.records) told.note(bytes.length)
      }
      const store = createFileLogStore({ directory, nodeId: 'node-1', sha256, receive })
      t.teardown(() => store.close())
      for (const key of keys) store.perform({ kind: 'log-open', doc: key })
    })
    t.same(
      keys.map(key => counts.get(key)),
      keys.map(() => 2_000),
    )
    // Of the turn's own, and what was left of the one before.
    t.ok(told.most <= 2 * turnBytesMax, `${told.most} bytes in a turn`)
  },
)
