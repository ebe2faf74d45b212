import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  logStoreSource,
  type OpenLogStoreRig,
  sha256,
  testLogStorePort,
  testRecordSource,
} from '@fanfold/conformance'
import type { LogStore } from '@fanfold/document'
import { parseDocumentKey } from '@fanfold/protocol'
import t from 'tap'
import { createFileLogStore, type FileLogStoreOptions } from '../src/file-log-store.ts'
import { type FileSystem, nodeFileSystem } from '../src/file-system.ts'
import { doc, failingFiles, makeClient, makeTemporaryDirectory } from './temporary.ts'

const variants: Record<string, Partial<FileLogStoreOptions>> = {
  'as it comes': {},
  'with a segment for each batch': { segmentBytesMax: 1 },
  'with one open file, one document at work': { openFilesMax: 0, documentsAtWorkMax: 1 },
}

for (const [name, options] of Object.entries(variants)) {
  t.test(`a log store on files, ${name}`, async t => {
    const openRig: OpenLogStoreRig = async () => {
      const directory = await mkdtemp(join(tmpdir(), 'fanfold-storage-'))
      const stores: LogStore[] = []
      const { files, failReads } = failingFiles()
      return {
        failReads,
        open: receive => {
          const store = createFileLogStore({
            directory,
            nodeId: 'node-1',
            sha256,
            receive,
            files,
            onFatal: error => t.fail('nothing is fatal', { error }),
            ...options,
          })
          stores.push(store)
          return store
        },
        close: async () => {
          for (const store of stores) await store.close()
          await rm(directory, { recursive: true })
        },
      }
    }
    testLogStorePort(t, openRig)
    testRecordSource(t, logStoreSource(openRig))
  })
}

t.test('closing what was refused to be opened takes nobody’s place', async t => {
  const files: FileSystem = { ...nodeFileSystem }
  let goOn = (): void => undefined
  files.list = async path => {
    await new Promise<void>(resolve => {
      goOn = resolve
    })
    return await nodeFileSystem.list(path)
  }
  const directory = makeTemporaryDirectory(t)
  const options = { files, effectsWaitingMax: 2, documentsAtWorkMax: 1 }
  const client = makeClient(t, directory, options)
  const slow = client.open(doc)
  const [other, third] = ['o', 't'].map(id => parseDocumentKey(`acme/match/${id}`))
  if (other === undefined || third === undefined) throw new Error('there are two')
  for (let attempt = 0; attempt < 10; attempt++) client.release(other)
  const opened = client.open(third)
  files.list = nodeFileSystem.list
  await undefined
  goOn()
  t.match(await slow, { answer: { kind: 'log-opened' } })
  t.match(await opened, { answer: { kind: 'log-opened' } })
})

t.test('a log in files is followed by nobody', async t => {
  const client = makeClient(t, makeTemporaryDirectory(t))
  t.match(await client.follow(doc), { kind: 'log-open-refused', code: 'FANFOLD_LOG_UNREADABLE' })
  client.release(doc)
  t.match(await client.open(doc), { answer: { kind: 'log-opened', epoch: 0 } })
})
