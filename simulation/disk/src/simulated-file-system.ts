/*
 * The files of a simulated disk, as one process has them: the calls that the stores of
 * `@fanfold/storage` make of a file system, with the codes of errors that Linux gives.
 */
import type { FileMeasures, FileSystem, OpenMode } from '@fanfold/storage'
import type { CallKind } from './disk-faults.ts'
import { type DiskNode, SimulatedDirectory } from './simulated-directory.ts'
import type { SimulatedDisk } from './simulated-disk.ts'
import { SimulatedFile } from './simulated-file.ts'

type OpenFile = {
  readonly node: DiskNode
  readonly path: string
  readonly canWrite: boolean
  /** A sync of another process failed, and this one has not been told. */
  errorBehind: string | undefined
}

/** The error of a call, with the system's code. */
class SimulatedSystemError extends Error {
  override readonly name = 'SimulatedSystemError'
  readonly code: string

  constructor(code: string, what: string) {
    super(`${code}: ${what}`)
    this.code = code
  }
}

/** A file system in the hands of one process, which may end at any moment. */
export class SimulatedFileSystem implements FileSystem {
  readonly name: string
  readonly #disk: SimulatedDisk
  readonly #open = new Map<number, OpenFile>()
  #files = 2
  #hasEnded = false
  #errors = 0
  #refusals = 0

  constructor(disk: SimulatedDisk, name: string) {
    this.#disk = disk
    this.name = name
    disk.mounts.add(this)
  }

  /** Files that are open. */
  get openFiles(): number {
    return this.#open.size
  }

  /** Whether the process is gone. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Errors of the device that this process was told, and of syncs that had no room. */
  get errors(): number {
    return this.#errors
  }

  /** Calls of this process for which there was no room, or no descriptor. */
  get refusals(): number {
    return this.#refusals
  }

  /** The process is gone: calls that are under way happen or do not, and no other one does. */
  end(): void {
    this.#hasEnded = true
    this.#disk.abandon(this)
    this.#open.clear()
    this.#disk.mounts.delete(this)
  }

