import { existsSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildLog, type LogClient, sha256 } from '@fanfold/conformance'
import { encodeSnapshot } from '@fanfold/document'
import t, { type Test } from 'tap'
import { type FileSystem, nodeFileSystem } from '../src/file-system.ts'
import { doc, docPath, makeClient, makeTemporaryDirectory } from './temporary.ts'

const first = buildLog({ doc, count: 3 })
const mine = buildLog({ doc, count: 2, after: first.end, seed: 'mine' })
const theirs = buildLog({ doc, count: 1, epoch: 2, after: first.end, seed: 'theirs' })

/** A writer at work, and what happens between its write and its look at the fence. */
async function begin(t: Test): Promise<{
  writer: LogClient
  directory: string
  beforeFence: (action: () => Promise<void>) => void
}> {
  const files: FileSystem = { ...nodeFileSystem }
  const directory = makeTemporaryDirectory(t)
  const writer = makeClient(t, directory, { files })
  await writer.open(doc)
  await writer.append(first)
  const beforeFence = (action: () => Promise<void>): void => {
    files.exists = async path => {
      files.exists = nodeFileSystem.exists
      await action()
      return await nodeFileSystem.exists(path)
    }
  }
  return { writer, directory, beforeFence }
}

async function seqsAndEpochs(t: Test, directory: string): Promise<string[]> {
  const { records } = await makeClient(t, directory).open(doc)
  return records.map(record => `${record.epoch}:${record.seq}`)
}

t.test('a batch that a claimer has not seen is fenced, and is not in the log', async t => {
  const { writer, directory, beforeFence } = await begin(t)
  const heir = makeClient(t, directory)
  await heir.open(doc)
  // The claim is out and its header says 3 before the writer's batch arrives at the file.
  t.equal((await heir.append(theirs)).kind, 'log-appended')
  beforeFence(async () => undefined)
  t.match(await writer.append(mine), { code: 'FANFOLD_FENCED' })
  t.same(await seqsAndEpochs(t, directory), ['1:1', '1:2', '1:3', '2:4'])
})

t.test('a batch that a later claimer has read is in the log, and is answered so', async t => {
  const { writer, directory, beforeFence } = await begin(t)
  beforeFence(async () => {
    const heir = makeClient(t, directory)
    t.equal((await heir.open(doc)).records.length, 5)
    const next = buildLog({ doc, count: 1, epoch: 2, after: mine.end })
    t.equal((await heir.append(next)).kind, 'log-appended')
  })
  t.match(await writer.append(mine), { kind: 'log-appended', seq: 5 })
  const more = buildLog({ doc, count: 1, after: mine.end })
  t.match(await writer.append(more), { code: 'FANFOLD_FENCED' })
  t.same(await seqsAndEpochs(t, directory), ['1:1', '1:2', '1:3', '1:4', '1:5', '2:6'])
})

t.test('a batch found behind a claim without header is made void before it is refused', async t => {
  const { writer, directory, beforeFence } = await begin(t)
  const claimer = makeClient(t, directory)
  await claimer.open(doc)
  beforeFence(async () => {
    // A claimer died, or stalls, between the creation of its segment and the header.
    writeFileSync(join(directory, docPath, '0000000002-000000.log'), '', { flag: 'wx' })
  })
  t.match(await writer.append(mine), { code: 'FANFOLD_FENCED' })
  t.ok(existsSync(join(directory, docPath, '0000000003-000000.log')))
  t.same(await seqsAndEpochs(t, directory), ['1:1', '1:2', '1:3'])
  const heir = makeClient(t, directory)
  t.match((await heir.open(doc)).answer, { epoch: 3 })
  const next = buildLog({ doc, count: 1, epoch: 4, after: first.end })
  t.match(await heir.append(next), { kind: 'log-appended', seq: 4 })
  t.same(await seqsAndEpochs(t, directory), ['1:1', '1:2', '1:3', '4:4'])
})

