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
import t from 'tap'
import { createFileLogStore, type FileLogStoreOptions } from '../src/file-log-store.ts'

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
      return {
        open: receive => {
          const store = createFileLogStore({
            directory,
            nodeId: 'node-1',
            sha256,
            receive,
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
