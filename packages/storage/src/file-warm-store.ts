/*
 * The warm store on files: one file per document in one directory, named by the SHA-256 of the
 * document's key: of one length, and nothing to escape. See warm-file.ts for what is in it.
 *
 * All files together are bounded; where one needs room, those that were kept longest ago go. What
 * cannot be read, does not verify or is another document's is removed and counted: the proxy that
 * asks joins without it. Nothing here ends a process.
 */
import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import type {
  WarmDocument,
  WarmEffect,
  WarmInput,
  WarmStore,
  WarmStoreFactory,
} from '@fanfold/document'
import {
  assert,
  encodeUtf8,
  type RandomBytes,
  type Sha256,
  sha256Bytes,
  toHex,
  unreachable,
} from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import { type FileSystem, nodeFileSystem } from './file-system.ts'
import { readWarmFile, type WarmFile, warmFileBytes, writeWarmFile } from './warm-file.ts'

/** Bytes of all files together, by default. */
export const warmBytesMaxDefault = 1_073_741_824
/** Reads and keeps that wait; beyond, a read finds nothing and a keep is not kept. */
export const warmEffectsWaitingMaxDefault = 10_000
/** Bytes in which a file system gives out room: what the smallest file takes. */
const blockBytes = 4_096

const filePattern = /^[0-9a-f]{64}\.warm$/

/** How a warm store on files is made. */
export type FileWarmStoreOptions = {
  /** A directory that no other store uses; made when the first document is kept. */
  readonly directory: string
  readonly sha256: Sha256
  /** Bytes of all files together, each rounded up to 4 KiB. Default 1 GiB. */
  readonly bytesMax?: number | undefined
  readonly effectsWaitingMax?: number | undefined
  /** What was kept of a document did not verify, or could not be read, and was removed. */
  readonly onDropped?: ((doc: DocumentKey) => void) | undefined
  /** The file system, where it is not the machine's. */
  readonly files?: FileSystem | undefined
  /** Chance, where it is not the machine's. */
  readonly randomBytes?: RandomBytes | undefined
}

/** Makes warm stores on files. */
export const createFileWarmStore =
  (options: FileWarmStoreOptions): WarmStoreFactory =>
  receive =>
    new FileWarmStore(options, receive)

class FileWarmStore implements WarmStore {
  readonly #options: FileWarmStoreOptions
  readonly #receive: (input: WarmInput) => void
  readonly #files: FileSystem
  readonly #directory: string
  readonly #suffix: string
  /** Room that each file takes, the one kept longest ago first; undefined before the first effect. */
  #kept: Map<string, number> | undefined
  #bytes = 0
  #waiting: WarmEffect[] = []
  #isAtWork = false
  #isClosed = false
  #whenDone: (() => void) | undefined

  constructor(options: FileWarmStoreOptions, receive: (input: WarmInput) => void) {
    this.#options = options
    this.#receive = receive
    this.#suffix = toHex((options.randomBytes ?? randomBytes)(8))
    this.#files = options.files ?? nodeFileSystem
    this.#directory = resolve(options.directory)
  }

