import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type BuiltLog, buildLog, type LogClient, sha256 } from '@fanfold/conformance'
import { encodeSnapshot } from '@fanfold/document'
import t, { type Test } from 'tap'
import type { FileLogStoreOptions } from '../src/file-log-store.ts'
import { type FileSystem, nodeFileSystem } from '../src/file-system.ts'
import { doc, docPath, makeClient, makeTemporaryDirectory } from './temporary.ts'

const first = buildLog({ doc, count: 3 })
const second = buildLog({ doc, count: 3, after: first.end })
const segmentOf = (directory: string): string => join(directory, docPath, '0000000001-000000.log')

/** The error of a system call. */
const systemError = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })

/** A file system some of whose calls a test replaces, also while it is in use. */
function makeFiles(): FileSystem {
  return { ...nodeFileSystem }
}

/** A store whose document is open and holds `first`. */
async function begin(
  t: Test,
  options: Partial<FileLogStoreOptions>,
): Promise<{ client: LogClient; directory: string }> {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory, options)
  await client.open(doc)
  t.equal((await client.append(first)).kind, 'log-appended')
  return { client, directory }
}

/** The seqs that another node finds. */
async function seqsIn(t: Test, directory: string): Promise<number[]> {
  return (await makeClient(t, directory).open(doc)).records.map(record => record.seq)
}

/** Performs an append whose answer never comes. */
function appendInVain(client: LogClient, { epoch, after, records }: BuiltLog): void {
  client.store.perform({ kind: 'log-append', doc, epoch, after, records })
}

t.test('writes that the system takes in parts are completed', async t => {
  const files = makeFiles()
  files.write = (file, bytes, position) =>
    nodeFileSystem.write(file, bytes.subarray(0, Math.min(7, bytes.length)), position)
  const { client, directory } = await begin(t, { files })
  await client.append(second)
  t.same(await seqsIn(t, directory), [1, 2, 3, 4, 5, 6])
})

for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) {
  t.test(`${code} in the middle of a batch leaves nothing of it, and passes`, async t => {
    const files = makeFiles()
    const { client, directory } = await begin(t, { files })
    const length = statSync(segmentOf(directory)).size
    let writes = 0
    files.write = async (file, bytes, position) => {
      if (writes++ > 0) throw systemError(code)
      // Far enough for two whole records of the batch.
      return await nodeFileSystem.write(file, bytes.subarray(0, bytes.length - 10), position)
    }
    t.match(await client.append(second), { kind: 'log-append-refused', code: 'FANFOLD_LOG_FULL' })
    t.equal(statSync(segmentOf(directory)).size, length)
    files.write = nodeFileSystem.write
    t.match(await client.append(second), { kind: 'log-appended', seq: 6 })
    t.same(await seqsIn(t, directory), [1, 2, 3, 4, 5, 6])
  })
}

t.test('no room at the very first record is no room, and passes', async t => {
  const files = makeFiles()
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory, { files })
  await client.open(doc)
  const calls = ['makeDirectory', 'open', 'write', 'truncate'] as const
  for (const call of calls) {
    files[call] = async () => {
      throw systemError('ENOSPC')
    }
    if (call === 'truncate') {
      files.write = async () => {
        throw systemError('ENOSPC')
      }
    }
    t.match(await client.append(first), { kind: 'log-append-refused', code: 'FANFOLD_LOG_FULL' })
    Object.assign(files, nodeFileSystem)
  }
  t.match(await client.append(first), { kind: 'log-appended', seq: 3 })
  t.same(await seqsIn(t, directory), [1, 2, 3])
})

t.test('no room for the header of a claimed epoch is no room, and passes', async t => {
  const files = makeFiles()
  const { client, directory } = await begin(t, { files })
  const claim = buildLog({ doc, count: 1, epoch: 2, after: first.end })
  files.write = async (file, bytes, position) => {
    await nodeFileSystem.write(file, bytes.subarray(0, 60), position)
    throw systemError('ENOSPC')
  }
  t.match(await client.append(claim), { code: 'FANFOLD_LOG_FULL' })
  files.write = nodeFileSystem.write
  t.match(await client.append(claim), { kind: 'log-appended', seq: 4 })
  t.same(await seqsIn(t, directory), [1, 2, 3, 4])
})

