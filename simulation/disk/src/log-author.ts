/*
 * One document in the hands of one process: what an authority does with its log, in a drawn order.
 */
import {
  encodeSnapshot,
  type LogEffect,
  type LogInput,
  type LogReadId,
  type Snapshot,
} from '@fanfold/document'
import { equalBytes, type Prng } from '@fanfold/kernel'
import { type LogRecord, type Position, zeroPosition } from '@fanfold/protocol'
import type { DocumentTruth, TruthMark } from './document-truth.ts'
import { drawRecords, positionOf } from './record-maker.ts'
import { sha256 } from './sha-256.ts'
import type { WorldNotes } from './world-notes.ts'

/** What an author needs of the process that it runs in. */
export type AuthorHost = {
  readonly name: string
  readonly prng: Prng
  readonly notes: WorldNotes
  /** Errors of the disk that the process was told so far, and calls that were refused for want of room. */
  readonly errors: number
  readonly refusals: number
  /** Whether another process may have the document in hand too. */
  readonly hasRivals: boolean
  /** Whether its store takes no more. */
  readonly isClosing: boolean
  perform(effect: LogEffect): void
  /** A number that no reading of the process has had. */
  nextReading(): number
  /** A log cannot be opened; true when that is for a reason that the world knows, which is then gone. */
  excuses(truth: DocumentTruth): boolean
}

type InputOf<Kind extends LogInput['kind']> = Extract<LogInput, { kind: Kind }>

type Batch = { readonly epoch: number; readonly after: Position; readonly records: LogRecord[] }

/** What the process had been told when something began. */
type Since = { readonly errors: number; readonly refusals: number }

type Opening = Since & {
  snapshot: Snapshot | undefined
  readonly records: LogRecord[]
  readonly activity: number
  readonly isQuiet: boolean
  readonly mark: TruthMark
}

type Reading = Since & { readonly id: LogReadId; readonly after: number; readonly end: number }

/** An author of one document. */
export class LogAuthor {
  readonly truth: DocumentTruth
  readonly #host: AuthorHost
  #opening: Opening | undefined
  /** The whole log as the store has told it; undefined while the document is not open. */
  #log: LogRecord[] | undefined
  #epoch = 0
  #isClaimed = false
  #appending: (Batch & Since & { readonly isClaim: boolean }) | undefined
  #refused: Batch | undefined
  #keeping: (Since & { readonly at: Position }) | undefined
  #reading: Reading | undefined
  /** Opened while somebody was writing: what it was told of the end may have been cut since. */
  #isUncertain = false

  constructor(truth: DocumentTruth, host: AuthorHost) {
    this.truth = truth
    this.#host = host
  }

