/*
 * The log store on files: documents side by side, each document's effects in order.
 *
 * The disk is made for few calls at a time, so at most `documentsAtWorkMax` documents are at work and
 * the others wait their turn; each turn is one effect. One append holds all records that an authority
 * has collected meanwhile, so a slow disk makes larger batches and not longer queues.
 */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import {
  Chain,
  type LogEffect,
  type LogInput,
  type LogStore,
  refusedLogEffect,
} from '@fanfold/document'
import { assert, type RandomBytes, type Sha256 } from '@fanfold/kernel'
import type { DocumentKey } from '@fanfold/protocol'
import { DocumentDirectory } from './document-directory.ts'
import { DocumentLog, type DocumentLogContext } from './document-log.ts'
import { type FileSystem, nodeFileSystem } from './file-system.ts'
import { LogReadings, readingIdleMaxMsDefault, readingsOpenMaxDefault } from './log-readings.ts'
import type { SetAside } from './open-log.ts'
import { writerBytes } from './segment-header.ts'
import { TurnBudget } from './turn-budget.ts'

/** Bytes after which a segment is full and the next begins: a few thousand writes, quickly read. */
export const segmentBytesMaxDefault = 67_108_864
/** Files that stay open between two appends: those of a thousand busy documents. */
export const openFilesMaxDefault = 1_024
/** A file is closed after so long without an append, ms, by default. */
export const fileIdleMaxMsDefault = 5_000
/** Documents at work at a time: enough to keep a pool of threads busy while answers are handled. */
export const documentsAtWorkMaxDefault = 64
/** Effects that wait over all documents; beyond, opens, appends and snapshots are refused. */
export const effectsWaitingMaxDefault = 100_000

/** How a log store on files is made. */
export type FileLogStoreOptions = {
  /** The data directory; made at the first append, not before. */
  readonly directory: string
  /** The node's name, which is noted where it creates a document. */
  readonly nodeId: string
  readonly sha256: Sha256
  /** Takes the answers; never called from inside `perform`. */
  readonly receive: (input: LogInput) => void
  /**
   * The process must end: the disk failed, or one of our own assertions, or `receive` threw. Called
   * once; nothing is answered after. By default the error is thrown where nobody catches it.
   */
  readonly onFatal?: ((error: unknown) => void) | undefined
  /** Told of each snapshot that is set aside: somebody has to look. */
  readonly onSetAside?: ((aside: SetAside) => void) | undefined
  readonly segmentBytesMax?: number | undefined
  readonly openFilesMax?: number | undefined
  /** How long a file stays open after an append, ms. Default 5,000. */
  readonly fileIdleMaxMs?: number | undefined
  readonly documentsAtWorkMax?: number | undefined
  /** Readings that hold a file; one over it finds its place anew for its next batch. Default 64. */
  readonly readingsOpenMax?: number | undefined
  /** How long a reading holds its file without being asked, ms. Default 10,000. */
  readonly readingIdleMaxMs?: number | undefined
  readonly effectsWaitingMax?: number | undefined
  /** The file system, where it is not the machine's. */
  readonly files?: FileSystem | undefined
  /** Chance, where it is not the machine's: it tells this store from all others. */
  readonly randomBytes?: RandomBytes | undefined
}

/** A log store in a directory that this and other processes of the machine may use. */
export const createFileLogStore = (options: FileLogStoreOptions): LogStore =>
  new FileLogStore(options)

class FileLogStore implements LogStore {
  readonly #options: FileLogStoreOptions
  readonly #files: FileSystem
  readonly #directory: string
  readonly #context: DocumentLogContext
  readonly #openFilesMax: number
  readonly #documentsAtWorkMax: number
  readonly #effectsWaitingMax: number
  readonly #documents = new Map<DocumentKey, DocumentLog>()
  /** Documents that wait for their turn, in order. */
  readonly #ready = new Set<DocumentLog>()
  readonly #atWork = new Set<DocumentLog>()
  /** Documents that hold a file and are not at work, the longest idle first, and since when. */
  readonly #idle = new Map<DocumentLog, number>()
  readonly #fileIdleMaxMs: number
  readonly #readings: LogReadings
  #idleTimer: NodeJS.Timeout | undefined
  #effectsWaiting = 0
  #hasFailed = false
  #isClosed = false
  #whenDone: (() => void) | undefined

