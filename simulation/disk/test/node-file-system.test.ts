import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFileSystem } from '@fanfold/storage'
import t from 'tap'
import { testFileSystemPort } from './file-system-port.ts'

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