t.test('a claimer that stalls before its header loses to the claims made meanwhile', async t => {
  const { writer, directory } = await begin(t)
  const files: FileSystem = { ...nodeFileSystem }
  const slow = makeClient(t, directory, { files })
  await slow.open(doc)
  const events: unknown[] = []
  files.write = async (file, bytes, position) => {
    files.write = nodeFileSystem.write
    // Its segment is there, its header is not: the old writer settles, another heir goes on.
    events.push(await writer.append(mine))
    const heir = makeClient(t, directory)
    const { answer } = await heir.open(doc)
    const epoch = answer.kind === 'log-opened' ? answer.epoch + 1 : 0
    events.push(await heir.append(buildLog({ doc, count: 1, epoch, after: first.end })))
    return await nodeFileSystem.write(file, bytes, position)
  }
  t.match(await slow.append(theirs), { code: 'FANFOLD_FENCED' })
  t.match(events, [{ code: 'FANFOLD_FENCED' }, { kind: 'log-appended', seq: 4 }])
  t.same(await seqsAndEpochs(t, directory), ['1:1', '1:2', '1:3', '4:4'])
})

t.test(
  'a claim that finds a record written meanwhile is refused, also behind its creation',
  async t => {
    const { writer, directory } = await begin(t)
    const files: FileSystem = { ...nodeFileSystem }
    const heir = makeClient(t, directory, { files })
    await heir.open(doc)
    files.open = async (path, mode) => {
      // The last moment: the writer does not see the new segment yet, the claimer's first look is over.
      if (mode === 'create') await writer.append(mine)
      return await nodeFileSystem.open(path, mode)
    }
    t.match(await heir.append(theirs), { code: 'FANFOLD_FENCED' })
    t.same(await seqsAndEpochs(t, directory), ['1:1', '1:2', '1:3', '1:4', '1:5'])
  },
)

t.test('a claim that skips epochs leaves no gap that a writer could look into in vain', async t => {
  const { directory } = await begin(t)
  const heir = makeClient(t, directory)
  await heir.open(doc)
  await heir.append(buildLog({ doc, count: 1, epoch: 9, after: first.end }))
  t.ok(existsSync(join(directory, docPath, '0000000002-000000.log')))
  t.ok(existsSync(join(directory, docPath, '0000000009-000000.log')))
})

t.test('a claim closes the gaps that it makes before it looks for the last time', async t => {
  const { writer, directory } = await begin(t)
  const files: FileSystem = { ...nodeFileSystem }
  const heir = makeClient(t, directory, { files })
  await heir.open(doc)
  files.open = async (path, mode) => {
    // The segment of epoch 9 is there, and not yet the one that the writer looks for.
    if (mode === 'create' && path.endsWith('0000000002-000000.log')) {
      t.match(await writer.append(mine), { kind: 'log-appended', seq: 5 })
    }
    return await nodeFileSystem.open(path, mode)
  }
  const claim = buildLog({ doc, count: 1, epoch: 9, after: first.end })
  t.match(await heir.append(claim), { code: 'FANFOLD_FENCED' })
  t.same(await seqsAndEpochs(t, directory), ['1:1', '1:2', '1:3', '1:4', '1:5'])
})

t.test('a claim that was under way when the log was opened is seen when it is out', async t => {
  const { directory } = await begin(t)
  const files: FileSystem = { ...nodeFileSystem }
  const slow = makeClient(t, directory, { files })
  await slow.open(doc)
  const late = makeClient(t, directory)
  files.write = async (file, bytes, position) => {
    files.write = nodeFileSystem.write
    t.match((await late.open(doc)).answer, { kind: 'log-opened', epoch: 2 })
    return await nodeFileSystem.write(file, bytes, position)
  }
  t.match(await slow.append(theirs), { kind: 'log-appended', seq: 4 })
  const claim = buildLog({ doc, count: 1, epoch: 3, after: first.end })
  t.match(await late.append(claim), { code: 'FANFOLD_FENCED' })
  t.same(await seqsAndEpochs(t, directory), ['1:1', '1:2', '1:3', '2:4'])
})

t.test('a claim that continues from a record which was cut meanwhile is refused', async t => {
  const { directory } = await begin(t)
  const heir = makeClient(t, directory)
  await heir.open(doc)
  const path = join(directory, docPath, '0000000001-000000.log')
  truncateSync(path, statSync(path).size - 5)
  t.match(await heir.append(theirs), { code: 'FANFOLD_FENCED' })
})

