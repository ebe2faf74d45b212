/*
 * The place of one worker among those of its node: whoever is in it is replaced when it ends, soon the first time,
 * and after waits that grow while none of them lasts.
 */
import { Backoff, milliseconds, type Prng } from '@fanfold/kernel'
import type { WorkerBeginning } from './edge-worker-orders.ts'
import { WorkerProcess } from './edge-worker-process.ts'
import type { Log } from './logging.ts'
import type { Metrics, ToldMetric } from './metrics.ts'

/** Waits before a worker is replaced, ms. */
const replaceAfterMs = { base: 100, max: 10_000 }
/** One that has served for so long has lasted, ms: who replaces it comes soon again. */
const lastedMs = 10_000
/** As many that ended in a row without having lasted are told to be a fault. */
const failuresToldAt = 5

/** What a place needs. */
export type WorkerSlotOptions = {
  readonly worker: number
  readonly prng: Prng
  readonly log: Log
  readonly metrics: Metrics
  /** With what the next one begins. */
  readonly beginning: () => Promise<WorkerBeginning>
  /** One has begun to serve, or has ended. */
  readonly began: (process: WorkerProcess) => void
  readonly ended: (process: WorkerProcess) => void
  readonly told: (metrics: readonly ToldMetric[]) => void
  /** Shared state is in doubt: the process must end. */
  readonly fail: (error: unknown) => void
}

/** A place for a worker. */
export class WorkerSlot {
  readonly worker: number
  readonly #options: WorkerSlotOptions
  readonly #backoff: Backoff
  #process: WorkerProcess | undefined
  #readyAtMs: number | undefined
  #replacing: NodeJS.Timeout | undefined
  #isClosed = false
  #whenSettled: (() => void) | undefined
  #whenEmpty: (() => void) | undefined

  constructor(options: WorkerSlotOptions) {
    this.#options = options
    this.worker = options.worker
    const { base, max } = replaceAfterMs
    const waits = { base: milliseconds(base), max: milliseconds(max) }
    this.#backoff = new Backoff(waits, options.prng)
  }

  /** Who is in it; undefined until the next one is there. */
  get process(): WorkerProcess | undefined {
    return this.#process
  }

  /** Starts the first one; resolves when it serves, or has ended without. */
  async start(): Promise<void> {
    const settled = new Promise<void>(resolve => {
      this.#whenSettled = resolve
    })
    await this.#begin()
    await settled
  }

  /** Who is in it goes in good order, and is not replaced; resolves when it has gone. */
  async drain(): Promise<void> {
    await this.#empty(process => process.drain())
  }

  /** The same, at once. */
  async close(): Promise<void> {
    await this.#empty(process => process.kill())
  }

  async #empty(end: (process: WorkerProcess) => void): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#replacing)
    const process = this.#process
    if (process === undefined) return
    const emptied = new Promise<void>(resolve => {
      this.#whenEmpty = resolve
    })
    end(process)
    await emptied
  }

  async #begin(): Promise<void> {
    const { worker, log, beginning, began, told } = this.#options
    const settings = await beginning()
    if (this.#isClosed) return
    const startedAtMs = performance.now()
    this.#readyAtMs = undefined
    const process = new WorkerProcess(settings, {
      ready: () => {
        this.#readyAtMs = performance.now()
        const tookMs = Math.round(this.#readyAtMs - startedAtMs)
        const line = { event: 'worker.ready', worker, workerPid: process.pid, tookMs }
        log.info(line, 'worker serves viewers')
        began(process)
        this.#whenSettled?.()
      },
      metrics: told,
      ended: reason => this.#ended(process, reason),
    })
    this.#process = process
  }

  #ended(process: WorkerProcess, reason: string): void {
    const { worker, log, metrics, ended } = this.#options
    this.#process = undefined
    ended(process)
    const line = { worker, workerPid: process.pid, reason }
    if (this.#isClosed) log.info({ event: 'worker.gone', ...line }, 'worker has gone')
    else {
      metrics.labelled('worker_ends_total', reason).inc()
      this.#replace(line)
    }
    this.#whenSettled?.()
    this.#whenEmpty?.()
  }

  #replace(line: Readonly<Record<string, unknown>>): void {
    const { log, fail } = this.#options
    const servedMs = this.#readyAtMs === undefined ? 0 : performance.now() - this.#readyAtMs
    if (servedMs >= lastedMs) this.#backoff.reset()
    const waitMs = Math.round(this.#backoff.next() / 1_000)
    const { attempts } = this.#backoff
    log.error({ event: 'worker.ended', ...line, waitMs }, 'worker ended, another one replaces it')
    if (attempts >= failuresToldAt) {
      const failing = { event: 'worker.failing', ...line, attempts, waitMs }
      log.error(failing, 'workers end again and again: their lines before this say why')
    }
    this.#replacing = setTimeout(() => void this.#begin().catch(fail), waitMs)
  }
}
