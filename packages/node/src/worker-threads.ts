/*
 * Replica workers on threads. The roles of a process share them: each has a worker of its own, which
 * is a list of its replicas; each replica lives in one of the threads, for as long as it is open.
 */
import type {
  ReplicaWorker,
  ReplicaWorkerEffect,
  ReplicaWorkerFactory,
  ReplicaWorkerInput,
  WorkerReplicaId,
} from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import { heldBytesMaxDefault } from '@fanfold/worker'
import { ReplicaThread } from './replica-thread.ts'

/** Bounds of the threads of a process. */
export type WorkerThreadsOptions = {
  /** Threads at a time, each started when it is needed. Default: 1. */
  readonly threadsMax?: number | undefined
  /** Bytes of snapshots and of records after them in all threads. Default: 256 MiB. */
  readonly heldBytesMax?: number | undefined
  /** Bytes that wait for a thread; a replica that has more for it fails. Default: 256 MiB. */
  readonly queuedBytesMax?: number | undefined
  /** How long a thread that owes answers may say nothing before it is ended, ms. Default: 30,000. */
  readonly silenceMaxMs?: number | undefined
}

const threadsMaxDefault = 1
const queuedBytesMaxDefault = 268_435_456
const silenceMaxMsDefault = 30_000

/** Makes replica workers on threads of their own, which all of them share. */
export function createReplicaWorker(options: WorkerThreadsOptions = {}): ReplicaWorkerFactory {
  const threads = new Threads(options)
  return receive => new ThreadedWorker(threads, receive)
}

class Threads {
  readonly #threadsMax: number
  readonly #heldBytesMax: number
  readonly #queuedBytesMax: number
  readonly #silenceMaxMs: number
  readonly #threads = new Set<ReplicaThread>()
  readonly #workers = new Set<ReplicaWorker>()
  #opened = 0

  constructor(options: WorkerThreadsOptions) {
    this.#threadsMax = options.threadsMax ?? threadsMaxDefault
    this.#heldBytesMax = options.heldBytesMax ?? heldBytesMaxDefault
    this.#queuedBytesMax = options.queuedBytesMax ?? queuedBytesMaxDefault
    this.#silenceMaxMs = options.silenceMaxMs ?? silenceMaxMsDefault
    assert(this.#threadsMax >= 1, `threadsMax is at least 1, got ${this.#threadsMax}`)
  }

  join(worker: ReplicaWorker): void {
    this.#workers.add(worker)
  }

  /** The last worker that leaves ends the threads. */
  async leave(worker: ReplicaWorker): Promise<void> {
    this.#workers.delete(worker)
    if (this.#workers.size > 0) return
    const threads = [...this.#threads]
    this.#threads.clear()
    await Promise.all(threads.map(thread => thread.terminate()))
  }

  /** A name for a replica that no worker of these threads has used. */
  nextReplica(): WorkerReplicaId {
    return ++this.#opened as WorkerReplicaId
  }

  /** The thread for one more replica: an idle one, a new one, or that with the fewest. */
  choose(): ReplicaThread {
    const [least] = [...this.#threads].sort((a, b) => a.replicaCount - b.replicaCount)
    const isEnough = this.#threads.size === this.#threadsMax
    if (least !== undefined && (least.replicaCount === 0 || isEnough)) return least
    const started = new ReplicaThread({
      heldBytesMax: this.#heldBytesMax / this.#threadsMax,
      queuedBytesMax: this.#queuedBytesMax,
      silenceMaxMs: this.#silenceMaxMs,
      ended: thread => this.#threads.delete(thread),
    })
    this.#threads.add(started)
    return started
  }
}

/** A replica of one worker. */
type Opened = {
  readonly thread: ReplicaThread
  /** Its name among all workers of the threads. */
  readonly replica: WorkerReplicaId
}

class ThreadedWorker implements ReplicaWorker {
  readonly #threads: Threads
  readonly #receive: (input: ReplicaWorkerInput) => void
  readonly #opened = new Map<WorkerReplicaId, Opened>()
  #isClosed = false

  constructor(threads: Threads, receive: (input: ReplicaWorkerInput) => void) {
    this.#threads = threads
    this.#receive = receive
    threads.join(this)
  }

  perform(effect: ReplicaWorkerEffect): void {
    if (this.#isClosed) return
    if (effect.kind === 'worker-open') {
      this.#open(effect)
      return
    }
    const opened = this.#opened.get(effect.replica)
    if (opened === undefined) return
    if (effect.kind === 'worker-close') this.#opened.delete(effect.replica)
    opened.thread.perform({ ...effect, replica: opened.replica })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const { thread, replica } of this.#opened.values()) {
      thread.perform({ kind: 'worker-close', replica })
    }
    this.#opened.clear()
    await this.#threads.leave(this)
  }

  #open(effect: Extract<ReplicaWorkerEffect, { kind: 'worker-open' }>): void {
    const own = effect.replica
    assert(!this.#opened.has(own), `a replica is opened once, got ${own} again`)
    const thread = this.#threads.choose()
    const replica = this.#threads.nextReplica()
    this.#opened.set(own, { thread, replica })
    thread.perform({ ...effect, replica }, input => {
      // One that was closed meanwhile is not answered.
      if (!this.#opened.has(own)) return
      if (input.kind === 'worker-failed') this.#opened.delete(own)
      this.#receive({ ...input, replica: own })
    })
  }
}