t.test('what a crash left half written is gone after the next claim', async t => {
  const { directory } = await begin(t)
  const left = join(directory, docPath, '0000000001-0000000000000003.snapshot.0123.tmp')
  writeFileSync(left, 'half a snapshot')
  const heir = makeClient(t, directory)
  await heir.open(doc)
  await heir.append(theirs)
  t.notOk(existsSync(left))
})

t.test('a snapshot that a claim finds half written is refused, and nothing is fatal', async t => {
  const files: FileSystem = { ...nodeFileSystem }
  const directory = makeTemporaryDirectory(t)
  const writer = makeClient(t, directory, { files })
  await writer.open(doc)
  await writer.append(first)
  files.rename = async (from, to) => {
    const heir = makeClient(t, directory)
    await heir.open(doc)
    await heir.append(theirs)
    await nodeFileSystem.rename(from, to)
  }
  const snapshot = encodeSnapshot({ at: first.end, state: { n: 3 }, definition: undefined, sha256 })
  t.match(await writer.keepSnapshot(doc, snapshot), {
    kind: 'log-snapshot-refused',
    code: 'FANFOLD_FENCED',
  })
  t.match(await writer.append(mine), { code: 'FANFOLD_FENCED' })
})

for (const failing of ['the look behind it', 'a segment of an epoch between']) {
  t.test(`a claim that finds no room for ${failing} is taken up again`, async t => {
    const { directory } = await begin(t)
    const files: FileSystem = { ...nodeFileSystem }
    const heir = makeClient(t, directory, { files })
    await heir.open(doc)
    const claim = buildLog({ doc, count: 1, epoch: 4, after: first.end })
    let creations = 0
    files.open = async (path, mode) => {
      if (mode === 'create') creations++
      if (creations === 2 && mode === (failing === 'the look behind it' ? 'read' : 'create')) {
        throw Object.assign(new Error('EMFILE: injected'), { code: 'EMFILE' })
      }
      return await nodeFileSystem.open(path, mode)
    }
    t.match(await heir.append(claim), { code: 'FANFOLD_LOG_FULL' })
    files.open = nodeFileSystem.open
    t.match(await heir.append(claim), { kind: 'log-appended', seq: 4 })
    t.same(await seqsAndEpochs(t, directory), ['1:1', '1:2', '1:3', '4:4'])
  })
}

for (const failing of ['sync', 'write']) {
  t.test(
    `what another node goes on from is in the log, also when a failed ${failing} is undone`,
    async t => {
      const files: FileSystem = { ...nodeFileSystem }
      const errors: unknown[] = []
      const second = { ...buildLog({ doc, count: 3, after: first.end }), doc, epoch: 1 }
      const directory = makeTemporaryDirectory(t)
      const onFatal = (error: unknown): number => errors.push(error)
      const writer = makeClient(t, directory, { files, onFatal })
      await writer.open(doc)
      await writer.append(first)
      const heir = makeClient(t, directory)
      let seen = first.end
      const open = async (): Promise<void> => {
        const last = (await heir.open(doc)).records.at(-1)
        if (last !== undefined) seen = { epoch: 1, seq: last.seq, hash: last.chainHash }
      }
      if (failing === 'sync') {
        files.syncData = async () => {
          files.syncData = nodeFileSystem.syncData
          await open()
          throw Object.assign(new Error('injected'), { code: 'EIO' })
        }
      } else {
        let writes = 0
        files.write = async (file, bytes, position) => {
          if (writes++ === 0) {
            return await nodeFileSystem.write(file, bytes.subarray(0, bytes.length - 10), position)
          }
          files.write = nodeFileSystem.write
          await open()
          throw Object.assign(new Error('injected'), { code: 'ENOSPC' })
        }
      }
      let answer: unknown
      const goOn = async (): Promise<void> => {
        const next = buildLog({ doc, count: 1, epoch: 2, after: seen })
        answer ??= (await heir.append(next)).kind
      }
      files.truncate = async (file, length) => {
        await goOn()
        await nodeFileSystem.truncate(file, length)
      }
      writer.store.perform({ kind: 'log-append', ...second })
      await writer.store.close()
      await goOn()
      t.equal(errors.length, 1)
      t.equal(answer, 'log-appended')
      const seqs = Array.from({ length: seen.seq + 1 }, (_, index) => index + 1)
      const { records } = await makeClient(t, directory).open(doc)
      t.same(
        records.map(({ seq }) => seq),
        seqs,
      )
    },
  )
}