  constructor(options: FileLogStoreOptions) {
    this.#options = options
    this.#files = options.files ?? nodeFileSystem
    this.#directory = resolve(options.directory)
    const budget = new TurnBudget()
    this.#context = {
      budget,
      chain: new Chain(options.sha256),
      sha256: options.sha256,
      writing: {
        writer: (options.randomBytes ?? randomBytes)(writerBytes),
        nodeId: options.nodeId,
        segmentBytesMax: options.segmentBytesMax ?? segmentBytesMaxDefault,
      },
      answer: input => this.#answer(input),
      setAside: aside => options.onSetAside?.(aside),
    }
    this.#readings = new LogReadings({
      openMax: options.readingsOpenMax ?? readingsOpenMaxDefault,
      idleMaxMs: options.readingIdleMaxMs ?? readingIdleMaxMsDefault,
      budget,
      answer: input => this.#answer(input),
      fail: error => this.#fail(error),
    })
    this.#fileIdleMaxMs = options.fileIdleMaxMs ?? fileIdleMaxMsDefault
    this.#openFilesMax = options.openFilesMax ?? openFilesMaxDefault
    this.#documentsAtWorkMax = options.documentsAtWorkMax ?? documentsAtWorkMaxDefault
    this.#effectsWaitingMax = options.effectsWaitingMax ?? effectsWaitingMaxDefault
  }

  perform(effect: LogEffect): void {
    assert(!this.#isClosed, `no ${effect.kind} after close`)
    if (this.#hasFailed) return
    if (effect.kind === 'log-read-close') {
      this.#readings.end(effect.read)
      return
    }
    // What is not open, nor waits to be, needs no closing: else what was refused would fill the line.
    if (effect.kind === 'log-close' && !this.#documents.has(effect.doc)) return
    const waiting = this.#effectsWaiting + this.#readings.count
    if (effect.kind !== 'log-close' && waiting >= this.#effectsWaitingMax) {
      const message = `${waiting} effects wait already`
      const refusal = refusedLogEffect(effect, { code: 'FANFOLD_LOG_FULL', message })
      queueMicrotask(() => this.#answer(refusal))
      return
    }
    const log = this.#documents.get(effect.doc) ?? this.#add(effect.doc)
    if (effect.kind === 'log-read') {
      this.#readings.read(effect, log)
      return
    }
    if (effect.kind === 'log-close') this.#readings.endAll(log)
    log.add(effect)
    this.#effectsWaiting++
    if (!this.#atWork.has(log)) this.#ready.add(log)
    this.#startTurns()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#readings.close()
    if (!this.#isDone) {
      await new Promise<void>(resolve => {
        this.#whenDone = resolve
      })
    }
    const logs = [...this.#documents.values()]
    this.#documents.clear()
    this.#idle.clear()
    clearTimeout(this.#idleTimer)
    // One that cannot be closed keeps none of the others open.
    for (const log of logs) await log.release().catch(error => this.#fail(error))
  }

  get #isDone(): boolean {
    return this.#atWork.size === 0 && this.#ready.size === 0
  }

  #add(doc: DocumentKey): DocumentLog {
    const directory = new DocumentDirectory(this.#files, this.#directory, doc)
    const log = new DocumentLog(directory, this.#context)
    this.#documents.set(doc, log)
    return log
  }

  #startTurns(): void {
    for (const log of this.#ready) {
      if (this.#atWork.size >= this.#documentsAtWorkMax) return
      this.#ready.delete(log)
      this.#idle.delete(log)
      this.#atWork.add(log)
      void this.#turn(log)
    }
  }

  /** Never rejects: what goes wrong here ends the process. */
  async #turn(log: DocumentLog): Promise<void> {
    try {
      await log.step()
      if (log.holdsFile) this.#idle.set(log, performance.now())
      if (this.#idle.size > this.#openFilesMax) await this.#closeLongestIdle()
      this.#armIdleTimer()
    } catch (error) {
      this.#fail(error)
    }
    this.#effectsWaiting--
    this.#atWork.delete(log)
    if (this.#hasFailed) this.#ready.clear()
    else if (log.hasWork) this.#ready.add(log)
    else if (!log.isOpen) this.#documents.delete(log.directory.key)
    this.#startTurns()
    if (this.#isDone) this.#whenDone?.()
  }

  async #closeLongestIdle(): Promise<void> {
    const [log] = this.#idle.keys()
    if (log === undefined) return
    this.#idle.delete(log)
    await log.release()
  }

  /** One timer, for the file that has been idle for longest. */
  #armIdleTimer(): void {
    const [since] = this.#idle.values()
    if (since === undefined || this.#idleTimer !== undefined || this.#isClosed) return
    const waitMs = Math.max(0, since + this.#fileIdleMaxMs - performance.now())
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = undefined
      this.#closeIdle()
        .then(() => this.#armIdleTimer())
        .catch(error => this.#fail(error))
    }, waitMs)
    this.#idleTimer.unref()
  }

  async #closeIdle(): Promise<void> {
    const before = performance.now() - this.#fileIdleMaxMs
    for (const [log, since] of this.#idle) {
      if (since > before) return
      this.#idle.delete(log)
      await log.release()
    }
  }

  #answer(input: LogInput): void {
    if (this.#hasFailed) return
    try {
      this.#options.receive(input)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    const { onFatal } = this.#options
    // In a turn of its own, so that what it throws is nobody's to catch.
    queueMicrotask(() => {
      if (onFatal === undefined) throw error
      onFatal(error)
    })
  }
}
