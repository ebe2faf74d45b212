/*
 * Faults of a log store, as a file system that does to it what its own code would do if it had them.
 */
import type { FileSystem } from '@fanfold/storage'

/** Puts a fault into a file system. */
export type Plant = (files: FileSystem) => FileSystem

const through = (files: FileSystem, changes: Partial<FileSystem>): FileSystem => ({
  open: (path, mode) => files.open(path, mode),
  close: file => files.close(file),
  read: (file, target, position) => files.read(file, target, position),
  write: (file, bytes, position) => files.write(file, bytes, position),
  truncate: (file, length) => files.truncate(file, length),
  syncData: file => files.syncData(file),
  syncDirectory: path => files.syncDirectory(path),
  exists: path => files.exists(path),
  measure: path => files.measure(path),
  list: path => files.list(path),
  makeDirectory: path => files.makeDirectory(path),
  rename: (from, to) => files.rename(from, to),
  remove: path => files.remove(path),
  ...changes,
})

/** The faults by what they amount to. */
export const plants: Readonly<Record<string, Plant>> = {
  'an append is answered before it is synced': files =>
    through(files, { syncData: async () => undefined }),

  'names are not made durable': files => through(files, { syncDirectory: async () => undefined }),

  'a sync that has failed is tried again': files =>
    through(files, {
      syncData: file => files.syncData(file).catch(() => files.syncData(file)),
    }),

  'a bad record ends the log, whatever is behind it': files => endAtBad(files),

  'a write that was short is taken for whole': files =>
    through(files, {
      write: async (file, bytes, position) => {
        await files.write(file, bytes, position)
        return bytes.length
      },
    }),

  'a read that was short is taken for the end': files => {
    const ends = new Map<number, number>()
    return through(files, {
      close: file => {
        ends.delete(file)
        return files.close(file)
      },
      read: async (file, target, position) => {
        if (position >= (ends.get(file) ?? Number.POSITIVE_INFINITY)) return 0
        const count = await files.read(file, target, position)
        if (count < target.length) ends.set(file, position + count)
        return count
      },
    })
  },

  'two may claim one epoch': files =>
    through(files, {
      open: (path, mode) =>
        mode === 'create'
          ? files.open(path, mode).catch(() => files.open(path, 'write'))
          : files.open(path, mode),
    }),

  'a refused batch is not cut': files => through(files, { truncate: async () => undefined }),

  'a snapshot is renamed before it is synced': files => {
    const asides = new Set<number>()
    return through(files, {
      open: async (path, mode) => {
        const file = await files.open(path, mode)
        if (path.endsWith('.tmp')) asides.add(file)
        else asides.delete(file)
        return file
      },
      syncData: async file => {
        if (!asides.has(file)) await files.syncData(file)
      },
    })
  },

  'a later epoch is not looked for': files => through(files, { exists: async () => false }),

  'what could not be synced is left as it is': files => {
    let hasFailed = false
    return through(files, {
      syncData: file =>
        files.syncData(file).catch(error => {
          hasFailed = true
          throw error
        }),
      truncate: async (file, length) => {
        if (!hasFailed) await files.truncate(file, length)
      },
      write: async (file, bytes, position) =>
        hasFailed ? bytes.length : await files.write(file, bytes, position),
    })
  },

  'files are not closed': files => through(files, { close: async () => undefined }),
}

function endAtBad(files: FileSystem): FileSystem {
  const ends = new Map<number, number>()
  return through(files, {
    open: async (path, mode) => {
      const file = await files.open(path, mode)
      ends.delete(file)
      if (mode === 'read' && path.endsWith('.log')) ends.set(file, await endOfGood(files, file))
      return file
    },
    read: async (file, target, position) => {
      const end = ends.get(file) ?? Number.POSITIVE_INFINITY
      if (position >= end) return 0
      const count = await files.read(file, target, position)
      return Math.min(count, end - position)
    },
  })
}

/** Where the first bad record of a segment begins, if anything is behind it. */
async function endOfGood(files: FileSystem, file: number): Promise<number> {
  const bytes = await readWhole(files, file)
  const headerEnd = 77 + (bytes[76] ?? 0) + 4
  for (let at = headerEnd; at + 8 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at)
    if (end > bytes.length || crc32c(bytes.subarray(at + 8, end)) !== bytes.readUInt32BE(at + 4)) {
      return at
    }
    at = end
  }
  return Number.POSITIVE_INFINITY
}

async function readWhole(files: FileSystem, file: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for (let length = 0; ; ) {
    const target = new Uint8Array(65_536)
    const count = await files.read(file, target, length)
    if (count === 0) return Buffer.concat(parts)
    parts.push(target.subarray(0, count))
    length += count
  }
}

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
