import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildLog, type LogClient, sha256 } from '@fanfold/conformance'
import type { LogInput } from '@fanfold/document'
import { parseDocumentKey } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { createFileLogStore } from '../src/file-log-store.ts'
import { type FileSystem, nodeFileSystem } from '../src/file-system.ts'
import { nextTurn } from '../src/next-turn.ts'
import { doc, docPath, makeClient, makeTemporaryDirectory } from './temporary.ts'

const segmentName = '0000000001-000000.log'

/** Files whose opens for reading are counted. */
function countingFiles(): FileSystem & { readonly readers: Set<number> } {
  const readers = new Set<number>()
  return {
    ...nodeFileSystem,
    readers,
    open: async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode)
      if (mode === 'read' && path.endsWith('.log')) readers.add(file)
      return file
    },
    close: async file => {
      readers.delete(file)
      await nodeFileSystem.close(file)
    },
  }
}

async function openWith(t: Test, client: LogClient, count = 100, key = doc): Promise<void> {
  await client.open(key)
  const answer = await client.append(buildLog({ doc: key, count, recordBytes: 1_000 }))
  t.equal(answer.kind, 'log-appended')
}

t.test('damage in the middle ends the reading that comes to it, and nothing else', async t => {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await openWith(t, client, 1_000)
  const path = join(directory, docPath, segmentName)
  const bytes = await readFile(path)
  const file = await open(path, 'r+')
  await file.write(Uint8Array.of((bytes[700_000] as number) ^ 1), 0, 1, 700_000)
  await file.close()
  let after = 0
  let answer: LogInput = await client.read({ doc, read: 1, after, bytesMax: 100_000 })
  while (answer.kind === 'log-read') {
    after = answer.records.at(-1)?.seq ?? after
    answer = await client.read({ doc, read: 1, after, bytesMax: 100_000 })
  }
  t.match(answer, { kind: 'log-read-refused', code: 'FANFOLD_LOG_DAMAGED', message: /byte \d+/ })
  t.ok(after > 300 && after < 700, `read up to ${after}`)
  const next = buildLog({
    doc,
    count: 1,
    after: buildLog({ doc, count: 1_000, recordBytes: 1_000 }).end,
  })
  t.equal((await client.append(next)).kind, 'log-appended', 'the document is written on')
  const behind = await client.read({ doc, read: 2, after: 0, bytesMax: 10_000 })
  t.equal(behind.kind, 'log-read', 'what is before it is read')
})

t.test('a segment that is gone is damage, told to the reading', async t => {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await openWith(t, client)
  await writeFile(join(directory, docPath, segmentName), '')
  const answer = await client.read({ doc, read: 1, after: 0 })
  t.match(answer, { kind: 'log-read-refused', code: 'FANFOLD_LOG_DAMAGED' })
})

t.test('readings hold so many files and no more, and go on where they were', async t => {
  const files = countingFiles()
  const client = makeClient(t, makeTemporaryDirectory(t), { files, readingsOpenMax: 3 })
  await openWith(t, client)
  for (let read = 1; read <= 10; read++) {
    await client.read({ doc, read, after: 0, bytesMax: 5_000 })
    t.ok(files.readers.size <= 4, `${files.readers.size} files`)
  }
  for (let read = 1; read <= 10; read++) {
    const batches = await client.readAll({ doc, read, after: 5, bytesMax: 5_000 })
    t.equal(batches.flat().length, 95)
    client.endRead(doc, read)
  }
  await client.store.close()
  t.equal(files.readers.size, 0)
})

t.test('a reading that nobody asks lets go of its file, and goes on where it was', async t => {
  const files = countingFiles()
  const client = makeClient(t, makeTemporaryDirectory(t), { files, readingIdleMaxMs: 0 })
  await openWith(t, client)
  let isClosed: () => void = () => undefined
  const closed = new Promise<void>(resolve => {
    isClosed = resolve
  })
  const { close } = files
  files.close = async file => {
    await close(file)
    isClosed()
  }
  await client.read({ doc, read: 1, after: 0, bytesMax: 5_000 })
  // The idle timer does not keep a process alive.
  const alive = setInterval(() => undefined, 1_000)
  await closed
  clearInterval(alive)
  const batches = await client.readAll({ doc, read: 1, after: 5 })
  t.equal(batches.flat().length, 95)
})

t.test('what was read over its end and then refused is not taken for what came later', async t => {
  const files: FileSystem = { ...nodeFileSystem }
  const client = makeClient(t, makeTemporaryDirectory(t), { files })
  const first = buildLog({ doc, count: 3 })
  await client.open(doc)
  await client.append(first)
  files.write = async (file, bytes, position) => {
    await nodeFileSystem.write(file, bytes, position)
    // The batch is in the file, and not durable yet: a reading looks at it.
    await client.readAll({ doc, read: 1, after: 0 })
    throw Object.assign(new Error('full'), { code: 'ENOSPC' })
  }
  const refused = buildLog({ doc, count: 3, after: first.end, seed: 'refused' })
  t.match(await client.append(refused), { code: 'FANFOLD_LOG_FULL' })
  files.write = nodeFileSystem.write
  const second = buildLog({ doc, count: 3, after: first.end })
  await client.append(second)
  const batches = await client.readAll({ doc, read: 1, after: 3 })
  t.same(
    batches.flat().map(({ chainHash }) => Buffer.from(chainHash).toString('hex')),
    second.records.map(({ chainHash }) => Buffer.from(chainHash).toString('hex')),
  )
})

