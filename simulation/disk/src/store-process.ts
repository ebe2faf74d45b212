import type { LogEffect, LogInput, LogStore } from '@fanfold/document'
import { AssertionError, type Prng } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import { createFileLogStore, DiskFailure, type FileSystem } from '@fanfold/storage'
import type { DocumentTruth } from './document-truth.ts'
import type { DiskWorldOptions } from './drawn-disk-world.ts'
import { type AuthorHost, LogAuthor } from './log-author.ts'
import { sha256 } from './sha-256.ts'
import type { SimulatedDisk } from './simulated-disk.ts'
import type { SimulatedFile } from './simulated-file.ts'
import type { SimulatedFileSystem } from './simulated-file-system.ts'
import { nextTurn } from './turns.ts'
import { WarmKeeper, type WarmShelf } from './warm-keeper.ts'
import type { WorldNotes } from './world-notes.ts'

/** The data directory of all processes. */
export const dataDirectory = '/data'
/** Longer than any world: no real time passes in one. */
const neverMs = 2_147_483_647
/** Calls after which a store must have closed. */
const closingStepsMax = 20_000

/** What the processes of a world share. */
export type ProcessWorld = {
  readonly disk: SimulatedDisk
  readonly notes: WorldNotes
  readonly options: DiskWorldOptions
  readonly truths: readonly DocumentTruth[]
  /** What was kept in the directory of warm documents, which one process at a time may use. */
  readonly shelves: ReadonlyMap<DocumentKey, WarmShelf>
  /** Puts a fault into the way of the stores. */
  readonly plant: (files: FileSystem) => FileSystem
  /** Whether more than this process has been at work lately. */
  hasRivals(process: StoreProcess): boolean
}

/** A process with a log store on the disk, and authors of all documents. */
export class StoreProcess implements AuthorHost {
  readonly name: string
  readonly prng: Prng
  readonly notes: WorldNotes
  readonly authors: readonly LogAuthor[]
  /** For the process that has the directory of warm documents. */
  readonly keeper: WarmKeeper | undefined
  readonly #world: ProcessWorld
  readonly #files: SimulatedFileSystem
  readonly #store: LogStore
  #hasEnded = false
  #isClosing = false
  #hasFailed = false
  #readings = 0

  constructor(world: ProcessWorld, name: string, prng: Prng, isKeeper: boolean) {
    this.name = name
    this.prng = prng
    this.notes = world.notes
    this.#world = world
    this.#files = world.disk.mount(name)
    const { segmentBytesMax, openFilesMax, documentsAtWorkMax, readingsOpenMax } = world.options
    this.#store = createFileLogStore({
      directory: dataDirectory,
      nodeId: name,
      sha256,
      receive: input => this.#take(input),
      onFatal: error => this.#fail(error),
      segmentBytesMax,
      openFilesMax,
      documentsAtWorkMax,
      readingsOpenMax,
      fileIdleMaxMs: neverMs,
      readingIdleMaxMs: neverMs,
      files: world.plant(this.#files),
      randomBytes: count => this.prng.bytes(count),
    })
    this.keeper = isKeeper ? this.#openKeeper() : undefined
    this.authors = world.truths.map(truth => new LogAuthor(truth, this))
  }

  /** Whether it must end: its store said so. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  get isClosing(): boolean {
    return this.#isClosing
  }

  get errors(): number {
    return this.#files.errors
  }

  get refusals(): number {
    return this.#files.refusals
  }

  get hasRivals(): boolean {
    return this.#world.hasRivals(this)
  }

  perform(effect: LogEffect): void {
    const { notes, disk } = this.#world
    notes.trace.add(disk.nowMicros, `${this.name} ${effect.kind} ${effect.doc}`)
    this.#store.perform(effect)
  }

  #openKeeper(): WarmKeeper {
    const processFiles = this.#files
    const { name, prng, notes } = this
    const host = {
      name,
      prng: prng.fork('keeper'),
      notes,
      files: this.#world.plant(processFiles),
      get faultCount() {
        return processFiles.errors + processFiles.refusals
      },
      get hasEnded() {
        return processFiles.hasEnded
      },
    }
    return new WarmKeeper(host, '/warm', this.#world.shelves)
  }

  nextReading(): number {
    return ++this.#readings
  }

  excuses(truth: DocumentTruth): boolean {
    const holed = holedFiles(this.#world.disk, `${dataDirectory}/documents/${truth.doc}`)
    for (const [path, file] of holed) {
      // What an operator does who has looked at the file: all behind the hole was never synced.
      this.notes.count('power cut looked like damage, and was repaired')
      this.notes.trace.add(this.#world.disk.nowMicros, `${path} cut to ${file.holeAt}`)
      file.replace(file.bytes.slice(0, file.holeAt))
    }
    if (holed.length > 0) truth.repair()
    return holed.length > 0
  }

  /** The end of a process, at once. */
  end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#files.end()
    for (const author of this.authors) author.abandon()
    this.#store.close().catch(() => undefined)
    this.keeper?.close().catch(() => undefined)
  }

  /** The end of a process in good order. */
  async close(): Promise<void> {
    const { disk, notes } = this.#world
    this.#isClosing = true
    let isDone = false
    let error: unknown
    const closed = Promise.all([this.#store.close(), this.keeper?.close()])
      .catch(reason => {
        error = reason
      })
      .then(() => {
        isDone = true
      })
    for (let steps = 0; !isDone && steps < closingStepsMax; steps++) {
      await nextTurn()
      disk.step()
    }
    if (!isDone) notes.problem(`${this.name} does not close within ${closingStepsMax} calls`)
    else await closed
    const isExcused = this.#hasFailed || this.errors > 0
    if (error !== undefined && !isExcused) notes.problem(`${this.name} failed to close: ${error}`)
    if (this.#files.openFiles > 0 && !isExcused) {
      notes.problem(`${this.name} has ${this.#files.openFiles} files open after close`)
    }
    notes.count('process closed')
    this.end()
  }

  #take(input: LogInput): void {
    if (this.#hasEnded) return
    const { notes, disk, truths } = this.#world
    notes.trace.add(disk.nowMicros, `${this.name} is told ${input.kind} ${input.doc}`)
    if (this.#hasFailed) notes.problem(`${this.name} was told ${input.kind} after it failed`)
    this.authors[truths.findIndex(({ doc }) => doc === input.doc)]?.take(input)
  }

  #fail(error: unknown): void {
    if (this.#hasEnded) return
    this.#hasFailed = true
    this.notes.count('process failed')
    if (error instanceof AssertionError) this.notes.problem(`${this.name}: ${error.stack}`)
    const isDisks = error instanceof DiskFailure || (error instanceof Error && 'code' in error)
    const hasReason = this.errors > 0 || this.refusals > 0
    if (isDisks && hasReason) return
    this.notes.problem(`${this.name} failed for no reason: ${messagesOf(error)}`)
  }
}

function holedFiles(disk: SimulatedDisk, path: string): (readonly [string, SimulatedFile])[] {
  return [...disk.walk()].flatMap(([at, node]) =>
    node.kind === 'file' && node.holeAt !== undefined && at.startsWith(`${path}/`)
      ? [[at, node] as const]
      : [],
  )
}

function messagesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${messagesOf(error.cause)}`
}
