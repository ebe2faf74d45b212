import { appendFile, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildLog, sha256 } from '@fanfold/conformance'
import type { LogInput } from '@fanfold/document'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { createFileLogStore } from '../src/file-log-store.ts'
import { nodeFileSystem } from '../src/file-system.ts'
import { turnBytesMax } from '../src/turn-budget.ts'
import { flip, frameBytes, recover, segmentName, tearTail, writeLog } from './log-rig.ts'
import { doc, docPath, makeClient, makeTemporaryDirectory } from './temporary.ts'
import { TurnCounter } from './turn-counter.ts'

/** Four hundred opens of files that were just written need not wait for the disk. */
const withoutSync = { ...nodeFileSystem, syncData: async () => undefined }

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

/** Makes the last bytes zeros: the block was allocated and never written. */
async function zeroTail(path: string, count: number): Promise<void> {
  const bytes = await readFile(path)
  await writeFile(path, bytes.fill(0, bytes.length - count))
}

/** Writes the last bytes a second time. */
async function doubleTail(path: string, count: number): Promise<void> {
  await appendFile(path, (await readFile(path)).subarray(-count))
}
