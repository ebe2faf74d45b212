/*
 * Where a document's files are:
 *
 *   <data>/documents/<tenant>/<type>/<id>/
 *     meta.json                              whose directory this is
 *     0000000003-000000.log                  epoch 3, its first segment
 *     0000000003-000001.log                  … and the next, begun when the first was full
 *     0000000003-0000000000004711.snapshot   the state at epoch 3, seq 4711
 *     *.snapshot.bad                         a snapshot that did not verify
 *     *.tmp                                  half written; nobody reads it
 *
 * Names are of fixed width, so that their order as texts is their order in time.
 */
import { dirname, join, resolve, sep } from 'node:path'
import { assert, encodeUtf8 } from '@fanfold/kernel'
import { asDocumentKey, type DocumentKey, documentName } from '@fanfold/protocol'
import type { FileSystem } from './file-system.ts'
import { DiskFailure } from './log-error.ts'

/** What a segment's name says. */
export type SegmentName = { readonly epoch: number; readonly part: number }

/** What a snapshot's name says. */
export type SnapshotName = { readonly epoch: number; readonly seq: number }

/** Names in a document's directory that mean something, oldest first. */
export type Listing = {
  readonly segments: readonly SegmentName[]
  readonly snapshots: readonly SnapshotName[]
  readonly hasMeta: boolean
  /** Left behind by a crash, or being written. */
  readonly temporaries: readonly string[]
}

/** Name of the meta file. */
export const metaFileName = 'meta.json'

const segmentPattern = /^(\d{10})-(\d{6})\.log$/
const snapshotPattern = /^(\d{10})-(\d{16})\.snapshot$/

/** The file name of a segment. */
export const segmentFileName = ({ epoch, part }: SegmentName): string =>
  `${String(epoch).padStart(10, '0')}-${String(part).padStart(6, '0')}.log`

/** The file name of a snapshot. */
export const snapshotFileName = ({ epoch, seq }: SnapshotName): string =>
  `${String(epoch).padStart(10, '0')}-${String(seq).padStart(16, '0')}.snapshot`

/** One document's directory; nothing is made before `make`. */
export class DocumentDirectory {
  readonly files: FileSystem
  readonly key: DocumentKey
  readonly #data: string
  // Derived from the key, and let go with the file: of most documents nothing is done at a time.
  #keyBytes: Uint8Array | undefined
  #path: string | undefined

  /** @param data the data directory, an absolute path that all documents share */
  constructor(files: FileSystem, data: string, key: DocumentKey) {
    assert(asDocumentKey(key) === key, `a document key, got ${JSON.stringify(key)}`)
    this.files = files
    this.key = key
    this.#data = data
  }

  /** The key as its ASCII bytes. */
  get keyBytes(): Uint8Array {
    this.#keyBytes ??= encodeUtf8(this.key)
    return this.#keyBytes
  }

  /** The directory's path. */
  get path(): string {
    if (this.#path !== undefined) return this.#path
    const { tenant, type, id } = documentName(this.key)
    const documents = join(this.#data, 'documents')
    const path = resolve(documents, tenant, type, id)
    assert(path.startsWith(documents + sep), `${path} is inside ${documents}`)
    this.#path = path
    return path
  }

  /** Keeps nothing that can be derived again. */
  forget(): void {
    this.#keyBytes = undefined
    this.#path = undefined
  }

  /** The path of a file in it. */
  file(name: string): string {
    return join(this.path, name)
  }

  /** The path of a segment in it. */
  segment(name: SegmentName): string {
    return join(this.path, segmentFileName(name))
  }

  /** What is there, or `undefined` when the document has no directory. */
  async list(): Promise<Listing | undefined> {
    const names = await this.files.list(this.path)
    if (names === undefined) return undefined
    const segments: SegmentName[] = []
    const snapshots: SnapshotName[] = []
    for (const name of names.sort()) {
      const segment = segmentPattern.exec(name)
      if (segment !== null) segments.push({ epoch: Number(segment[1]), part: Number(segment[2]) })
      const snapshot = snapshotPattern.exec(name)
      if (snapshot !== null) {
        snapshots.push({ epoch: Number(snapshot[1]), seq: Number(snapshot[2]) })
      }
    }
    return {
      segments,
      snapshots,
      hasMeta: names.includes(metaFileName),
      temporaries: names.filter(name => name.endsWith('.tmp')),
    }
  }

  /** Makes the directory and those above it. */
  async make(): Promise<void> {
    const first = await this.files.makeDirectory(this.path)
    // Directories above may have been made by another document's first append, or by a process that
    // has ended, and not be durable yet, so all of them are synced; for one that is, this costs next
    // to nothing.
    const isFirst = first !== undefined && this.#data.startsWith(first)
    const top = dirname(isFirst ? first : this.#data)
    for (let path = this.path; path.length >= top.length; path = dirname(path)) {
      await syncDirectory(this.files, path).catch(error => {
        // Whoever made the data directory in one that we may not read has seen to it.
        if (path.length >= this.#data.length || !isForbidden(error)) throw error
      })
      if (path === dirname(path)) break
    }
  }

  /** Makes the names in it durable. */
  async sync(): Promise<void> {
    await syncDirectory(this.files, this.path)
  }
}

async function syncDirectory(files: FileSystem, path: string): Promise<void> {
  try {
    await files.syncDirectory(path)
  } catch (cause) {
    throw new DiskFailure(`${path}: cannot be synced`, { cause })
  }
}

const isForbidden = ({ cause }: DiskFailure): boolean =>
  cause instanceof Error && 'code' in cause && (cause.code === 'EACCES' || cause.code === 'EPERM')

/** Makes what was written to a file durable. @throws DiskFailure when nobody can know whether it is */
export async function syncFile(files: FileSystem, file: number, path: string): Promise<void> {
  try {
    await files.syncData(file)
  } catch (cause) {
    throw new DiskFailure(`${path}: cannot be synced`, { cause })
  }
}
