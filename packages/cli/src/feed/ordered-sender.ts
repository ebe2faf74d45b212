/*
 * Sends lines so that they commit in their order, many of them under way at a time.
 *
 * On one connection the authority decides in the order of arrival, and after a lost connection the
 * client sends again all that was not answered, in order and with the same ids: neither can put a line
 * before an earlier one. What can is an answer that says "later" (no room in the log, too many
 * writes): by then lines behind it are under way, and may find room. So at the first such answer
 * nothing more is sent; when all that is under way is answered, everything from that line on is sent
 * again with the same ids, one at a time at first. What was refused behind it is sent again too, as it
 * was judged without the line before it.
 *
 * Should a line behind have been committed all the same, the seqs tell, which must rise with the lines
 * (and a refusal after it was judged too late). Then the sender stops for good, as no later write can put the order right. With a window of one line
 * that cannot happen.
 */
import type { Committed } from '@fanfold/client'
import { CommandError } from '../command-error.ts'

/** A line on its way. */
export type OutgoingLine = {
  readonly number: number
  readonly value: unknown
  /** What it holds in memory, about. */
  readonly bytes: number
}

/** What an error of a send means for the line. */
export type SendVerdict = 'later' | 'refused' | 'fatal'

/** How an ordered sender works. */
export type OrderedSenderOptions = {
  /** Sends a line, always with the same id; never tries again by itself after an answer. */
  readonly send: (line: OutgoingLine) => Promise<Committed>
  readonly judge: (error: unknown, line: OutgoingLine) => SendVerdict
  /** Resolves after so long, ms. */
  readonly wait: (ms: number) => Promise<void>
  /** Lines under way and waiting, at most. */
  readonly windowMax: number
  /** Their bytes, at most; one line may always go. */
  readonly windowBytesMax: number
  /** A line is committed, and so are all before it that were not refused. */
  readonly onCommitted: (line: OutgoingLine, committed: Committed) => void
  /** A line is refused for what it says. */
  readonly onRefused: (line: OutgoingLine, error: unknown) => void
}

type Entry = {
  readonly line: OutgoingLine
  state: 'waiting' | 'sent' | 'later' | 'refused' | Committed
  error: unknown
  /** It was put off at least once, and may be judged again after a later line. */
  isPutOff: boolean
}

const laterDelayMs = { min: 100, max: 5_000 }

/** Lines that are not committed yet, in order. One caller at a time waits for `add` or `finish`. */
export class OrderedSender {
  readonly #options: OrderedSenderOptions
  #entries: Entry[] = []
  /** Index of the first entry that may have to be sent. */
  #next = 0
  #bytes = 0
  #inFlight = 0
  /** Lines that may be under way at a time: falls to one when a line is put off, grows by one a commit. */
  #width: number
  #isHeld = false
  #delayMs = laterDelayMs.min
  #seq = 0
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(options: OrderedSenderOptions) {
    this.#options = options
    this.#width = options.windowMax
  }

  /** Lines that are neither committed nor refused. */
  get waitingCount(): number {
    return this.#entries.length
  }

  /** Sends a line after all before it; resolves when there is room for the next. Rejects after a failure. */
  async add(line: OutgoingLine): Promise<void> {
    this.#entries.push({ line, state: 'waiting', error: undefined, isPutOff: false })
    this.#bytes += line.bytes
    this.#pump()
    const { windowMax, windowBytesMax } = this.#options
    await this.#until(() => this.#entries.length < windowMax && this.#bytes < windowBytesMax)
  }

  /** Resolves when every line is committed or refused. Rejects after a failure. */
  async finish(): Promise<void> {
    await this.#until(() => this.#entries.length === 0)
  }

  /** Nothing is sent any more: `add` and `finish` reject with the error. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake?.()
  }

  async #until(holds: () => boolean): Promise<void> {
    while (this.#failure === undefined && !holds()) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #pump(): void {
    if (this.#isHeld || this.#failure !== undefined) return
    while (this.#inFlight < this.#width) {
      const entry = this.#entries[this.#next]
      if (entry === undefined) return
      this.#next++
      if (entry.state === 'waiting') this.#send(entry)
    }
  }

  #send(entry: Entry): void {
    entry.state = 'sent'
    this.#inFlight++
    this.#options.send(entry.line).then(
      committed => {
        entry.state = committed
        this.#settled()
      },
      (error: unknown) => {
        entry.error = error
        const verdict = this.#options.judge(error, entry.line)
        if (verdict === 'fatal') this.fail(error)
        else entry.state = verdict
        if (verdict === 'later') this.#isHeld = true
        this.#settled()
      },
    )
  }

  #settled(): void {
    this.#inFlight--
    this.#retire()
    if (this.#isHeld && this.#inFlight === 0 && this.#failure === undefined) this.#startOver()
    else this.#pump()
    this.#wake?.()
  }

  /** Lets go of the lines at the head that have come to their end. */
  #retire(): void {
    let count = 0
    for (const entry of this.#entries) {
      if (this.#failure !== undefined) break
      if (typeof entry.state === 'object') this.#retireCommitted(entry.line, entry.state)
      else if (entry.state === 'refused') this.#retireRefused(entry)
      else break
      this.#bytes -= entry.line.bytes
      count++
    }
    this.#entries.splice(0, count)
    this.#next = Math.max(0, this.#next - count)
  }

  #retireRefused({ line, error, isPutOff }: Entry): void {
    const isOvertaken = this.#entries.some(
      other => other.line.number > line.number && typeof other.state === 'object',
    )
    if (isPutOff && isOvertaken) this.fail(disorder(line.number, 'refused after a later line'))
    else this.#options.onRefused(line, error)
  }

  #retireCommitted(line: OutgoingLine, committed: Committed): void {
    if (committed.seq <= this.#seq) {
      this.fail(disorder(line.number, `committed as seq ${committed.seq}, after a later line`))
      return
    }
    this.#seq = committed.seq
    this.#width = Math.min(this.#options.windowMax, this.#width + 1)
    this.#delayMs = laterDelayMs.min
    this.#options.onCommitted(line, committed)
  }

  #startOver(): void {
    this.#width = 1
    const delayMs = this.#delayMs
    this.#delayMs = Math.min(laterDelayMs.max, 2 * delayMs)
    this.#options.wait(delayMs).then(
      () => {
        // All before the first line that was put off have come to their end and are gone.
        for (const entry of this.#entries) {
          if (entry.state !== 'later' && entry.state !== 'refused') continue
          entry.state = 'waiting'
          entry.isPutOff = true
        }
        this.#next = 0
        this.#isHeld = false
        this.#pump()
      },
      error => this.fail(error),
    )
  }
}

const disorder = (line: number, what: string): CommandError =>
  new CommandError(
    'FANFOLD_DISORDER',
    `line ${line} was put off and ${what}: the document does not follow the recording; use --in-flight 1 where the log may have no room`,
  )
