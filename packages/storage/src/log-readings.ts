/*
 * The readings of all documents of a store: beside the effects of their documents and not between them,
 * so that no append waits for a reading nor the other way round.
 *
 * A reading holds a file and a window. So only so many hold them at a time: one that nobody has asked
 * for a while, or that is over the bound, is closed, and finds its place by seq when it is asked again.
 * Few read at a time, in the order in which they asked: the pool of threads is for appends first.
 */
import type { LogEffect, LogInput, LogReadId } from '@fanfold/document'
import { assert } from '@fanfold/kernel'
import type { DocumentLog } from './document-log.ts'
import { refusalOfReading } from './log-error.ts'
import { LogReading } from './log-reading.ts'
import type { TurnBudget } from './turn-budget.ts'

/** Readings that hold a file, by default. */
export const readingsOpenMaxDefault = 64
/** A reading holds its file for so long without being asked, ms, by default. */
export const readingIdleMaxMsDefault = 10_000
/** Readings that read at a time: half of the pool of threads as Node makes it. */
const readingAtWorkMax = 2

type ReadEffect = Extract<LogEffect, { kind: 'log-read' }>

/** What was asked for and is not answered yet. */
type Ask = { readonly effect: ReadEffect; readonly log: DocumentLog }

/** A reading that holds something. */
type HeldReading = { readonly reading: LogReading; readonly log: DocumentLog; usedAt: number }

/** The readings of a store. */
export class LogReadings {
  readonly #openMax: number
  readonly #idleMaxMs: number
  readonly #budget: TurnBudget
  readonly #answer: (input: LogInput) => void
  readonly #fail: (error: unknown) => void
  /** Those that hold something, the longest idle first. */
  readonly #held = new Map<LogReadId, HeldReading>()
  /** Asked and not answered, in order; those that are read for come first. */
  readonly #asks = new Map<LogReadId, Ask>()
  readonly #atWork = new Set<LogReadId>()
  /** Files that are being closed. */
  readonly #closing = new Set<Promise<void>>()
  #idleTimer: NodeJS.Timeout | undefined
  #isClosed = false
  #whenDone: (() => void) | undefined

  /** @param options.fail takes what must end the process */
  constructor(options: {
    readonly openMax: number
    readonly idleMaxMs: number
    readonly budget: TurnBudget
    readonly answer: (input: LogInput) => void
    readonly fail: (error: unknown) => void
  }) {
    this.#openMax = options.openMax
    this.#idleMaxMs = options.idleMaxMs
    this.#budget = options.budget
    this.#answer = options.answer
    this.#fail = options.fail
  }

  /** Asked and not answered. */
  get count(): number {
    return this.#asks.size
  }

  /** Reads the next batch, and answers. */
  read(effect: ReadEffect, log: DocumentLog): void {
    assert(log.isOpen, `${effect.doc} is open while it is read`)
    assert(!this.#asks.has(effect.read), `reading ${effect.read} is asked once at a time`)
    this.#asks.set(effect.read, { effect, log })
    this.#start()
  }

  /** Nobody reads on: what was asked for is not answered any more. */
  end(read: LogReadId): void {
    this.#asks.delete(read)
    if (!this.#atWork.has(read)) this.#release(read)
  }

  /** The document is closed, and with it its readings. */
  endAll(log: DocumentLog): void {
    for (const [read, ask] of this.#asks) if (ask.log === log) this.end(read)
    for (const [read, held] of this.#held) if (held.log === log) this.end(read)
  }

  /** Waits until what was asked for is answered, and frees all. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#idleTimer)
    if (this.#asks.size > 0 || this.#atWork.size > 0) {
      await new Promise<void>(resolve => {
        this.#whenDone = resolve
      })
    }
    for (const read of [...this.#held.keys()]) this.#release(read)
    await Promise.all(this.#closing)
  }

  #start(): void {
    for (const [read, ask] of this.#asks) {
      if (this.#atWork.size >= readingAtWorkMax) return
      if (this.#atWork.has(read)) continue
      this.#atWork.add(read)
      void this.#step(read, ask)
    }
    if (this.#asks.size === 0 && this.#atWork.size === 0) this.#whenDone?.()
  }

  /** Never rejects: what goes wrong here ends the process. */
  async #step(read: LogReadId, ask: Ask): Promise<void> {
    try {
      // What `perform` starts answers later, also where there is nothing to wait for.
      await undefined
      const answer = await this.#next(read, ask)
      // Who is answered may ask again from inside.
      this.#atWork.delete(read)
      const isWanted = this.#asks.delete(read)
      if (!isWanted || answer.kind === 'log-read-refused') this.#release(read)
      if (isWanted) this.#answer(answer)
    } catch (error) {
      this.#atWork.delete(read)
      this.#asks.delete(read)
      this.#fail(error)
    }
    this.#start()
  }

  async #next(read: LogReadId, { effect, log }: Ask): Promise<LogInput> {
    const { doc, after, bytesMax } = effect
    const end = log.position
    if (end === undefined || after >= end.seq) return { kind: 'log-read', doc, read, records: [] }
    try {
      const records = await this.#hold(read, log).next({ after, bytesMax, end })
      return { kind: 'log-read', doc, read, records }
    } catch (error) {
      return { kind: 'log-read-refused', doc, read, ...refusalOfReading(error) }
    }
  }

  /** The reading, which now counts as used last; others may have to let go for it. */
  #hold(read: LogReadId, log: DocumentLog): LogReading {
    const reading = this.#held.get(read)?.reading ?? new LogReading(log.directory, this.#budget)
    this.#held.delete(read)
    this.#held.set(read, { reading, log, usedAt: performance.now() })
    for (const other of this.#held.keys()) {
      if (this.#held.size <= this.#openMax) break
      if (!this.#atWork.has(other)) this.#release(other)
    }
    this.#armIdleTimer()
    return reading
  }

  #release(read: LogReadId): void {
    const held = this.#held.get(read)
    if (held === undefined) return
    this.#held.delete(read)
    const closed = held.reading
      .close()
      .catch(error => this.#fail(error))
      .finally(() => this.#closing.delete(closed))
    this.#closing.add(closed)
  }

  /** One timer, for the reading that has been idle for longest. */
  #armIdleTimer(): void {
    const [first] = this.#held.values()
    if (first === undefined || this.#idleTimer !== undefined || this.#isClosed) return
    const waitMs = Math.max(0, first.usedAt + this.#idleMaxMs - performance.now())
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = undefined
      const before = performance.now() - this.#idleMaxMs
      for (const [read, { usedAt }] of this.#held) {
        if (usedAt <= before && !this.#atWork.has(read)) this.#release(read)
      }
      this.#armIdleTimer()
    }, waitMs)
    this.#idleTimer.unref()
  }
}
