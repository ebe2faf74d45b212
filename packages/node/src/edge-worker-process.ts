/*
 * One worker as the process sees it that started it. The channel between them carries orders and connections; Node
 * lets one connection be under way on it at a time, and keeps those behind it here. So they are bounded, and each is
 * held here too until the worker says that it has it: when it ends before that they are cut, and their clients come again.
 */
import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { unreachable } from '@fanfold/kernel'
import { workerFlags } from './edge-flags.ts'
import {
  useToldEveryMs,
  type WorkerBeginning,
  type WorkerOrder,
  type WorkerTenantUse,
  type WorkerUse,
  type WorkerWord,
} from './edge-worker-orders.ts'
import type { ToldMetric } from './metrics.ts'
import type { Taker } from './next-taker.ts'

/** Connections that may be on their way to one worker. */
export const passingMax = 1_024
/** A worker that has said nothing for so long takes no more connections, ms. */
const takesAfterMs = 3_000
/** One that has said nothing for so long is ended, ms: code of an author may never return. */
const silenceMaxMs = 30_000
/** How long its metrics are waited for, ms. */
const metricsMaxMs = 2_000

const program = fileURLToPath(new URL('./edge-worker-main.js', import.meta.url))
const nothing: WorkerUse = { viewers: 0, documents: 0, bytesOut: 0, suspects: 0, hasParent: false }

/** What is told of a worker. */
export type WorkerEvents = {
  readonly ready: () => void
  readonly metrics: (metrics: readonly ToldMetric[]) => void
  /** It has ended: by the name of a signal, `exit-` and its code, or `not-started`. Told once. */
  readonly ended: (reason: string) => void
}

/** A process that was started to serve viewers. */
export class WorkerProcess implements Taker {
  readonly #child: ChildProcess
  readonly #events: WorkerEvents
  readonly #watch: NodeJS.Timeout
  /** Those that were passed and that it has not said to have taken, in order. */
  readonly #passing: Socket[] = []
  /** Who waits for its metrics. */
  #whenMetrics: (() => void)[] = []
  #use = nothing
  #tenants: readonly WorkerTenantUse[] = []
  #given = 0
  #taken = 0
  #closed = 0
  /** Looks since it said something. */
  #silentLooks = 0
  #isReady = false
  #isDraining = false
  #isEnded = false

  constructor(beginning: WorkerBeginning, events: WorkerEvents) {
    this.#events = events
    // Flags of Node hold for all processes of a node; what it is told it is told by the channel alone.
    const execArgv = workerFlags({ flags: process.execArgv, options: process.env['NODE_OPTIONS'] })
    this.#child = fork(program, { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#child.on('message', (word: WorkerWord) => this.#hear(word))
    this.#child.on('error', () => {
      // Of one that runs it says that it could not be told or ended, which is seen by its silence.
      if (this.#child.pid === undefined) this.#end('not-started')
    })
    this.#child.once('exit', (code, signal) => this.#end(signal ?? `exit-${code}`))
    this.#watch = setInterval(() => this.#look(), useToldEveryMs)
    this.tell({ kind: 'begin', ...beginning })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** True from when it serves until it is told to go, or has ended. */
  get isReady(): boolean {
    return this.#isReady && !this.#isDraining && !this.#isEnded
  }

  get isTaking(): boolean {
    const isHeard = this.#silentLooks * useToldEveryMs < takesAfterMs
    // One that goes says so to whoever comes yet.
    const isThere = this.#isReady && !this.#isEnded
    return isThere && isHeard && this.#passing.length < passingMax
  }

  get held(): number {
    return this.#given - this.#closed
  }

  get given(): number {
    return this.#given
  }

  /** What it said last that it has. */
  get use(): WorkerUse {
    return this.#use
  }

  get tenants(): readonly WorkerTenantUse[] {
    return this.#tenants
  }

  /** Gives it a connection, which is closed here as soon as it has it. */
  pass(socket: Socket): void {
    this.#given++
    this.#passing.push(socket)
    this.tell({ kind: 'connection' }, socket)
  }

  /** Tells it to do something; one that has gone is told nothing. */
  tell(order: WorkerOrder, socket?: Socket): void {
    if (!this.#child.connected) return
    this.#child.send(order, socket, { keepOpen: true }, () => undefined)
  }

  /** Resolves when it has told its metrics, or does not in time. */
  async tellMetrics(): Promise<void> {
    if (!this.isReady) return
    await new Promise<void>(resolve => {
      const late = setTimeout(resolve, metricsMaxMs)
      this.#whenMetrics.push(() => {
        clearTimeout(late)
        resolve()
      })
      this.tell({ kind: 'tell-metrics' })
    })
  }

  /** It goes in good order; one that does not serve yet goes at once. */
  drain(): void {
    if (this.#isReady) this.tell({ kind: 'drain' })
    else this.kill()
    this.#isDraining = true
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #hear(word: WorkerWord): void {
    this.#silentLooks = 0
    switch (word.kind) {
      case 'ready':
        this.#isReady = true
        this.#events.ready()
        return
      case 'use':
        this.#release(word.taken - this.#taken)
        this.#taken = word.taken
        this.#closed = word.closed
        this.#use = word.use
        this.#tenants = word.tenants ?? this.#tenants
        return
      case 'metrics':
        this.#events.metrics(word.metrics)
        this.#answerMetrics()
        return
      default:
        unreachable(word)
    }
  }

  /** Closes what this process has of them: a connection ends when nobody has it any more. */
  #release(count: number): void {
    for (const socket of this.#passing.splice(0, count)) socket.destroy()
  }

  #answerMetrics(): void {
    for (const resolve of this.#whenMetrics) resolve()
    this.#whenMetrics = []
  }

  /** By looks and not by the clock: a machine that slept has not heard anybody. */
  #look(): void {
    this.#silentLooks++
    if (this.#silentLooks * useToldEveryMs >= silenceMaxMs) this.kill()
  }

  #end(reason: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    clearInterval(this.#watch)
    this.#release(this.#passing.length)
    this.#answerMetrics()
    this.#events.ended(reason)
  }
}
