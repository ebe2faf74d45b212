import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  isSameDocument,
  sha256,
  testWarmStorePort,
  WarmClient,
  warmDocument,
} from '@fanfold/conformance'
import type { WarmStore } from '@fanfold/document'
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import t, { type Test } from 'tap'
import { nodeFileSystem } from '../src/file-system.ts'
import { createFileWarmStore, type FileWarmStoreOptions } from '../src/file-warm-store.ts'
import { doc, failingFiles, makeTemporaryDirectory } from './temporary.ts'
import { TurnCounter } from './turn-counter.ts'

const keyOf = (index: number): DocumentKey => parseDocumentKey(`acme/table/${index}`)

t.test('a warm store on files', async t => {
  testWarmStorePort(t, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fanfold-warm-'))
    const stores: WarmStore[] = []
    const { files, failReads } = failingFiles()
    const factory = createFileWarmStore({ directory: join(directory, 'warm'), sha256, files })
    return {
      failReads,
      open: receive => {
        const store = factory(receive)
        stores.push(store)
        return store
      },
      close: async () => {
        for (const store of stores) await store.close()
        await rm(directory, { recursive: true })
      },
    }
  })
})

/** A store, and which documents it dropped. */
function makeClient(
  t: Test,
  directory: string,
  options: Partial<FileWarmStoreOptions> = {},
): { client: WarmClient; dropped: DocumentKey[] } {
  const dropped: DocumentKey[] = []
  const client = new WarmClient(
    createFileWarmStore({ directory, sha256, onDropped: doc => dropped.push(doc), ...options }),
  )
  t.teardown(() => client.store.close())
  return { client, dropped }
}

t.test('a file cut anywhere, or with a byte changed anywhere, is dropped and counted', async t => {
  const directory = makeTemporaryDirectory(t)
  const { client, dropped } = makeClient(t, directory)
  const kept = warmDocument(doc)
  await client.keep(doc, kept)
  const [name = ''] = readdirSync(directory)
  const path = join(directory, name)
  const bytes = await readFile(path)
  const wrong: string[] = []
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Uint8Array.from(bytes)
    flipped[at] = (flipped[at] as number) ^ 1
    for (const damaged of [bytes.subarray(0, at), flipped]) {
      await writeFile(path, damaged)
      if ((await client.read(doc)) !== undefined) wrong.push(`${at} of ${damaged.length}`)
    }
  }
  await writeFile(path, Buffer.concat([bytes, new Uint8Array(1)]))
  t.equal(await client.read(doc), undefined, 'bytes behind the end')
  t.same(wrong, [])
  t.equal(dropped.length, 2 * bytes.length + 1)
  t.same(readdirSync(directory), [], 'what was dropped is removed')
  await writeFile(path, bytes)
  t.ok(isSameDocument(await client.read(doc), kept), 'the bytes as they were')
})

t.test("another document's file in its place is dropped", async t => {
  const directory = makeTemporaryDirectory(t)
  const { client, dropped } = makeClient(t, directory)
  await client.keep(keyOf(1), warmDocument(keyOf(1)))
  const [first = ''] = readdirSync(directory)
  await client.keep(keyOf(2), warmDocument(keyOf(2)))
  const second = readdirSync(directory).find(name => name !== first) ?? ''
  await rename(join(directory, first), join(directory, second))
  t.equal(await client.read(keyOf(2)), undefined)
  t.same(dropped, [keyOf(2)])
})

t.test('records that do not follow the snapshot are not believed', async t => {
  const { client, dropped } = makeClient(t, makeTemporaryDirectory(t))
  const kept = warmDocument(doc)
  await client.keep(doc, { ...kept, records: kept.records.slice(1) })
  t.equal(await client.read(doc), undefined)
  t.equal(dropped.length, 1)
})

t.test('files are bounded together, and those kept longest ago go first', async t => {
  const directory = makeTemporaryDirectory(t)
  const { client } = makeClient(t, directory, { bytesMax: 5 * 4_096 })
  for (let index = 0; index < 5; index++)
    await client.keep(keyOf(index), warmDocument(keyOf(index)))
  await client.keep(keyOf(0), warmDocument(keyOf(0)))
  await client.keep(keyOf(5), warmDocument(keyOf(5)))
  const found = []
  for (let index = 0; index < 6; index++) {
    if ((await client.read(keyOf(index))) !== undefined) found.push(index)
  }
  t.equal(readdirSync(directory).length, found.length)
  t.ok(found.length <= 5 && found.includes(5) && found.includes(0), `${found}`)
  t.notOk(found.includes(1), 'the oldest went')
})