t.test(
  'a tail that could not be cut is not cut any more once a later epoch may count it',
  async t => {
    const files = makeFiles()
    const { client, directory } = await begin(t, { files })
    let writes = 0
    files.write = async (file, bytes, position) => {
      if (writes++ > 0) throw systemError('ENOSPC')
      return await nodeFileSystem.write(file, bytes.subarray(0, 100), position)
    }
    files.truncate = async () => {
      throw systemError('ENOSPC')
    }
    t.match(await client.append(second), { code: 'FANFOLD_LOG_FULL' })
    Object.assign(files, nodeFileSystem)
    const heir = makeClient(t, directory)
    const found = (await heir.open(doc)).records.at(-1)
    const after = { epoch: 1, seq: found?.seq ?? 0, hash: found?.chainHash ?? new Uint8Array() }
    await heir.append(buildLog({ doc, count: 1, epoch: 2, after }))
    t.match(await client.append(second), { code: 'FANFOLD_FENCED' })
    t.same(await seqsIn(t, directory), [1, 2, 3, 4])
  },
)

t.test('whole records of a batch that can be neither completed nor cut are fatal', async t => {
  const files = makeFiles()
  const errors: unknown[] = []
  const { client, directory } = await begin(t, { files, onFatal: error => errors.push(error) })
  const answers = client.inputs.length
  let writes = 0
  files.write = async (file, bytes, position) => {
    if (writes++ > 0) throw systemError('ENOSPC')
    return await nodeFileSystem.write(file, bytes.subarray(0, bytes.length - 10), position)
  }
  files.truncate = async () => {
    throw systemError('ENOSPC')
  }
  appendInVain(client, second)
  await client.store.close()
  t.match(errors, [{ code: 'FANFOLD_DISK_FAILED' }])
  t.equal(client.inputs.length, answers, 'a refusal would not be true')
  t.same(await seqsIn(t, directory), [1, 2, 3, 4, 5])
})

t.test('a tail that could not be cut is cut before the next append', async t => {
  const files = makeFiles()
  const { client, directory } = await begin(t, { files })
  const length = statSync(segmentOf(directory)).size
  let writes = 0
  files.write = async (file, bytes, position) => {
    if (writes++ > 0) throw systemError('ENOSPC')
    return await nodeFileSystem.write(file, bytes.subarray(0, 100), position)
  }
  files.truncate = async () => {
    throw systemError('ENOSPC')
  }
  t.match(await client.append(second), { code: 'FANFOLD_LOG_FULL' })
  t.ok(statSync(segmentOf(directory)).size > length, 'the tail is there')
  Object.assign(files, nodeFileSystem)
  const shorter = buildLog({ doc, count: 1, after: first.end })
  t.match(await client.append(shorter), { kind: 'log-appended', seq: 4 })
  t.same(await seqsIn(t, directory), [1, 2, 3, 4])
})

const fatal: Record<string, Partial<FileSystem>> = {
  'a failed sync': {
    syncData: async () => {
      throw systemError('EIO')
    },
  },
  'a failed sync for want of room': {
    syncData: async () => {
      throw systemError('ENOSPC')
    },
  },
  'a failed write': {
    write: async () => {
      throw systemError('EIO')
    },
  },
}

for (const [name, calls] of Object.entries(fatal)) {
  t.test(`${name} is fatal once, and nothing is answered`, async t => {
    const files = makeFiles()
    const errors: unknown[] = []
    const { client } = await begin(t, { files, onFatal: error => errors.push(error) })
    const answers = client.inputs.length
    Object.assign(files, calls)
    appendInVain(client, second)
    await client.store.close()
    t.match(errors, [{ code: 'FANFOLD_DISK_FAILED' }])
    t.equal(client.inputs.length, answers)
  })
}

for (const way of ['is cut', 'is zeros where it cannot be cut']) {
  t.test(`a batch whose sync has failed ${way} for the next process`, async t => {
    const files = makeFiles()
    const errors: unknown[] = []
    const { client, directory } = await begin(t, { files, onFatal: error => errors.push(error) })
    files.syncData = async () => {
      throw systemError('EIO')
    }
    if (way !== 'is cut') {
      files.truncate = async () => {
        throw systemError('ENOSPC')
      }
    }
    appendInVain(client, second)
    await client.store.close()
    t.equal(errors.length, 1)
    t.same(await seqsIn(t, directory), [1, 2, 3], 'it would take the batch for durable')
  })
}

