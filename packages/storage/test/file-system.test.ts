import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testFileSystemPort } from '@fanfold/conformance'
import t from 'tap'
import { nodeFileSystem } from '../src/file-system.ts'

t.test('the file system of the machine', async t => {
  testFileSystemPort(t, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fanfold-files-'))
    return {
      files: nodeFileSystem,
      directory,
      close: () => rm(directory, { recursive: true }),
    }
  })
})
