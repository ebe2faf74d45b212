/*
 * The log store port on virtual time: what is durable is a `LogDisk`, and each operation takes a
 * drawn while before it happens, all at once, and is answered.
 *
 * Until that moment an append is only in this store's memory: what a crash loses. The operations of
 * one document happen in the order in which they were asked for.
 */
import type { LogEffect, LogInput, LogReadId, LogRefusal, LogStore } from '@fanfold/document'
import {
  assert,
  type Duration,
  equalBytes,
  type Instant,
  instant,
  type Prng,
  unreachable,
} from '@fanfold/kernel'
import { type DocumentKey, describePosition, type LogRecord } from '@fanfold/protocol'
import type { LogDisk } from './log-disk.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** How long a disk takes. */
export type DiskOptions = {
  /** The shortest time of a sync, and the mean of what is added to it, exponentially distributed. */
  readonly syncMinMs: number
  readonly syncMeanMs: number
}

/** Bytes of records that one `log-records` carries at most. */
const readBytesMax = 1_048_576

/** A node's store on a simulated disk. */
export class SimulatedLogStore implements LogStore {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #options: DiskOptions
  readonly #disk: LogDisk
  readonly #receive: (input: LogInput) => void
  /** When the last operation of each document happens. */
  readonly #busyUntil = new Map<DocumentKey, Instant>()
  readonly #appending = new Set<DocumentKey>()
  /** Readings that wait for their records, and the document of each. */
  readonly #readings = new Map<LogReadId, DocumentKey>()
  #underWay = 0
  #whenIdle: (() => void)[] = []

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly options: DiskOptions
    /** Shared by all stores that see the same logs. */
    readonly disk: LogDisk
    /** Takes the answers, each in an event of its own. */
    readonly receive: (input: LogInput) => void
  }) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#options = options.options
    this.#disk = options.disk
    this.#receive = options.receive
  }

  perform(effect: LogEffect): void {
    const { doc } = effect
    switch (effect.kind) {
      case 'log-open':
        this.#later(doc, () => this.#open(doc))
        return
      case 'log-append':
        assert(!this.#appending.has(doc), `one append of ${doc} is in flight at a time`)
        assert(effect.records.length > 0, `an append of ${doc} has at least one record`)
        this.#appending.add(doc)
        this.#later(doc, () => {
          this.#appending.delete(doc)
          this.#append(effect)
        })
        return
      case 'log-keep-snapshot': {
        const { snapshot } = effect
        this.#later(doc, () => {
          this.#disk.keep(doc, snapshot)
          this.#receive({ kind: 'log-snapshot-kept', doc, seq: snapshot.manifest.at.seq })
        })
        return
      }
      case 'log-read':
        this.#readings.set(effect.read, doc)
        this.#in(this.#drawMicros(), () => this.#read(effect))
        return
      case 'log-read-close':
        this.#readings.delete(effect.read)
        return
      case 'log-close':
        assert(!this.#appending.has(doc), `${doc} is closed while nothing is in flight`)
        for (const [read, readDoc] of this.#readings) {
          if (readDoc === doc) this.#readings.delete(read)
        }
        if ((this.#busyUntil.get(doc) ?? 0) <= this.#clock.now) this.#busyUntil.delete(doc)
        return
      default:
        unreachable(effect)
    }
  }

  /** Readings that were asked for and are not answered yet. */
  get readingCount(): number {
    return this.#readings.size
  }

  close(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve()
    return new Promise(resolve => this.#whenIdle.push(resolve))
  }

  /** One after the other for each document. */
  #later(doc: DocumentKey, happen: () => void): void {
    const start = Math.max(this.#clock.now, this.#busyUntil.get(doc) ?? 0)
    const at = instant(start + this.#drawMicros())
    this.#busyUntil.set(doc, at)
    this.#in(at - this.#clock.now, happen)
  }

  /** A crash, a slow disk or a full one belongs here. */
  #in(micros: number, happen: () => void): void {
    this.#underWay++
    this.#clock.in(micros as Duration, () => {
      happen()
      this.#underWay--
      if (this.#underWay > 0) return
      for (const resume of this.#whenIdle.splice(0)) resume()
    })
  }

  #drawMicros(): number {
    const { syncMinMs, syncMeanMs } = this.#options
    const micros = syncMinMs * 1000 - syncMeanMs * 1000 * Math.log(1 - this.#prng.fraction())
    return Math.max(1, Math.round(micros))
  }

  #read({ doc, read, after, bytesMax }: Extract<LogEffect, { kind: 'log-read' }>): void {
    if (!this.#readings.delete(read)) return
    const [records = []] = batches(this.#disk.log(doc).records.slice(after), bytesMax)
    this.#receive({ kind: 'log-read', doc, read, records })
  }

  #open(doc: DocumentKey): void {
    const log = this.#disk.log(doc)
    const snapshot = log.snapshots.at(-1)
    if (snapshot !== undefined) this.#receive({ kind: 'log-snapshot', doc, snapshot })
    const after = snapshot?.manifest.at.seq ?? 0
    for (const records of batches(log.records.slice(after), readBytesMax)) {
      this.#receive({ kind: 'log-records', doc, records })
    }
    this.#receive({ kind: 'log-opened', doc, epoch: log.epoch })
  }

  #append(effect: Extract<LogEffect, { kind: 'log-append' }>): void {
    const { doc, epoch, after, records } = effect
    const log = this.#disk.log(doc)
    const { end } = log
    if (epoch < log.epoch) {
      this.#refuse(doc, 'FANFOLD_FENCED', `epoch ${epoch}, the log has seen ${log.epoch}`)
    } else if (epoch === log.epoch && log.owner !== this) {
      this.#refuse(doc, 'FANFOLD_FENCED', `epoch ${epoch} is another node's`)
    } else if (after.seq !== end.seq || !equalBytes(after.hash, end.hash)) {
      const message = `a batch after ${describePosition(after)}, the log ends at ${describePosition(end)}`
      this.#refuse(doc, 'FANFOLD_FENCED', message)
    } else {
      log.epoch = epoch
      log.owner = this
      this.#disk.append(doc, records)
      this.#receive({ kind: 'log-appended', doc, seq: log.end.seq })
    }
  }

  #refuse(doc: DocumentKey, code: LogRefusal, message: string): void {
    this.#receive({ kind: 'log-append-refused', doc, code, message })
  }
}

/** The records in stretches of at most `bytesMax`, but for one that is larger. */
function* batches(records: readonly LogRecord[], bytesMax: number): Generator<LogRecord[]> {
  let batch: LogRecord[] = []
  let bytes = 0
  for (const record of records) {
    if (batch.length > 0 && bytes + record.bytes.length > bytesMax) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(record)
    bytes += record.bytes.length
  }
  if (batch.length > 0) yield batch
}
