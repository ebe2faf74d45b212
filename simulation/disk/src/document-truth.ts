/*
 * What is true of one document's log, held against all that stores say of it.
 *
 * Known is every batch that anybody has submitted. What was acknowledged is in the log for good, byte
 * for byte and at its place; what was refused never is; of the rest any whole prefix of a batch may be.
 * What a store has told of a log that nobody was writing meanwhile counts as acknowledged too: whoever
 * is told may show it.
 */
import type { Snapshot } from '@fanfold/document'
import { equalBytes } from '@fanfold/kernel'
import { type DocumentKey, type LogRecord, type Position, zeroPosition } from '@fanfold/protocol'
import type { WorldNotes } from './world-notes.ts'

type Known = {
  readonly record: LogRecord
  /** The chain hash before it. */
  readonly before: string
  isRefused: boolean
}

/** What a store told when it opened a document. */
export type ToldLog = {
  readonly who: string
  readonly snapshot: Snapshot | undefined
  readonly records: readonly LogRecord[]
  /** True when nobody was writing the document from the first moment to the last. */
  readonly isQuiet: boolean
  /** What was true at the first moment. */
  readonly since: TruthMark
}

/** How far things were at a moment. */
export type TruthMark = {
  readonly acknowledged: number
  readonly newestKept: number
  readonly repairs: number
}

/** One document's log as it must be. */
export class DocumentTruth {
  readonly doc: DocumentKey
  readonly #notes: WorldNotes
  readonly #known = new Map<string, Known>()
  readonly #snapshots = new Map<string, Snapshot>()
  #acknowledged: LogRecord[] = []
  #newestKept = 0
  #hasAstraySnapshots = false
  /** Batches whose writers are gone without an answer. */
  #unanswered: (readonly LogRecord[])[] = []
  #inFlight = 0
  #activity = 0
  #repairs = 0

  constructor(doc: DocumentKey, notes: WorldNotes) {
    this.doc = doc
    this.#notes = notes
  }

  /** The records that are in the log for good. */
  get acknowledged(): readonly LogRecord[] {
    return this.#acknowledged
  }

  /** Appends that somebody has begun and nobody has answered. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Changes whenever somebody begins or ends to write. */
  get activity(): number {
    return this.#activity
  }

  get mark(): TruthMark {
    return {
      acknowledged: this.#acknowledged.length,
      newestKept: this.#newestKept,
      repairs: this.#repairs,
    }
  }

  submit(after: Position, records: readonly LogRecord[]): void {
    this.#inFlight++
    this.#activity++
    let before = hexOf(after.hash)
    for (const record of records) {
      const hash = hexOf(record.chainHash)
      this.#known.set(hash, { record, before, isRefused: false })
      before = hash
    }
  }