t.test('beyond the effects that may wait a reading is refused and may ask again', async t => {
  const directory = makeTemporaryDirectory(t)
  await openWith(t, makeClient(t, directory))
  const client = makeClient(t, directory, { effectsWaitingMax: 1 })
  await client.open(doc)
  const first = client.read({ doc, read: 1, after: 0 })
  t.match(await client.read({ doc, read: 2, after: 0 }), {
    kind: 'log-read-refused',
    code: 'FANFOLD_LOG_FULL',
  })
  t.match(await first, { kind: 'log-read' })
  t.match(await client.read({ doc, read: 2, after: 0 }), { kind: 'log-read' })
})

t.test('close answers readings that were asked for', async t => {
  const client = makeClient(t, makeTemporaryDirectory(t))
  await openWith(t, client)
  const asked = [1, 2, 3, 4].map(read => client.read({ doc, read, after: 0 }))
  await client.store.close()
  for (const answer of await Promise.all(asked)) t.equal(answer.kind, 'log-read')
})

t.test('a document that is not open cannot be read', async t => {
  const store = createFileLogStore({
    directory: makeTemporaryDirectory(t),
    nodeId: 'node-1',
    sha256,
    receive: () => undefined,
  })
  t.teardown(() => store.close())
  const request = { kind: 'log-read', doc, after: 0, bytesMax: 1_000 } as const
  t.throws(() => store.perform({ ...request, read: 1 as never }), { name: 'AssertionError' })
})

t.test('a batch costs its own bytes and not those before it', async t => {
  const directory = makeTemporaryDirectory(t)
  let bytesRead = 0
  const files: FileSystem = {
    ...nodeFileSystem,
    read: async (file, target, position) => {
      const count = await nodeFileSystem.read(file, target, position)
      bytesRead += count
      return count
    },
  }
  const client = makeClient(t, directory, { files, segmentBytesMax: 200_000 })
  const key = parseDocumentKey('acme/match/long')
  await client.open(key)
  let { end: after } = buildLog({ doc: key, count: 1 })
  await client.append(buildLog({ doc: key, count: 1 }))
  for (let count = 0; count < 20; count++) {
    const log = buildLog({ doc: key, count: 100, after, recordBytes: 1_000 })
    await client.append(log)
    after = log.end
  }
  bytesRead = 0
  const batches = await client.readAll({ doc: key, read: 1, after: 0, bytesMax: 20_000 })
  t.equal(batches.flat().length, 2_001)
  t.ok(bytesRead < 2 * 2_000_000, `${bytesRead} bytes for 2 MB of records`)
})

t.test('a reading of its own may be asked for any place', async t => {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await openWith(t, client)
  for (const after of [50, 10, 99, 0, 60]) {
    const answer = await client.read({ doc, read: 1, after, bytesMax: 1 })
    t.match(answer, { records: [{ seq: after + 1 }] })
  }
})

t.test('close waits for the files of readings that have ended', async t => {
  const files: FileSystem = { ...nodeFileSystem }
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory, { files })
  await client.open(doc)
  await client.append(buildLog({ doc, count: 3 }))
  let open = 0
  files.open = async (path, mode) => {
    open++
    return await nodeFileSystem.open(path, mode)
  }
  files.close = async file => {
    for (let turn = 0; turn < 5; turn++) await nextTurn()
    await nodeFileSystem.close(file)
    open--
  }
  await client.read({ doc, read: 1, after: 0 })
  t.ok(open > 0)
  client.endRead(doc, 1)
  // The file that is appended to was opened before.
  await client.store.close()
  t.equal(open, -1)
})

t.test('a file that cannot be closed keeps no other one open, and is fatal', async t => {
  const files: FileSystem = { ...nodeFileSystem }
  const directory = makeTemporaryDirectory(t)
  const errors: unknown[] = []
  const client = makeClient(t, directory, { files, onFatal: error => errors.push(error) })
  const docs = [doc, parseDocumentKey('acme/match/other')]
  for (const [index, doc] of docs.entries()) {
    await client.open(doc)
    await client.append(buildLog({ doc, count: 3 }))
    await client.read({ doc, read: index, after: 0 })
  }
  let closed = 0
  files.close = async file => {
    await nodeFileSystem.close(file)
    closed++
    throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
  }
  await client.store.close()
  t.equal(closed, 4)
  t.match(errors, [{ code: 'EIO' }])
})
