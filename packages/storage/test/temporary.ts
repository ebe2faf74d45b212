import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogClient, sha256 } from '@fanfold/conformance'
import { parseDocumentKey } from '@fanfold/protocol'
import type { Test } from 'tap'
import { createFileLogStore, type FileLogStoreOptions } from '../src/file-log-store.ts'
import { type FileSystem, nodeFileSystem } from '../src/file-system.ts'

/** The document of most tests, and its directory below the data directory. */
export const doc = parseDocumentKey('acme/match/final')
export const docPath = 'documents/acme/match/final'

/** An empty directory that goes with its test. */
export function makeTemporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'fanfold-storage-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** The machine's files, whose reads fail while they are told to. */
export function failingFiles(): { files: FileSystem; failReads: (areFailing: boolean) => void } {
  let [areFailing, reads] = [false, 0]
  const files: FileSystem = {
    ...nodeFileSystem,
    read: async (file, target, position) => {
      if (!areFailing) return await nodeFileSystem.read(file, target, position)
      // Now and then a part comes before the error.
      if (reads++ % 2 === 0) throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
      return await nodeFileSystem.read(file, target.subarray(0, 1), position)
    },
  }
  const failReads = (now: boolean): void => {
    areFailing = now
  }
  return { files, failReads }
}

/** A store on `directory`; a fatal error fails the test unless it is expected. */
export function makeClient(
  t: Test,
  directory: string,
  options: Partial<FileLogStoreOptions> = {},
): LogClient {
  const client = new LogClient(receive =>
    createFileLogStore({
      directory,
      nodeId: 'node-1',
      sha256,
      receive,
      onFatal: error => t.fail('nothing is fatal', { error }),
      ...options,
    }),
  )
  t.teardown(() => client.store.close())
  return client
}