  open(path: string, mode: OpenMode): Promise<number> {
    const kind = mode === 'create' || mode === 'replace' ? 'make' : 'open'
    return this.#call(kind, `open ${mode} ${path}`, () => {
      const node = this.#nodeToOpen(path, mode)
      const file = ++this.#files
      const canWrite = mode !== 'read'
      this.#open.set(file, { node, path, canWrite, errorBehind: undefined })
      return file
    })
  }

  close(file: number): Promise<void> {
    const release = (): void => {
      this.#openFile(file)
      this.#open.delete(file)
    }
    // The descriptor is gone too when the call fails.
    return this.#call('close', `close ${this.#named(file)}`, release, release)
  }

  read(file: number, target: Uint8Array, position: number): Promise<number> {
    return this.#call('read', `read ${this.#named(file)} at ${position}`, () => {
      const node = this.#contentOf(file)
      const there = Math.max(0, Math.min(target.length, node.length - position))
      const count = this.#disk.faults.readable(there)
      if (count < there) this.#disk.tally.add('short read')
      target.set(node.bytes.subarray(position, position + count))
      return count
    })
  }

  write(file: number, bytes: Uint8Array, position: number): Promise<number> {
    const what = `write ${this.#named(file)} at ${position} of ${bytes.length}`
    return this.#call('write', what, () => {
      const node = this.#contentOf(file)
      if (!this.#openFile(file).canWrite) throw new SimulatedSystemError('EBADF', what)
      const grown = Math.min(bytes.length, Math.max(0, position + bytes.length - node.length))
      const count = this.#disk.faults.writable(bytes.length, grown)
      if (typeof count === 'string') throw this.#injected(count, what)
      if (count < bytes.length) this.#disk.tally.add('short write')
      node.write(position, bytes.subarray(0, count))
      node.changedMs = this.#disk.nowMicros / 1_000
      return count
    })
  }

  truncate(file: number, length: number): Promise<void> {
    const what = `truncate ${this.#named(file)} to ${length}`
    return this.#call('truncate', what, () => {
      const node = this.#contentOf(file)
      if (!this.#openFile(file).canWrite) throw new SimulatedSystemError('EINVAL', what)
      node.cut(length)
      node.changedMs = this.#disk.nowMicros / 1_000
    })
  }

  syncData(file: number): Promise<void> {
    const what = `sync ${this.#named(file)}`
    const node = this.#open.get(file)?.node
    // What is written while a sync runs is not of it.
    const count = node?.changeCount ?? 0
    const fail = (): void => {
      if (node?.kind !== 'file') return
      this.#disk.failSync(node)
      for (const mount of this.#disk.mounts) if (mount !== this) mount.#hearOfError(node)
    }
    const sync = (): void => {
      const open = this.#openFile(file)
      const { errorBehind } = open
      open.errorBehind = undefined
      if (errorBehind !== undefined) throw this.#injected(errorBehind, what)
      this.#contentOf(file).sync(count)
    }
    return this.#call('sync', what, sync, fail)
  }

  syncDirectory(path: string): Promise<void> {
    const before = this.#disk.find(path)
    const count = before?.changeCount ?? 0
    return this.#call('sync-directory', `sync directory ${path}`, () => {
      const node = this.#disk.find(path)
      if (node === undefined) throw new SimulatedSystemError('ENOENT', path)
      // Another one that has come into its place had no changes when the call began.
      if (node.kind === 'directory' && node === before) node.sync(count)
    })
  }

  exists(path: string): Promise<boolean> {
    return this.#call('look', `exists ${path}`, () => this.#disk.find(path) !== undefined)
  }

  measure(path: string): Promise<FileMeasures | undefined> {
    return this.#call('look', `measure ${path}`, () => {
      const node = this.#disk.find(path)
      if (node === undefined) return undefined
      const isFile = node.kind === 'file'
      return { bytes: isFile ? node.length : 0, changedMs: node.changedMs, isFile }
    })
  }

  list(path: string): Promise<string[] | undefined> {
    return this.#call('look', `list ${path}`, () => {
      const node = this.#disk.find(path)
      if (node === undefined) return undefined
      if (node.kind === 'file') throw new SimulatedSystemError('ENOTDIR', path)
      return [...node.names.keys()]
    })
  }

  makeDirectory(path: string): Promise<string | undefined> {
    return this.#call('make', `make directory ${path}`, () => {
      let first: string | undefined
      let above = this.#disk.root
      let at = ''
      for (const name of path.split('/')) {
        if (name === '') continue
        at += `/${name}`
        let node = above.names.get(name)
        if (node?.kind === 'file') {
          throw new SimulatedSystemError(at === path ? 'EEXIST' : 'ENOTDIR', at)
        }
        if (node === undefined) {
          node = new SimulatedDirectory(this.#disk.nowMicros / 1_000)
          above.link(name, node)
          first ??= at
        }
        above = node
      }
      return first
    })
  }

  /** Within one directory. */
  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', `rename ${from} to ${to}`, () => {
      const [source, target] = [this.#placeOf(from), this.#placeOf(to)]
      if (source.directory !== target.directory) throw new SimulatedSystemError('EXDEV', to)
      if (!source.directory.names.has(source.name)) throw new SimulatedSystemError('ENOENT', from)
      if (from !== to) source.directory.rename(source.name, target.name)
    })
  }

  remove(path: string): Promise<void> {
    return this.#call('remove', `remove ${path}`, () => {
      const { directory, name } = this.#placeOf(path)
      const node = directory.names.get(name)
      if (node === undefined) throw new SimulatedSystemError('ENOENT', path)
      if (node.kind === 'directory') throw new SimulatedSystemError('EISDIR', path)
      directory.unlink(name)
    })
  }

  #call<Result>(
    kind: CallKind,
    what: string,
    act: () => Result,
    fail?: () => void,
  ): Promise<Result> {
    const described = `${this.name} ${what}`
    return new Promise<Result>((resolve, reject) => {
      const perform = (): Result => {
        const code = this.#disk.faults.errorOf(kind)
        if (code === undefined) return act()
        fail?.()
        throw this.#injected(code, `${kind} ${what}`, kind)
      }
      const ended = (): Error =>
        new SimulatedSystemError('ESRCH', `${described}: the process has ended`)
      if (this.#hasEnded) {
        reject(ended())
        return
      }
      const run = (): string => {
        try {
          const result = perform()
          resolve(result)
          return result === undefined ? '' : JSON.stringify(result)
        } catch (error) {
          reject(error)
          return error instanceof SimulatedSystemError ? error.code : String(error)
        }
      }
      const abandon = (isDone: boolean): void => {
        reject(ended())
        if (!isDone) return
        try {
          act()
        } catch {
          // There is nobody to be told.
        }
      }
      this.#disk.begin(
        { owner: this, what: described, run, abandon },
        kind === 'sync' || kind === 'sync-directory',
      )
    })
  }

  /** An error that no caller has made, noted for whoever asks what it was told. */
  #injected(code: string, what: string, kind?: CallKind): SimulatedSystemError {
    this.#disk.tally.add(kind === undefined ? code : `${code} at ${kind}`)
    if (code === 'EIO' || kind === 'sync') this.#errors++
    else this.#refusals++
    return new SimulatedSystemError(code, what)
  }

  #hearOfError(node: DiskNode): void {
    for (const open of this.#open.values()) if (open.node === node) open.errorBehind = 'EIO'
  }

  #nodeToOpen(path: string, mode: OpenMode): DiskNode {
    const { directory, name } = this.#placeOf(path)
    const found = directory.names.get(name)
    if (mode === 'create' && found !== undefined) throw new SimulatedSystemError('EEXIST', path)
    if (mode !== 'read' && found?.kind === 'directory') {
      throw new SimulatedSystemError('EISDIR', path)
    }
    if (found !== undefined) {
      if (mode === 'replace' && found.kind === 'file') found.cut(0)
      return found
    }
    if (mode === 'read' || mode === 'write') throw new SimulatedSystemError('ENOENT', path)
    const file = new SimulatedFile(this.#disk.nowMicros / 1_000)
    directory.link(name, file)
    return file
  }

  #placeOf(path: string): { directory: SimulatedDirectory; name: string } {
    const at = path.lastIndexOf('/')
    const directory = this.#disk.find(path.slice(0, at))
    if (directory === undefined) throw new SimulatedSystemError('ENOENT', path)
    if (directory.kind === 'file') throw new SimulatedSystemError('ENOTDIR', path)
    return { directory, name: path.slice(at + 1) }
  }

  #openFile(file: number): OpenFile {
    const open = this.#open.get(file)
    if (open === undefined) throw new SimulatedSystemError('EBADF', `descriptor ${file}`)
    return open
  }

  #contentOf(file: number): SimulatedFile {
    const { node, path } = this.#openFile(file)
    if (node.kind === 'directory') throw new SimulatedSystemError('EISDIR', path)
    return node
  }

  #named(file: number): string {
    return this.#open.get(file)?.path ?? `descriptor ${file}`
  }
}
