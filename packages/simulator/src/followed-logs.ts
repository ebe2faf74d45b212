/*
 * Logs on a simulated disk that another node writes and a store follows: what is new is told a while after it is
 * durable.
 */
import type { LogInput } from '@fanfold/document'
import { equalBytes, type Prng } from '@fanfold/kernel'
import { type DocumentKey, describePosition, type Position } from '@fanfold/protocol'
import type { DiskHealth } from './disk-health.ts'
import type { LogDisk } from './log-disk.ts'
import { noFile, type Refused, unreachableNow, unreadable } from './log-refused.ts'
import { batches, partOf, readBytesMax, type Stored, storedIn } from './stored-log.ts'

/** A log that is followed. */
export type FollowedLog = {
  readonly doc: DocumentKey
  /** After what was told; undefined until the first of it was. */
  at: Position | undefined
  /** It is closed, is to be opened, or was refused: it is not looked at any more. */
  isOver: boolean
  isRefused: boolean
}

/** The logs that one store follows. */
export class FollowedLogs {
  readonly #disk: LogDisk
  readonly #prng: Prng
  readonly #health: DiskHealth | undefined
  readonly #receive: (input: LogInput) => void
  readonly #after: (happen: () => void) => void
  readonly #logs = new Map<DocumentKey, FollowedLog>()

  constructor(options: {
    readonly disk: LogDisk
    readonly prng: Prng
    readonly health: DiskHealth | undefined
    readonly receive: (input: LogInput) => void
    /** Lets something happen when it is time to look again. */
    readonly after: (happen: () => void) => void
  }) {
    this.#disk = options.disk
    this.#prng = options.prng
    this.#health = options.health
    this.#receive = options.receive
    this.#after = options.after
  }

  /** The log is to be followed: `begin` comes as soon as the disk has the time. */
  follow(doc: DocumentKey): FollowedLog {
    const log: FollowedLog = { doc, at: undefined, isOver: false, isRefused: false }
    this.#logs.set(doc, log)
    return log
  }

  /** The log is to be opened: it is followed no more. Undefined for one that was not. */
  take(doc: DocumentKey): FollowedLog | undefined {
    const log = this.#logs.get(doc)
    if (log !== undefined) log.isOver = true
    return log
  }

  /** The log is closed. */
  close(doc: DocumentKey): void {
    this.take(doc)
    this.#logs.delete(doc)
  }

  /** Nothing more is told. */
  end(): void {
    for (const doc of this.#logs.keys()) this.close(doc)
  }

  /** Tells all that the log has. */
  begin(log: FollowedLog): void {
    const { doc } = log
    if (this.#logs.get(doc) !== log) return
    if (!this.#tellAll(log)) return
    this.#receive({ kind: 'log-followed', doc })
    this.#lookLater(log)
  }

  /** Tells what was not told yet, and that the log is open. */
  open(log: FollowedLog): void {
    const { doc, at, isRefused } = log
    if (this.#logs.get(doc) !== log || isRefused) return
    const isTold = at === undefined ? this.#tellAll(log) : this.#tellNew(log, at)
    if (!isTold) return
    this.#logs.delete(doc)
    this.#receive({ kind: 'log-opened', doc, epoch: this.#disk.log(doc).epoch })
  }

  #lookLater(log: FollowedLog): void {
    this.#after(() => {
      if (log.isOver || this.#logs.get(log.doc) !== log || log.at === undefined) return
      if (this.#notNow !== undefined || this.#tellNew(log, log.at)) this.#lookLater(log)
    })
  }

  #tellAll(log: FollowedLog): boolean {
    return this.#tell(log, storedIn(this.#disk.log(log.doc)))
  }

  /** Tells what follows `at`; what is not in the log any more was lost by it. */
  #tellNew(log: FollowedLog, at: Position): boolean {
    const { doc } = log
    const { records, end } = this.#disk.log(doc)
    const last = records[at.seq - 1]
    if (at.seq > 0 && (last === undefined || !equalBytes(last.chainHash, at.hash))) {
      const message = `${describePosition(at)} is not in the log, which ends at ${describePosition(end)}`
      return this.#refuse(log, { code: 'FANFOLD_LOG_LOST', message })
    }
    return this.#tell(log, { snapshot: undefined, records: records.slice(at.seq) })
  }

  #tell(log: FollowedLog, stored: Stored): boolean {
    const { doc } = log
    const notNow = this.#notNow
    if (notNow !== undefined) return this.#refuse(log, notNow)
    const isWhole = this.#health?.isUnreadable !== true || stored.records.length === 0
    const { snapshot, records } = isWhole ? stored : partOf(stored, this.#prng)
    if (snapshot !== undefined) this.#receive({ kind: 'log-snapshot', doc, snapshot })
    for (const batch of batches(records, readBytesMax)) {
      this.#receive({ kind: 'log-records', doc, records: batch })
    }
    if (!isWhole) return this.#refuse(log, unreadable)
    log.at = this.#disk.log(doc).end
    return true
  }

  #refuse(log: FollowedLog, refused: Refused): false {
    log.isOver = true
    log.isRefused = true
    this.#receive({ kind: 'log-open-refused', doc: log.doc, ...refused })
    return false
  }

  get #notNow(): Refused | undefined {
    return this.#health?.isAway === true ? unreachableNow : noFile(this.#health)
  }
}
