import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogClient, sha256 } from '@fanfold/conformance'
import { parseDocumentKey } from '@fanfold/protocol'
import type { Test } from 'tap'
import { createFileLogStore, type FileLogStoreOptions } from '../src/file-log-store.ts'

/** The document of most tests, and its directory below the data directory. */
export const doc = parseDocumentKey('acme/match/final')
export const docPath = 'documents/acme/match/final'

/** An empty directory that goes with its test. */
export function makeTemporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'fanfold-storage-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
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