  acknowledge(who: string, after: Position, records: readonly LogRecord[]): void {
    this.#end()
    const last = this.#acknowledged.at(-1)
    if (hexOf(last?.chainHash ?? zeroPosition.hash) === hexOf(after.hash)) {
      this.#acknowledged.push(...records)
      return
    }
    const log = [...(this.#chainTo(hexOf(after.hash)) ?? []), ...records]
    // Another store may have gone on behind the batch before its writer was told.
    const length = Math.min(log.length, this.#acknowledged.length)
    this.#requireAcknowledged(who, 'acknowledged', log, length)
    if (log.length > length) this.#acknowledged = log
  }

  refuse(who: string, records: readonly LogRecord[]): void {
    this.#end()
    for (const record of records) {
      const known = this.#known.get(hexOf(record.chainHash))
      if (known !== undefined) known.isRefused = true
      if (hexOf(this.#acknowledged[record.seq - 1]?.chainHash) !== hexOf(record.chainHash)) continue
      this.#problem(who, `refused record ${record.epoch}:${record.seq}, which is in the log`)
    }
  }

  /** An operator has cut what was never synced. */
  repair(): void {
    this.#repairs++
  }

  /** Whoever had an append in flight is gone. */
  abandon(records: readonly LogRecord[]): void {
    this.#unanswered.push(records)
    this.#end()
  }

  /** A snapshot goes to a store, and may be met from now on. */
  submitSnapshot(snapshot: Snapshot): void {
    this.#snapshots.set(hexOf(snapshot.manifest.at.hash), snapshot)
  }

  keep(at: Position): void {
    const isOfLog = hexOf(this.#acknowledged[at.seq - 1]?.chainHash) === hexOf(at.hash)
    if (isOfLog) this.#newestKept = Math.max(this.#newestKept, at.seq)
    else this.#hasAstraySnapshots = true
  }

  /** Judges what a store told; the whole log as it is by that, undefined when it is none. */
  judgeOpened({ who, snapshot, records, isQuiet, since }: ToldLog): LogRecord[] | undefined {
    const start = snapshot?.manifest.at ?? zeroPosition
    const log = this.#chainTo(hexOf(start.hash))
    if (log === undefined || log.length !== start.seq) {
      this.#problem(who, `told a snapshot at ${start.epoch}:${start.seq} of another log`)
      return undefined
    }
    if (snapshot !== undefined) this.#judgeSnapshot(who, snapshot)
    for (const record of records) {
      const known = this.#known.get(hexOf(record.chainHash))
      if (known === undefined || !equalBytes(known.record.bytes, record.bytes)) {
        this.#problem(who, `told record ${record.epoch}:${record.seq}, which nobody submitted`)
        return undefined
      }
      if (record.seq !== log.length + 1) {
        this.#problem(who, `told record ${record.seq} after record ${log.length}`)
        return undefined
      }
      if (known.isRefused && isQuiet) {
        this.#problem(who, `told record ${record.epoch}:${record.seq}, which was refused`)
      }
      log.push(known.record)
    }
    if (isQuiet) {
      if (start.seq < since.newestKept && !this.#hasAstraySnapshots) {
        this.#problem(who, `used the snapshot at ${start.seq}, one at ${since.newestKept} was kept`)
      }
    }
    this.#requireAcknowledged(who, 'told', log, since.acknowledged)
    if (isQuiet) {
      this.#acknowledged = log.slice()
      this.#noteUnanswered()
    }
    return log
  }

  /** Judges what a store told of a damaged log: how many records, undefined when that is no start of it. */
  judgeDamaged({
    who,
    snapshot,
    records,
  }: Pick<ToldLog, 'who' | 'snapshot' | 'records'>): number | undefined {
    const start = snapshot?.manifest.at ?? zeroPosition
    const log = this.#chainTo(hexOf(start.hash)) ?? []
    if (snapshot !== undefined) this.#judgeSnapshot(who, snapshot)
    log.push(...records)
    const isStart = log.every((record, index) => {
      const other = this.#acknowledged[index] ?? this.#known.get(hexOf(record.chainHash))?.record
      return (
        other !== undefined && record.seq === index + 1 && equalBytes(other.bytes, record.bytes)
      )
    })
    if (isStart && log.length >= start.seq) return log.length
    this.#problem(who, `told another log of ${log.length} records`)
    return undefined
  }

  #noteUnanswered(): void {
    for (const records of this.#unanswered.splice(0)) {
      const found = records.filter(
        ({ seq, chainHash }) => hexOf(this.#acknowledged[seq - 1]?.chainHash) === hexOf(chainHash),
      ).length
      const part = found === 0 ? 'nothing' : found === records.length ? 'all' : 'a part'
      this.#notes.count(`of an unanswered batch ${part} is in the log`)
    }
  }

  #judgeSnapshot(who: string, { manifest, pieces }: Snapshot): void {
    const kept = this.#snapshots.get(hexOf(manifest.at.hash))
    const isSame =
      kept?.pieces.length === pieces.length &&
      pieces.every((piece, index) => equalBytes(piece, kept.pieces[index] ?? new Uint8Array(0)))
    if (!isSame) this.#problem(who, `told a snapshot at ${manifest.at.seq} that nobody kept`)
  }

  #requireAcknowledged(who: string, verb: string, log: readonly LogRecord[], length: number): void {
    for (const record of this.#acknowledged.slice(0, length)) {
      const other = log[record.seq - 1]
      if (other !== undefined && equalBytes(other.bytes, record.bytes)) continue
      const there = other === undefined ? 'no record' : `another record of epoch ${other.epoch}`
      this.#problem(
        who,
        `${verb} a log of ${log.length} with ${there} in the place of ${record.epoch}:${record.seq}, ` +
          `of ${this.#acknowledged.length} acknowledged`,
      )
      return
    }
  }

  /** The whole log up to a chain hash. */
  #chainTo(hash: string): LogRecord[] | undefined {
    const log: LogRecord[] = []
    for (let at = hash; at !== startHash; ) {
      const known = this.#known.get(at)
      if (known === undefined) return undefined
      log.push(known.record)
      at = known.before
    }
    return log.reverse()
  }

  #end(): void {
    this.#inFlight--
    this.#activity++
  }

  #problem(who: string, what: string): void {
    this.#notes.problem(`${who} ${what} (${this.doc})`)
  }
}

const hexOf = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? '' : Buffer.from(bytes).toString('hex')

const startHash = hexOf(zeroPosition.hash)