  /** What an end of the process would interrupt. */
  get atWork(): string | undefined {
    if (this.#opening !== undefined) return 'recovery'
    if (this.#appending !== undefined) return this.#appending.isClaim ? 'claim' : 'append'
    return this.#keeping === undefined ? undefined : 'snapshot'
  }

  /** Does one thing, if there is one to do; false when it waits for answers to all. */
  act(): boolean {
    const { prng } = this.#host
    if (this.#log === undefined) {
      if (this.#opening !== undefined) return false
      this.#open()
      return true
    }
    const choice = prng.fraction()
    if (choice < 0.1 && this.#reading === undefined) this.#read(this.#log, this.#host.nextReading())
    else if (choice < 0.2 && this.#keeping === undefined && this.#log.length > 0)
      this.#keep(this.#log)
    else if (choice < 0.23 && this.#isIdle) this.#close()
    else if (this.#appending !== undefined) return false
    else if (this.#isClaimed || !this.#host.hasRivals || choice > 0.8) this.#append(this.#log)
    return true
  }

  /** Takes an answer of the store. */
  take(input: LogInput): void {
    switch (input.kind) {
      case 'log-snapshot':
        if (this.#opening !== undefined) this.#opening.snapshot = input.snapshot
        return
      case 'log-records':
        this.#opening?.records.push(...input.records)
        return
      case 'log-opened':
        this.#takeOpened(input)
        return
      case 'log-open-refused':
        this.#takeOpenRefused(input)
        return
      case 'log-appended':
        this.#takeAppended(input)
        return
      case 'log-append-refused':
        this.#takeAppendRefused(input)
        return
      case 'log-read':
        this.#takeRead(input)
        return
      case 'log-read-refused':
        this.#takeReadRefused(input)
        return
      case 'log-snapshot-kept':
        if (this.#keeping !== undefined) this.truth.keep(this.#keeping.at)
        this.#keeping = undefined
        this.#host.notes.count('snapshot kept')
        return
      case 'log-snapshot-refused':
        // Whoever claims the log takes away what others have half written.
        if (!(input.code === 'FANFOLD_FENCED' && this.#host.hasRivals)) {
          this.#requireReason(this.#keeping, input)
        }
        this.#host.notes.count(`snapshot refused ${input.code}`)
        this.#keeping = undefined
        return
    }
  }

  /** The process is gone. */
  abandon(): void {
    if (this.#appending !== undefined) this.truth.abandon(this.#appending.records)
  }

  get #isIdle(): boolean {
    return this.#appending === undefined && this.#keeping === undefined
  }

  #since(): Since {
    return { errors: this.#host.errors, refusals: this.#host.refusals }
  }

  #open(): void {
    const { activity, inFlight, doc } = this.truth
    this.#opening = {
      ...this.#since(),
      snapshot: undefined,
      records: [],
      activity,
      isQuiet: inFlight === 0,
      mark: this.truth.mark,
    }
    this.#host.perform({ kind: 'log-open', doc })
  }

  #close(): void {
    this.#log = undefined
    this.#refused = undefined
    this.#reading = undefined
    this.#host.perform({ kind: 'log-close', doc: this.truth.doc })
    this.#host.notes.count('document closed')
  }

  #append(log: LogRecord[]): void {
    const { prng } = this.#host
    const last = log.at(-1)
    const after = last === undefined ? zeroPosition : positionOf(last)
    const skipped = prng.chance(0.1) ? 1 + prng.below(3) : 0
    // A claim for which there was no room is tried again as it was.
    const epoch = this.#isClaimed
      ? this.#epoch
      : (this.#refused?.epoch ?? this.#epoch + 1 + skipped)
    const again = this.#refused
    this.#refused = undefined
    const batch =
      again !== undefined && again.epoch === epoch && prng.chance(0.5)
        ? again
        : { epoch, after, records: drawRecords(prng, { doc: this.truth.doc, epoch, after }) }
    this.#appending = { ...batch, ...this.#since(), isClaim: !this.#isClaimed }
    this.truth.submit(batch.after, batch.records)
    this.#host.perform({ kind: 'log-append', doc: this.truth.doc, ...batch })
  }

  #keep(log: LogRecord[]): void {
    const { prng } = this.#host
    const index = prng.chance(0.7) ? log.length - 1 : prng.below(log.length)
    const at = positionOf(log[index] as LogRecord)
    const state = { n: at.seq, text: 'x'.repeat((at.seq * 379) % 3_000) }
    const snapshot = encodeSnapshot({ at, state, definition: undefined, sha256 })
    this.#keeping = { ...this.#since(), at }
    this.truth.submitSnapshot(snapshot)
    this.#host.perform({ kind: 'log-keep-snapshot', doc: this.truth.doc, snapshot })
  }

  #read(log: LogRecord[], id: number, after = this.#host.prng.below(log.length + 1)): void {
    const { prng } = this.#host
    const read = id as LogReadId
    this.#reading = { ...this.#since(), id: read, after, end: log.length }
    const bytesMax = 1 + prng.below(4_000)
    this.#host.perform({ kind: 'log-read', doc: this.truth.doc, read, after, bytesMax })
  }

  #takeOpened({ epoch }: InputOf<'log-opened'>): void {
    const opening = this.#opening
    if (opening === undefined) return
    this.#opening = undefined
    const isQuiet = opening.isQuiet && this.truth.activity === opening.activity
    const { snapshot, records } = opening
    const { notes, name } = this.#host
    const since = opening.mark
    this.#log = this.truth.judgeOpened({ who: name, snapshot, records, isQuiet, since })
    this.#isUncertain = !isQuiet
    this.#epoch = epoch
    this.#isClaimed = false
    notes.count(isQuiet ? 'log opened' : 'log opened while another writes')
    if (snapshot !== undefined) notes.count('log opened from a snapshot')
  }

  #takeOpenRefused({ code, message }: InputOf<'log-open-refused'>): void {
    const opening = this.#opening
    this.#opening = undefined
    const host = this.#host
    host.notes.count(`open refused ${code}`)
    const isRepaired = opening?.mark.repairs !== this.truth.mark.repairs
    if (code === 'FANFOLD_LOG_DAMAGED' && (isRepaired || host.excuses(this.truth))) return
    this.#requireReason(opening, { code, message })
  }

  #takeAppended({ seq }: InputOf<'log-appended'>): void {
    const batch = this.#appending
    const log = this.#log
    if (batch === undefined || log === undefined) return
    this.#appending = undefined
    const { notes, name } = this.#host
    log.push(...batch.records)
    if (seq !== log.length)
      notes.problem(`${name} acknowledged ${seq}, the batch ends at ${log.length}`)
    this.#epoch = batch.epoch
    this.#isClaimed = true
    this.truth.acknowledge(name, batch.after, batch.records)
    notes.count(batch.isClaim ? 'epoch claimed' : 'batch acknowledged')
  }

  #takeAppendRefused(input: InputOf<'log-append-refused'>): void {
    const batch = this.#appending
    if (batch === undefined) return
    this.#appending = undefined
    const { notes, name, hasRivals } = this.#host
    this.truth.refuse(name, batch.records)
    notes.count(`append refused ${input.code}`)
    if (input.code === 'FANFOLD_LOG_FULL') {
      this.#requireReason(batch, input)
      this.#refused = batch
      return
    }
    // A claim that was cut short for want of room stands in the way of the next one.
    if (!hasRivals && !this.#isUncertain) this.#requireReason(batch, input)
    if (!this.#host.isClosing) this.#close()
  }

  #takeRead({ read, records }: InputOf<'log-read'>): void {
    const reading = this.#reading
    const log = this.#log
    if (reading?.id !== read || log === undefined) return
    this.#reading = undefined
    const { notes, name } = this.#host
    const isWrong = records.some((record, index) => {
      const other = log[reading.after + index]
      return other === undefined || !equalBytes(other.bytes, record.bytes)
    })
    if (isWrong)
      notes.problem(`${name} read other records after ${reading.after} of ${this.truth.doc}`)
    if (records.length === 0 && reading.after < reading.end) {
      notes.problem(`${name} read nothing after ${reading.after} of ${reading.end}`)
    }
    notes.count('log read')
    if (records.length > 0 && !this.#host.isClosing)
      this.#read(log, read, reading.after + records.length)
  }

  #takeReadRefused(input: InputOf<'log-read-refused'>): void {
    const reading = this.#reading
    if (reading?.id !== input.read) return
    this.#reading = undefined
    this.#host.notes.count(`read refused ${input.code}`)
    if (!this.#isUncertain) this.#requireReason(reading, input)
  }

  /** What is refused was refused by the disk before. */
  #requireReason(
    since: Since | undefined,
    { code, message }: { readonly code: string; readonly message: string },
  ): void {
    const { notes, name, errors, refusals } = this.#host
    if (since === undefined) return
    const isRefused = refusals > since.refusals
    const isFailed = errors > since.errors
    // What the device says of a call is of that call: it is no damage.
    if (code === 'FANFOLD_LOG_FULL' ? isRefused : code === 'FANFOLD_LOG_UNREADABLE' && isFailed)
      return
    notes.problem(`${name} refused for no reason: ${code} ${message}`)
  }
}
