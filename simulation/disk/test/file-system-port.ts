/*
 * What the stores on files rely on of a file system, the machine's and simulated ones: what is there
 * afterwards, and with which code a call fails. What outlives a power cut cannot be shown here.
 */
import type { FileSystem } from '@fanfold/storage'
import type { Test } from 'tap'

/** An empty directory of a file system. */
export type FileSystemRig = {
  readonly files: FileSystem
  /** An absolute path; it is there, and nothing is in it. */
  readonly directory: string
  /** Ends everything. */
  close(): Promise<void>
}

/** Makes an empty rig. */
export type OpenFileSystemRig = () => Promise<FileSystemRig>

/** Calls after which what goes in parts has gone as a whole. */
const partsMax = 10_000

/** Adds the tests of the FileSystem port to `t`, for one adapter. */
export function testFileSystemPort(t: Test, openRig: OpenFileSystemRig): void {
  /** Each path is one in the rig, which ends with the test. */
  const begin = async (t: Test): Promise<{ files: FileSystem; at: (name: string) => string }> => {
    const rig = await openRig()
    t.teardown(() => rig.close())
    return { files: rig.files, at: name => `${rig.directory}/${name}` }
  }

  t.test('what was written is read back, also by another descriptor', async t => {
    const { files, at } = await begin(t)
    const file = await files.open(at('a'), 'create')
    await writeText(files, file, 'hello, disk', 0)
    t.equal(await readText(files, at('a')), 'hello, disk')
    await files.syncData(file)
    await files.close(file)
    t.equal(await readText(files, at('a')), 'hello, disk')
  })

  t.test('a write goes to its position, over what is there and behind it', async t => {
    const { files, at } = await begin(t)
    const file = await files.open(at('a'), 'create')
    await writeText(files, file, 'aaaa', 0)
    await writeText(files, file, 'bbbb', 2)
    t.equal(await readText(files, at('a')), 'aabbbb')
    await writeText(files, file, 'c', 8)
    t.equal(await readText(files, at('a')), 'aabbbb\0\0c', 'what was never written is zeros')
    await files.close(file)
  })

  t.test('a read starts at its position and ends with the file', async t => {
    const { files, at } = await begin(t)
    await put(files, at('a'), '0123456789')
    const file = await files.open(at('a'), 'read')
    const target = new Uint8Array(4)
    const count = await files.read(file, target, 7)
    t.ok(count >= 1 && count <= 3, `${count} bytes`)
    t.equal(toText(target.subarray(0, count)), '789'.slice(0, count))
    t.equal(await files.read(file, target, 10), 0)
    t.equal(await files.read(file, target, 1_000), 0)
    t.equal(await files.read(file, new Uint8Array(0), 0), 0)
    await files.close(file)
  })

  t.test('the target of a read is changed as far as it was read', async t => {
    const { files, at } = await begin(t)
    await put(files, at('a'), 'abc')
    const file = await files.open(at('a'), 'read')
    const target = new Uint8Array(8).fill(0x2a)
    const count = await files.read(file, target, 1)
    t.equal(toText(target), `${'bc'.slice(0, count)}${'*'.repeat(8 - count)}`)
    await files.close(file)
  })

  t.test('a write takes at least a byte, and not what is changed after its answer', async t => {
    const { files, at } = await begin(t)
    const file = await files.open(at('a'), 'create')
    const bytes = Buffer.from('0123456789')
    const count = await files.write(file, bytes, 0)
    t.ok(count >= 1 && count <= 10, `${count} bytes`)
    bytes.fill(0x2a)
    t.equal(await readText(files, at('a')), '0123456789'.slice(0, count))
    await files.close(file)
  })

  t.test('a file is cut, and grows by zeros', async t => {
    const { files, at } = await begin(t)
    const file = await files.open(at('a'), 'create')
    await writeText(files, file, '0123456789', 0)
    await files.truncate(file, 4)
    t.equal(await readText(files, at('a')), '0123')
    await files.truncate(file, 6)
    t.equal(await readText(files, at('a')), '0123\0\0', 'what was cut does not come back')
    await files.close(file)
  })

  t.test('only one of those who create a file does, and the others are told EEXIST', async t => {
    const { files, at } = await begin(t)
    const opened = await Promise.allSettled(
      Array.from({ length: 5 }, () => files.open(at('a'), 'create')),
    )
    const won = opened.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
    const lost = opened.flatMap(one => (one.status === 'rejected' ? [codeOf(one.reason)] : []))
    t.equal(won.length, 1)
    t.same(lost, ['EEXIST', 'EEXIST', 'EEXIST', 'EEXIST'])
    for (const file of won) await files.close(file)
  })

  t.test('a file is replaced by an empty one, whether it is there or not', async t => {
    const { files, at } = await begin(t)
    for (const _ of [1, 2]) {
      const file = await files.open(at('a'), 'replace')
      t.equal(await readText(files, at('a')), '')
      await writeText(files, file, 'text', 0)
      await files.close(file)
    }
  })

  t.test('a file that is opened to be written keeps what it holds', async t => {
    const { files, at } = await begin(t)
    await put(files, at('a'), 'abc')
    const file = await files.open(at('a'), 'write')
    await writeText(files, file, 'B', 1)
    await files.close(file)
    t.equal(await readText(files, at('a')), 'aBc')
  })

  t.test('what is not there is ENOENT, or nothing where that is asked', async t => {
    const { files, at } = await begin(t)
    t.equal(await codeIn(files.open(at('a'), 'read')), 'ENOENT')
    t.equal(await codeIn(files.open(at('a'), 'write')), 'ENOENT')
    t.equal(await codeIn(files.open(at('no/a'), 'create')), 'ENOENT')
    t.equal(await codeIn(files.open(at('no/a'), 'replace')), 'ENOENT')
    t.equal(await codeIn(files.rename(at('a'), at('b'))), 'ENOENT')
    t.equal(await codeIn(files.remove(at('a'))), 'ENOENT')
    t.equal(await codeIn(files.syncDirectory(at('a'))), 'ENOENT')
    t.equal(await files.exists(at('a')), false)
    t.equal(await files.measure(at('a')), undefined)
    t.equal(await files.list(at('a')), undefined)
  })

  t.test('a directory is no file', async t => {
    const { files, at } = await begin(t)
    await files.makeDirectory(at('d'))
    t.equal(await codeIn(files.open(at('d'), 'write')), 'EISDIR')
    t.equal(await codeIn(files.open(at('d'), 'replace')), 'EISDIR')
    t.equal(await codeIn(files.remove(at('d'))), 'EISDIR')
    t.equal(await codeIn(files.list(at('d'))), undefined)
    t.match(await files.measure(at('d')), { isFile: false })
    t.equal(await files.exists(at('d')), true)
  })

  t.test('a file is no directory', async t => {
    const { files, at } = await begin(t)
    await put(files, at('a'), 'abc')
    t.equal(await codeIn(files.list(at('a'))), 'ENOTDIR')
    t.equal(await codeIn(files.open(at('a/b'), 'create')), 'ENOTDIR')
    t.equal(await codeIn(files.makeDirectory(at('a'))), 'EEXIST')
    t.equal(await codeIn(files.makeDirectory(at('a/b'))), 'ENOTDIR')
  })

  t.test('a descriptor that was closed is EBADF', async t => {
    const { files, at } = await begin(t)
    const file = await files.open(at('a'), 'create')
    await files.close(file)
    t.equal(await codeIn(files.syncData(file)), 'EBADF')
    t.equal(await codeIn(files.close(file)), 'EBADF')
  })

  t.test('a descriptor for reading does not write', async t => {
    const { files, at } = await begin(t)
    await put(files, at('a'), 'abc')
    const file = await files.open(at('a'), 'read')
    t.equal(await codeIn(files.write(file, Buffer.from('x'), 0)), 'EBADF')
    t.equal(await codeIn(files.truncate(file, 0)), 'EINVAL')
    await files.syncData(file)
    await files.close(file)
    t.equal(await readText(files, at('a')), 'abc')
  })

  t.test('a renamed file takes the place of another one', async t => {
    const { files, at } = await begin(t)
    await put(files, at('a'), 'new')
    await put(files, at('b'), 'old')
    const before = await files.open(at('b'), 'read')
    await files.rename(at('a'), at('b'))
    t.same(await files.list(at('.')), ['b'])
    t.equal(await readText(files, at('b')), 'new')
    t.equal(await readOpen(files, before), 'old', 'who had it open still has it')
    await files.close(before)
    await files.rename(at('b'), at('b'))
    t.equal(await readText(files, at('b')), 'new', 'renamed to itself')
  })

  t.test('a file that was removed is there for whoever has it open', async t => {
    const { files, at } = await begin(t)
    await put(files, at('a'), 'abc')
    const file = await files.open(at('a'), 'read')
    await files.remove(at('a'))
    t.equal(await files.exists(at('a')), false)
    t.same(await files.list(at('.')), [])
    t.equal(await readOpen(files, file), 'abc')
    await files.close(file)
    const next = await files.open(at('a'), 'create')
    t.equal(await readText(files, at('a')), '')
    await files.close(next)
  })

  t.test('directories are made with those above them, and the topmost made is told', async t => {
    const { files, at } = await begin(t)
    t.equal(await files.makeDirectory(at('a/b/c')), at('a'))
    t.equal(await files.makeDirectory(at('a/b/c')), undefined)
    t.equal(await files.makeDirectory(at('a/b/d/e')), at('a/b/d'))
    t.same((await files.list(at('a/b')))?.sort(), ['c', 'd'])
    await files.syncDirectory(at('a/b'))
    await put(files, at('a/b/c/f'), 'deep')
    t.equal(await readText(files, at('a/b/c/f')), 'deep')
  })

  t.test('the names of a directory are listed, whatever they stand for', async t => {
    const { files, at } = await begin(t)
    t.same(await files.list(at('.')), [])
    await put(files, at('a'), '')
    await put(files, at('b'), '')
    await files.makeDirectory(at('c'))
    t.same((await files.list(at('.')))?.sort(), ['a', 'b', 'c'])
  })

  t.test('a file is measured as it is', async t => {
    const { files, at } = await begin(t)
    await put(files, at('a'), 'abc')
    const first = await files.measure(at('a'))
    t.match(first, { bytes: 3, isFile: true })
    const file = await files.open(at('a'), 'write')
    await writeText(files, file, '0123456789', 0)
    await files.close(file)
    const second = await files.measure(at('a'))
    t.equal(second?.bytes, 10)
    t.ok((second?.changedMs ?? 0) >= (first?.changedMs ?? 0))
  })
}

async function put(files: FileSystem, path: string, text: string): Promise<void> {
  const file = await files.open(path, 'create')
  await writeText(files, file, text, 0)
  await files.close(file)
}

async function writeText(
  files: FileSystem,
  file: number,
  text: string,
  position: number,
): Promise<void> {
  const bytes = Buffer.from(text)
  for (let part = 0, done = 0; done < bytes.length && part < partsMax; part++) {
    done += await files.write(file, bytes.subarray(done), position + done)
  }
}

async function readText(files: FileSystem, path: string): Promise<string> {
  const file = await files.open(path, 'read')
  const text = await readOpen(files, file)
  await files.close(file)
  return text
}

async function readOpen(files: FileSystem, file: number): Promise<string> {
  let text = ''
  for (let part = 0; part < partsMax; part++) {
    const target = new Uint8Array(16)
    const count = await files.read(file, target, text.length)
    if (count === 0) break
    text += toText(target.subarray(0, count))
  }
  return text
}

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : error

/** The code with which a call fails, or undefined when it does not. */
const codeIn = (call: Promise<unknown>): Promise<unknown> => call.then(() => undefined, codeOf)
