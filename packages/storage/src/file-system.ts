/*
 * What the stores need of a file system, as a port: a test can put a disk behind it that is full,
 * writes short or fails to sync.
 *
 * Everything runs on the thread pool, so a slow disk never holds the event loop. The callbacks of
 * node:fs are wrapped by hand: an append takes three calls, and a file handle object for each would
 * cost more than the calls.
 */
import * as fs from 'node:fs'

/** How a file is opened: `create` only when it does not exist, `replace` also when it does. */
export type OpenMode = 'read' | 'write' | 'create' | 'replace'

/** What is known of a file without opening it. */
export type FileMeasures = {
  readonly bytes: number
  /** When it was last written. */
  readonly changedMs: number
  /** False for what is no file of bytes: opening a pipe may take for ever. */
  readonly isFile: boolean
}

/** Files by descriptor. Every promise rejects with the system's error, which has a `code`. */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<number>
  close(file: number): Promise<void>
  /** Reads to the start of `target`; the count of bytes, 0 at the end of the file. */
  read(file: number, target: Uint8Array, position: number): Promise<number>
  /** Writes at `position`; the count of bytes that went out, which may be fewer than given. */
  write(file: number, bytes: Uint8Array, position: number): Promise<number>
  truncate(file: number, length: number): Promise<void>
  /** Makes a file's content and length durable (fdatasync). */
  syncData(file: number): Promise<void>
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>
  exists(path: string): Promise<boolean>
  /** What there is at a path, links followed; `undefined` when there is nothing. */
  measure(path: string): Promise<FileMeasures | undefined>
  /** Names in a directory, in no order; `undefined` when it does not exist. */
  list(path: string): Promise<string[] | undefined>
  /** Makes a directory and those above it; the topmost that was made. */
  makeDirectory(path: string): Promise<string | undefined>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
}

const flags: Record<OpenMode, string> = { read: 'r', write: 'r+', create: 'wx+', replace: 'w+' }

type Done = (error: NodeJS.ErrnoException | null) => void

const settled = (start: (done: Done) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    start(error => (error === null ? resolve() : reject(error)))
  })

const open = (path: string, mode: string): Promise<number> =>
  new Promise((resolve, reject) => {
    fs.open(path, mode, (error, file) => (error === null ? resolve(file) : reject(error)))
  })

/** The file system of the machine. */
export const nodeFileSystem: FileSystem = {
  open: (path, mode) => open(path, flags[mode]),
  close: file => settled(done => fs.close(file, done)),
  read: (file, target, position) =>
    new Promise((resolve, reject) => {
      fs.read(file, target, 0, target.length, position, (error, count) =>
        error === null ? resolve(count) : reject(error),
      )
    }),
  write: (file, bytes, position) =>
    new Promise((resolve, reject) => {
      fs.write(file, bytes, 0, bytes.length, position, (error, count) =>
        error === null ? resolve(count) : reject(error),
      )
    }),
  truncate: (file, length) => settled(done => fs.ftruncate(file, length, done)),
  syncData: file => settled(done => fs.fdatasync(file, done)),
  syncDirectory: async path => {
    const file = await open(path, 'r')
    try {
      await settled(done => fs.fsync(file, done))
    } finally {
      await settled(done => fs.close(file, done))
    }
  },
  // A name in a directory that is in use is looked up in memory: synchronously, because the error that
  // the asynchronous call makes of each name that is not there costs more than the look.
  exists: async path => fs.statSync(path, { throwIfNoEntry: false }) !== undefined,
  measure: path =>
    new Promise((resolve, reject) => {
      fs.stat(path, (error, stats) => {
        if (error === null) {
          resolve({ bytes: stats.size, changedMs: stats.mtimeMs, isFile: stats.isFile() })
        } else if (error.code === 'ENOENT') {
          resolve(undefined)
        } else {
          reject(error)
        }
      })
    }),
  list: path =>
    new Promise((resolve, reject) => {
      fs.readdir(path, (error, names) => {
        if (error === null) resolve(names)
        else if (error.code === 'ENOENT') resolve(undefined)
        else reject(error)
      })
    }),
  makeDirectory: path =>
    new Promise((resolve, reject) => {
      fs.mkdir(path, { recursive: true }, (error, first) =>
        error === null ? resolve(first) : reject(error),
      )
    }),
  rename: (from, to) => settled(done => fs.rename(from, to, done)),
  remove: path => settled(done => fs.unlink(path, done)),
}

/** Writes all of `bytes` at `position`, however often the system takes only a part. */
export async function writeAll(options: {
  readonly files: FileSystem
  readonly file: number
  readonly bytes: Uint8Array
  readonly position: number
  /** Is told how many of them went out, each time some did. */
  readonly onWritten?: ((count: number) => void) | undefined
}): Promise<void> {
  const { files, file, bytes, position, onWritten } = options
  let done = 0
  while (done < bytes.length) {
    const rest = done === 0 ? bytes : bytes.subarray(done)
    const count = await files.write(file, rest, position + done)
    // A regular file takes at least a byte or fails; a loop on nothing would never end.
    if (count === 0) throw new Error(`a write of ${rest.length} bytes took none`)
    done += count
    onWritten?.(count)
  }
}

/** Reads until `target` is full or the file ends, however often the system gives only a part; the count. */
export async function readAll(options: {
  readonly files: FileSystem
  readonly file: number
  readonly target: Uint8Array
  readonly position: number
}): Promise<number> {
  const { files, file, target, position } = options
  let done = 0
  while (done < target.length) {
    const count = await files.read(file, target.subarray(done), position + done)
    if (count === 0) break
    done += count
  }
  return done
}
