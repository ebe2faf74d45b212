import { existsSync, mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { buildLog, LogClient, sha256 } from '@fanfold/conformance'
import type { DocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { DocumentDirectory } from '../src/document-directory.ts'
import { createFileLogStore } from '../src/file-log-store.ts'
import { nodeFileSystem } from '../src/file-system.ts'
import { doc, docPath, makeClient, makeTemporaryDirectory } from './temporary.ts'

t.test('a key that could leave the directory is refused before any file is touched', async t => {
  const keys = [
    '../../etc/passwd',
    'acme/../final',
    'acme/match/..',
    'acme/match/../../x',
    '/acme/match/final',
    'acme/match/fi\0nal',
    'acme\\match\\final/a/b',
    'acme/match',
    '',
  ]
  for (const key of keys) {
    // Past the decoders, as if one of them had a hole.
    const forged = key as DocumentKey
    t.throws(() => new DocumentDirectory(nodeFileSystem, '/data', forged), /a document key, got/)
  }
})

t.test('a document has a directory of its own below the data directory', async t => {
  t.equal(new DocumentDirectory(nodeFileSystem, '/data', doc).path, `/data/${docPath}`)
})

t.test('nothing is written before the first append', async t => {
  const directory = join(makeTemporaryDirectory(t), 'data')
  const client = makeClient(t, directory)
  await client.open(doc)
  client.release(doc)
  await client.store.close()
  t.notOk(existsSync(directory))
})

t.test('the meta file says whose directory it is and who made it', async t => {
  const directory = makeTemporaryDirectory(t)
  const client = makeClient(t, directory)
  await client.open(doc)
  await client.append(buildLog({ doc, count: 1 }))
  const meta = await readFile(join(directory, docPath, 'meta.json'), 'utf8')
  t.same(JSON.parse(meta), { format: 1, key: doc, node: 'node-1' })
})

t.test('every directory on the way is synced before the first answer', async t => {
  const synced: string[] = []
  const directory = join(makeTemporaryDirectory(t), 'data')
  const files = {
    ...nodeFileSystem,
    syncDirectory: async (path: string) => {
      synced.push(path)
      await nodeFileSystem.syncDirectory(path)
    },
  }
  const client = new LogClient(receive =>
    createFileLogStore({ directory, nodeId: 'node-1', sha256, receive, files }),
  )
  t.teardown(() => client.store.close())
  await client.open(doc)
  await client.append(buildLog({ doc, count: 1 }))
  for (const path of ['..', '.', 'documents', 'documents/acme', 'documents/acme/match', docPath]) {
    t.ok(synced.includes(join(directory, path)), path)
  }
})

t.test('a data directory that a process made and did not sync is synced by the next', async t => {
  const synced: string[] = []
  const directory = join(makeTemporaryDirectory(t), 'data')
  mkdirSync(join(directory, docPath), { recursive: true })
  const files = {
    ...nodeFileSystem,
    syncDirectory: async (path: string) => {
      synced.push(path)
      if (path === dirname(directory)) {
        throw Object.assign(new Error('EACCES: injected'), { code: 'EACCES' })
      }
      await nodeFileSystem.syncDirectory(path)
    },
  }
  const client = makeClient(t, directory, { files })
  await client.open(doc)
  t.match(await client.append(buildLog({ doc, count: 1 })), { kind: 'log-appended' })
  t.ok(synced.includes(dirname(directory)), 'where that is allowed')
})