t.test('after a fatal error nothing is begun', async t => {
  const files = makeFiles()
  const errors: unknown[] = []
  const { client, directory } = await begin(t, { files, onFatal: error => errors.push(error) })
  files.syncData = async () => {
    throw systemError('EIO')
  }
  const failed = new Promise<void>(resolve => {
    files.close = async file => {
      await nodeFileSystem.close(file)
      resolve()
    }
  })
  appendInVain(client, second)
  // A snapshot behind it waits for its turn, which never comes.
  client.store.perform({
    kind: 'log-keep-snapshot',
    doc,
    snapshot: encodeSnapshot({ at: first.end, state: {}, definition: undefined, sha256 }),
  })
  await client.store.close()
  await failed
  t.equal(errors.length, 1)
  t.notOk(readdirSync(join(directory, docPath)).some(name => name.includes('snapshot')))
})

t.test('what `receive` throws is fatal', async t => {
  const errors: unknown[] = []
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory, {
    onFatal: error => errors.push(error),
    receive: () => {
      throw new Error('a bug behind the port')
    },
  })
  client.store.perform({ kind: 'log-open', doc })
  await client.store.close()
  t.match(errors, [{ message: 'a bug behind the port' }])
})

t.test('a snapshot for which there is no room is refused and leaves nothing', async t => {
  const files = makeFiles()
  const { client, directory } = await begin(t, { files })
  files.write = async (file, bytes, position) => {
    await nodeFileSystem.write(file, bytes.subarray(0, 20), position)
    throw systemError('ENOSPC')
  }
  const snapshot = encodeSnapshot({ at: first.end, state: { n: 3 }, definition: undefined, sha256 })
  t.match(await client.keepSnapshot(doc, snapshot), {
    kind: 'log-snapshot-refused',
    code: 'FANFOLD_LOG_FULL',
  })
  Object.assign(files, nodeFileSystem)
  t.same(readdirSync(join(directory, docPath)).sort(), ['0000000001-000000.log', 'meta.json'])
  t.match(await client.keepSnapshot(doc, snapshot), { kind: 'log-snapshot-kept' })
})

t.test('a segment that is full is followed by the next of its epoch', async t => {
  const { client, directory } = await begin(t, { segmentBytesMax: 400 })
  let log = second
  for (let round = 0; round < 3; round++) {
    t.equal((await client.append(log)).kind, 'log-appended')
    log = buildLog({ doc, count: 3, after: log.end })
  }
  t.ok(existsSync(join(directory, docPath, '0000000001-000003.log')))
  t.same((await seqsIn(t, directory)).at(-1), 12)
})

t.test('no room for the next segment is no room, and passes', async t => {
  const files = makeFiles()
  const { client, directory } = await begin(t, { files, segmentBytesMax: 1 })
  for (const call of ['open', 'write'] as const) {
    files[call] = async () => {
      throw systemError('ENOSPC')
    }
    t.match(await client.append(second), { code: 'FANFOLD_LOG_FULL' })
    Object.assign(files, nodeFileSystem)
  }
  t.match(await client.append(second), { kind: 'log-appended' })
  t.same(await seqsIn(t, directory), [1, 2, 3, 4, 5, 6])
})

t.test('too many effects that wait are refused, whatever they are', async t => {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory, { effectsWaitingMax: 0 })
  t.match(await client.open(doc), { answer: { code: 'FANFOLD_LOG_FULL' } })
  t.match(await client.append(first), { code: 'FANFOLD_LOG_FULL' })
})

t.test('a second append before the first is answered is a bug of the caller', async t => {
  const { client } = await begin(t, {})
  appendInVain(client, second)
  t.throws(() => appendInVain(client, second), /one append of acme\/match\/final is in flight/)
  t.throws(() => client.release(doc), /no append of acme\/match\/final is in flight/)
})

t.test('files that are idle are closed beyond the limit, and opened again when needed', async t => {
  const files = makeFiles()
  let open = 0
  files.open = async (path, mode) => {
    const file = await nodeFileSystem.open(path, mode)
    open++
    return file
  }
  files.close = async file => {
    open--
    await nodeFileSystem.close(file)
  }
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory, { files, openFilesMax: 3 })
  const logs = Array.from({ length: 8 }, (_, index) =>
    buildLog({ doc: `acme/table/${index}` as typeof doc, count: 1 }),
  )
  for (const log of logs) {
    await client.open(log.doc)
    await client.append(log)
  }
  for (const log of logs) {
    const next = buildLog({ doc: log.doc, count: 1, after: log.end })
    t.equal((await client.append(next)).kind, 'log-appended')
  }
  // The last answer comes just before its document's file counts as idle.
  await client.open('acme/table/none' as typeof doc)
  t.ok(open <= 4, `${open} are open`)
  for (const log of logs) client.release(log.doc)
  await client.store.close()
  t.equal(open, 0)
})