  perform(effect: WarmEffect): void {
    assert(!this.#isClosed, `no ${effect.kind} after close`)
    const { effectsWaitingMax = warmEffectsWaitingMaxDefault } = this.#options
    // What may not be kept any more is removed however much waits.
    if (this.#waiting.length >= effectsWaitingMax && effect.kind !== 'warm-drop') {
      queueMicrotask(() => this.#receive(refusalOf(effect)))
      return
    }
    this.#waiting.push(effect)
    if (this.#isAtWork) return
    this.#isAtWork = true
    void this.#work()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (!this.#isAtWork) return
    await new Promise<void>(resolve => {
      this.#whenDone = resolve
    })
  }

  /** One after the other: a proxy is in no hurry to keep, and to read one takes a moment. */
  async #work(): Promise<void> {
    // What `perform` starts answers later, also where there is nothing to wait for.
    await undefined
    while (this.#waiting.length > 0) {
      const effects = this.#waiting
      this.#waiting = []
      for (const effect of effects) await this.#step(effect)
    }
    this.#isAtWork = false
    this.#whenDone?.()
  }

  async #step(effect: WarmEffect): Promise<void> {
    const { doc } = effect
    switch (effect.kind) {
      case 'warm-read': {
        const document = await this.#read(doc).catch(() => undefined)
        this.#tell({ kind: 'warm-read', doc, document })
        return
      }
      case 'warm-keep': {
        const isKept = await this.#keep(doc, effect.document).catch(() => false)
        this.#tell({ kind: 'warm-kept', doc, isKept })
        return
      }
      case 'warm-drop':
        await this.#remove(this.#nameOf(doc)).catch(() => undefined)
        return
      default:
        unreachable(effect)
    }
  }

  /** What is thrown by who is told is not ours to catch. */
  #tell(input: WarmInput): void {
    try {
      this.#receive(input)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }

  async #read(doc: DocumentKey): Promise<WarmDocument | undefined> {
    const file = this.#fileOf(doc)
    const measured = await this.#files.measure(file.path)
    if (measured === undefined) return undefined
    const { bytesMax = warmBytesMaxDefault } = this.#options
    // What was not kept here is not opened: a pipe would hold up all that waits.
    if (measured.isFile && measured.bytes <= bytesMax) {
      const document = await readWarmFile(file, measured.bytes).catch(() => undefined)
      if (document !== undefined) return document
    }
    this.#options.onDropped?.(doc)
    await this.#remove(this.#nameOf(doc))
    return undefined
  }

  async #keep(doc: DocumentKey, document: WarmDocument): Promise<boolean> {
    const { bytesMax = warmBytesMaxDefault } = this.#options
    const name = this.#nameOf(doc)
    const kept = await this.#index()
    const room = roomOf(warmFileBytes(doc, document) ?? Number.POSITIVE_INFINITY)
    // What stands there stays until the other is in its place, and both need room so long.
    if (room > bytesMax) return false
    for (const other of kept.keys()) {
      if (this.#bytes + room <= bytesMax) break
      await this.#remove(other)
    }
    await this.#files.makeDirectory(this.#directory)
    await writeWarmFile(this.#fileOf(doc), document, this.#suffix)
    this.#bytes += room - (kept.get(name) ?? 0)
    kept.delete(name)
    kept.set(name, room)
    return true
  }

  async #remove(name: string): Promise<void> {
    const kept = await this.#index()
    const path = join(this.#directory, name)
    if (await this.#files.exists(path)) await this.#files.remove(path)
    this.#bytes -= kept.get(name) ?? 0
    kept.delete(name)
  }

  /** What is there, looked for once; what another run has left half written is removed. */
  async #index(): Promise<Map<string, number>> {
    if (this.#kept !== undefined) return this.#kept
    const found: { readonly name: string; readonly room: number; readonly changedMs: number }[] = []
    for (const name of (await this.#files.list(this.#directory)) ?? []) {
      const path = join(this.#directory, name)
      if (name.endsWith('.tmp')) await this.#files.remove(path).catch(() => undefined)
      if (!filePattern.test(name)) continue
      const measured = await this.#files.measure(path)
      if (measured?.isFile !== true) continue
      found.push({ name, room: roomOf(measured.bytes), changedMs: measured.changedMs })
    }
    found.sort((a, b) => a.changedMs - b.changedMs)
    this.#kept = new Map(found.map(({ name, room }) => [name, room]))
    for (const { room } of found) this.#bytes += room
    return this.#kept
  }

  #fileOf(key: DocumentKey): WarmFile {
    const path = join(this.#directory, this.#nameOf(key))
    return { files: this.#files, path, key, sha256: this.#options.sha256 }
  }

  #nameOf(doc: DocumentKey): string {
    const digest = new Uint8Array(sha256Bytes)
    this.#options.sha256(encodeUtf8(doc), digest, 0)
    return `${toHex(digest)}.warm`
  }
}

const roomOf = (bytes: number): number => Math.ceil(bytes / blockBytes) * blockBytes

/** The answer to an effect for which there is no room. */
function refusalOf(effect: Exclude<WarmEffect, { kind: 'warm-drop' }>): WarmInput {
  const { doc } = effect
  return effect.kind === 'warm-read'
    ? { kind: 'warm-read', doc, document: undefined }
    : { kind: 'warm-kept', doc, isKept: false }
}
