/*
 * The writes of a load test: sent when they are due, whatever became of those before, with ids, by the client's own
 * code, which sends again what was not answered. When too many wait for their answers the next ones are late, and
 * their latency counts from when they were due.
 */
import { randomBytes } from 'node:crypto'
import { judgeRefusal } from '../feed/judge-refusal.ts'
import { type OpenConnection, openConnection, silenceError } from '../open-connection.ts'
import { raceSilence } from '../race-silence.ts'
import type { Clock, Terminal } from '../terminal.ts'
import { LatencyHistogram } from './latency-histogram.ts'
import { machineNowMs } from './machine-clock.ts'
import type { ValueTemplate } from './value-template.ts'
import type { CommittedWrite } from './write-ledger.ts'
import { WriteSchedule } from './write-schedule.ts'

/** Writes that are not answered, at a time: as many as a client allows by default. */
const inFlightMax = 1_024
/** Longest time to an answer, with everything that is sent again, ms. */
const sendTimeoutMs = 30_000
/** How often it is looked for room and for answers, ms. */
const lookEveryMs = 1

/** What is written, where and how fast. */
export type BenchWriterOptions = {
  readonly url: string
  readonly token: string | undefined
  readonly doc: string
  readonly message: string
  readonly template: ValueTemplate
  readonly perSecond: number
  readonly durationMs: number
  /** How long after that what is late is still sent, ms. */
  readonly lateMsMax: number
  /** How long the first write may take, ms. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Told of each write that is committed, but the first one. */
  readonly committed: (write: CommittedWrite) => void
}

/** One writer. */
export class BenchWriter {
  /** Writes that are committed. */
  committed = 0
  failed = 0
  /** Why writes failed, by code. */
  readonly failures: Record<string, number> = {}
  /** From when a write was due to its acknowledgement. */
  readonly sinceDue: LatencyHistogram = new LatencyHistogram()
  /** The highest seq of a write. */
  lastSeq = 0
  readonly #options: BenchWriterOptions
  readonly #open: OpenConnection
  readonly #run = randomBytes(8).toString('hex')
  #inFlight = 0
  #failure: { readonly error: unknown } | undefined

  constructor(options: BenchWriterOptions) {
    this.#options = options
    this.#open = openConnection(options, { sendTimeoutMs, inFlightMax })
  }

  /**
   * Sends the first write, which is not measured: it opens the connection, shows whether the message is one, and
   * creates the document where the token may.
   *
   * @throws CommandError when nobody answers in time; FanfoldError when it is refused
   */
  async begin(terminal: Terminal): Promise<void> {
    const { url, token } = this.#options
    // The client's own deadline knows less of why.
    const timeoutMs = Math.min(this.#options.timeoutMs, sendTimeoutMs - 1_000)
    const { refused, trouble } = this.#open
    const late = () => silenceError({ url, token, timeoutMs }, trouble())
    await raceSilence(this.#send(0), { terminal, timeoutMs, refused, late })
  }

  /** Sends all the others; resolves when each was answered or given up. */
  async run(signal: AbortSignal): Promise<void> {
    const { perSecond, durationMs, lateMsMax, clock } = this.#options
    const startMs = machineNowMs()
    const schedule = new WriteSchedule({ startMs, perSecond, durationMs })
    const endMs = startMs + durationMs + lateMsMax
    let sent = 0
    while (sent < schedule.count && !signal.aborted && machineNowMs() < endMs) {
      const due = schedule.dueCount(machineNowMs())
      while (sent < due && this.#inFlight < inFlightMax) this.#write(sent++, schedule)
      if (this.#failure !== undefined) throw this.#failure.error
      const waitMs = schedule.dueAtMs(sent) - machineNowMs()
      if (sent < schedule.count) await clock.wait(Math.max(lookEveryMs, waitMs), signal)
    }
    const late = signal.aborted ? 0 : schedule.count - sent
    if (late > 0) this.#fail('not sent in time', late)
    while (this.#inFlight > 0 && !signal.aborted) await clock.wait(lookEveryMs, signal)
    if (this.#failure !== undefined) throw this.#failure.error
  }

  close(): void {
    this.#open.connection.close()
  }

  #write(index: number, schedule: WriteSchedule): void {
    const startMs = schedule.startOfLatencyMs(index, machineNowMs())
    this.#inFlight++
    this.#send(index + 1)
      .then(
        seq => {
          this.sinceDue.add(machineNowMs() - startMs)
          this.committed++
          this.lastSeq = Math.max(this.lastSeq, seq)
          this.#options.committed({ seq, startMs })
        },
        (error: unknown) => {
          if (judgeRefusal(error) === 'fatal' && !isUnknown(error)) this.#failure ??= { error }
          this.#fail(codeOf(error), 1)
        },
      )
      .finally(() => {
        this.#inFlight--
      })
      // A callback that throws is a fault of the command, and ends the run.
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
  }

  async #send(number: number): Promise<number> {
    const { doc, message, template } = this.#options
    const value = template.valueOf({ number, nowMs: Date.now() })
    const id = `${this.#run}:${number}`
    const { seq } = await this.#open.connection.send(doc, message, value, { id })
    return seq
  }

  #fail(code: string, count: number): void {
    this.failed += count
    this.failures[code] = (this.failures[code] ?? 0) + count
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'FANFOLD_FAILED'

/** Nobody answered in time: the next write may find somebody who does. */
const unknownCodes: ReadonlySet<string> = new Set([
  'FANFOLD_UNKNOWN_OUTCOME',
  'FANFOLD_NOT_SENT',
  'FANFOLD_TOO_MANY_IN_FLIGHT',
])

const isUnknown = (error: unknown): boolean => unknownCodes.has(codeOf(error))
