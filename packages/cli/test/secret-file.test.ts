import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readSecret, writeSecret } from '../src/secret-file.ts'

await t.test('a secret is written for its owner alone, and read as it was', async t => {
  const path = join(t.testdir({}), 'deep', 'key')
  await writeSecret(path, ' secret \n')
  t.equal(await readSecret(path), 'secret')
  t.equal(statSync(path).mode & 0o777, 0o600)
})

await t.test('a key that is there is not overwritten', async t => {
  const path = join(t.testdir({ key: 'old' }), 'key')
  await t.rejects(writeSecret(path, 'new'), { code: 'FANFOLD_FILE_EXISTS' })
  t.equal(await readSecret(path), 'old')
})

await t.test('a file that is not there, or cannot be, names its path', async t => {
  const directory = t.testdir({ file: '' })
  await t.rejects(readSecret(join(directory, 'none')), { code: 'FANFOLD_NO_FILE', message: /none/ })
  await t.rejects(writeSecret(join(directory, 'file', 'key'), 'x'), { code: 'FANFOLD_FILE_FAILED' })
})