t.test('the bound holds over a restart, in the order of the files', async t => {
  const directory = makeTemporaryDirectory(t)
  const before = makeClient(t, directory).client
  for (let index = 0; index < 5; index++)
    await before.keep(keyOf(index), warmDocument(keyOf(index)))
  await before.store.close()
  const { client } = makeClient(t, directory, { bytesMax: 3 * 4_096 })
  await client.keep(keyOf(5), warmDocument(keyOf(5)))
  t.equal(readdirSync(directory).length, 3)
  t.ok(await client.read(keyOf(4)))
  t.equal(await client.read(keyOf(2)), undefined)
})

t.test('a document that is larger than all of the room is not kept', async t => {
  const directory = makeTemporaryDirectory(t)
  const { client } = makeClient(t, directory, { bytesMax: 8_192 })
  await client.keep(keyOf(1), warmDocument(keyOf(1)))
  const large = warmDocument(doc, { recordBytes: 10_000 })
  t.equal(await client.keep(doc, large), false)
  t.ok(await client.read(keyOf(1)), 'and nobody goes for it')
})

t.test('a full disk keeps what was there, and the next time may be better', async t => {
  const directory = makeTemporaryDirectory(t)
  const files = { ...nodeFileSystem }
  const { client, dropped } = makeClient(t, directory, { files })
  const first = warmDocument(doc)
  await client.keep(doc, first)
  files.write = async (file, bytes, position) => {
    if (position > 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    return nodeFileSystem.write(file, bytes, position)
  }
  t.equal(await client.keep(doc, warmDocument(doc, { count: 30 })), false)
  t.ok(isSameDocument(await client.read(doc), first))
  t.equal(readdirSync(directory).length, 1, 'nothing half written is left')
  files.write = nodeFileSystem.write
  t.equal(await client.keep(doc, warmDocument(doc, { count: 30 })), true)
  t.same(dropped, [])
})

t.test(
  'what is no file, or larger than all of the room, is not read and holds nobody up',
  async t => {
    const directory = makeTemporaryDirectory(t)
    const large = warmDocument(doc, { recordBytes: 10_000 })
    const before = makeClient(t, directory).client
    await before.keep(doc, large)
    const [name = ''] = readdirSync(directory)
    const path = join(directory, name)
    const { client, dropped } = makeClient(t, directory, { bytesMax: 8_192 })
    t.equal(await client.read(doc), undefined, 'too large')
    execFileSync('mkfifo', [path])
    t.equal(await client.read(doc), undefined, 'a pipe')
    symlinkSync('/dev/zero', path)
    t.equal(await client.read(doc), undefined, 'a device')
    t.equal(dropped.length, 3)
    t.same(readdirSync(directory), [])
    mkdirSync(path)
    t.equal(await client.read(doc), undefined, 'a directory')
    t.ok(await client.keep(keyOf(1), warmDocument(keyOf(1))))
    t.ok(await client.read(keyOf(1)))
  },
)

t.test('what a crash left half written is removed', async t => {
  const directory = makeTemporaryDirectory(t)
  await writeFile(join(directory, 'abc.warm.0011.tmp'), 'half')
  const { client } = makeClient(t, directory)
  await client.keep(doc, warmDocument(doc))
  t.equal(readdirSync(directory).length, 1)
})

t.test('a directory that cannot be used keeps nothing and harms nobody', async t => {
  const directory = join(makeTemporaryDirectory(t), 'file')
  await writeFile(directory, '')
  const { client } = makeClient(t, directory)
  t.equal(await client.keep(doc, warmDocument(doc)), false)
  t.equal(await client.read(doc), undefined)
})

t.test('beyond the effects that may wait nothing is read or kept, and drops are done', async t => {
  const directory = makeTemporaryDirectory(t)
  const { client } = makeClient(t, directory, { effectsWaitingMax: 2 })
  await client.keep(doc, warmDocument(doc))
  const answers = Promise.all([
    client.read(keyOf(1)),
    client.keep(keyOf(1), warmDocument(keyOf(1))),
    client.keep(keyOf(2), warmDocument(keyOf(2))),
    client.read(doc),
  ])
  client.drop(doc)
  const [, first, second, read] = await answers
  t.same([first, second, read], [true, false, undefined])
  t.equal(await client.read(doc), undefined)
})

t.test('a document with many records is read and written over many turns', async t => {
  const turns = new TurnCounter()
  t.teardown(() => turns.stop())
  const { client } = makeClient(t, makeTemporaryDirectory(t), {
    sha256: (input, target, offset) => {
      turns.note(input.length)
      sha256(input, target, offset)
    },
  })
  const kept = warmDocument(doc, { count: 40_000 })
  await client.keep(doc, kept)
  const before = turns.turns
  t.ok(isSameDocument(await client.read(doc), kept))
  t.ok(turns.turns - before >= kept.records.length / 2_048, `${turns.turns - before} turns`)
  t.ok(turns.most <= 1_100_000, `${turns.most} bytes`)
})
