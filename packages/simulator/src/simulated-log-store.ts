/*
 * The log store port on virtual time: what is durable is a `LogDisk`, and each operation takes a
 * drawn while before it happens, all at once, and is answered.
 *
 * The operations of one document happen in the order in which they were asked for. When the node
 * crashes, what had not begun never happens. Of an append that was under way there may be nothing, the
 * claim of its epoch alone, some of its records from the first on, or all, as of a file that was not
 * synced: nobody was told, and whoever opens the log next finds it.
 *
 * The disk may be another machine's, which is out of reach at times. An append waits then until it
 * answers, and may have been done at once; the rest is refused.
 */
import type { LogEffect, LogInput, LogReadId, LogStore } from '@fanfold/document'
import {
  assert,
  type Duration,
  equalBytes,
  type Instant,
  instant,
  milliseconds,
  type Prng,
  unreachable,
} from '@fanfold/kernel'
import { type DocumentKey, describePosition, type Position } from '@fanfold/protocol'
import type { DiskHealth } from './disk-health.ts'
import { type FollowedLog, FollowedLogs } from './followed-logs.ts'
import type { DiskLog, LogDisk } from './log-disk.ts'
import {
  fenced,
  lost,
  noFile,
  outOf,
  type Refused,
  unreachableNow,
  unreadable,
} from './log-refused.ts'
import { batches, partOf, readBytesMax, storedIn } from './stored-log.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** How long a disk takes. */
export type DiskOptions = {
  /** The shortest time of a sync, and the mean of what is added to it, exponentially distributed. */
  readonly syncMinMs: number
  readonly syncMeanMs: number
}

type Written = Extract<LogEffect, { kind: 'log-append' | 'log-keep-snapshot' }>
type Appended = Extract<LogEffect, { kind: 'log-append' }>

/** How often it is looked whether others have appended to a log that is followed, ms. */
const followEveryMs = 100

/** An append that has waited for so long is told of, ms; and how often it is asked for again. */
const waitsToldMs = 1_000
const askEveryMs = 50

/** What a process had sent when it ended is done so late at most, ms. */
const lateMaxMs = 10_000

const noRoom = 'no space left on the disk'

/** What became of the appends that were under way when a node crashed, in records. */
export type CrashedAppends = { readonly kept: number; readonly lost: number }

/** An operation that has been asked for, and from when on it may have left something on the disk. */
type UnderWay = { readonly effect: Written; readonly from: Instant; isDone: boolean }

/** A node's store on a simulated disk. */
export class SimulatedLogStore implements LogStore {
  /** The node whose process has it. */
  readonly node: string
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #options: DiskOptions
  readonly #disk: LogDisk
  readonly #receive: (input: LogInput) => void
  readonly #health: DiskHealth | undefined
  readonly #fail: () => void
  readonly #isShared: boolean
  readonly #late: (outcome: string) => void
  /** What is written, in the order in which it was asked for. */
  readonly #written = new Set<UnderWay>()
  /** When the last operation of each document happens. */
  readonly #busyUntil = new Map<DocumentKey, Instant>()
  readonly #appending = new Set<DocumentKey>()
  /** Up to where each document that is open was told to be durable. */
  readonly #told = new Map<DocumentKey, Position>()
  /** Readings that wait for their records, and the document of each. */
  readonly #readings = new Map<LogReadId, DocumentKey>()
  readonly #followed: FollowedLogs
  #underWay = 0
  #isGone = false
  #whenIdle: (() => void)[] = []

  constructor(options: {
    readonly node?: string | undefined
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly options: DiskOptions
    /** Shared by all stores that see the same logs. */
    readonly disk: LogDisk
    /** Takes the answers, each in an event of its own. */
    readonly receive: (input: LogInput) => void
    /** How it stands with the disk; well, when it is not said. */
    readonly health?: DiskHealth | undefined
    /** A sync has failed: nobody knows what the disk holds, and the process must end. */
    readonly fail?: (() => void) | undefined
    /** The logs are on another machine, and other nodes write them too: what was sent may be done later. */
    readonly isShared?: boolean | undefined
    /** Told what became of an append that was done, or refused, after its process had ended. */
    readonly late?: ((outcome: string) => void) | undefined
  }) {
    this.#health = options.health
    this.#fail = options.fail ?? (() => undefined)
    this.#isShared = options.isShared ?? false
    this.#late = options.late ?? (() => undefined)
    this.node = options.node ?? ''
    this.#clock = options.clock
    this.#prng = options.prng
    this.#options = options.options
    this.#disk = options.disk
    this.#receive = options.receive
    this.#followed = new FollowedLogs({
      disk: this.#disk,
      prng: this.#prng,
      health: this.#health,
      receive: this.#receive,
      after: happen => this.#in(followEveryMs * 1_000, happen),
    })
  }

  perform(effect: LogEffect): void {
    const { doc } = effect
    switch (effect.kind) {
      case 'log-open':
        this.#openLater(doc, this.#followed.take(doc))
        return
      case 'log-follow': {
        const followed = this.#followed.follow(doc)
        this.#later(doc, () => this.#followed.begin(followed))
        return
      }
      case 'log-append':
        assert(!this.#appending.has(doc), `one append of ${doc} is in flight at a time`)
        assert(effect.records.length > 0, `an append of ${doc} has at least one record`)
        this.#appending.add(doc)
        this.#write(effect, isDone => {
          this.#appending.delete(doc)
          this.#append(effect, isDone)
        })
        return
      case 'log-keep-snapshot':
        this.#write(effect, () => this.#keep(effect))
        return
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
        this.#followed.close(doc)
        this.#told.delete(doc)
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

  /** Whether nothing is under way that was to be written. */
  get isIdle(): boolean {
    return this.#written.size === 0
  }

  close(): Promise<void> {
    this.#followed.end()
    if (this.#underWay === 0) return Promise.resolve()
    return new Promise(resolve => this.#whenIdle.push(resolve))
  }

  /**
   * The node is gone at this moment, and with it what was not written: what was under way may be on
   * the disk or not, as is drawn.
   */
  crash(prng: Prng): CrashedAppends {
    this.#isGone = true
    let [kept, lost] = [0, 0]
    for (const { effect, from, isDone } of this.#written) {
      if (isDone && effect.kind === 'log-append') {
        kept += effect.records.length
        continue
      }
      const isBegun = from <= this.#clock.now
      if (effect.kind === 'log-keep-snapshot') {
        const { doc, snapshot } = effect
        const isThere = has(this.#disk.log(doc), snapshot.manifest.at)
        if (isBegun && prng.chance(0.5) && isThere) this.#disk.keep(doc, snapshot)
        continue
      }
      const count = isBegun && this.#refusalOf(effect) === undefined ? this.#leave(effect, prng) : 0
      kept += count
      lost += effect.records.length - count
    }
    this.#written.clear()
    return { kept, lost }
  }

  /** What an append that was under way has left, in records. */
  #leave(effect: Appended, prng: Prng): number {
    const { doc, epoch, records } = effect
    if (this.#isShared) return this.#leaveElsewhere(effect, prng)
    const fate = prng.pick(['none', 'claim', 'some', 'all', 'all'])
    if (fate === 'none') return 0
    this.#disk.claim(doc, epoch, this)
    if (fate === 'claim') return 0
    const kept = fate === 'all' ? records : records.slice(0, prng.below(records.length + 1))
    if (kept.length > 0) this.#disk.append(doc, kept)
    return kept.length
  }

  /** What was sent to another machine is done there whole or not, now or when somebody else may have written. */
  #leaveElsewhere(effect: Appended, prng: Prng): number {
    const fate = prng.pick(['none', 'now', 'later', 'later'])
    if (fate === 'now') return this.#apply(effect) === undefined ? effect.records.length : 0
    if (fate === 'later') {
      this.#clock.in(milliseconds(lateMaxMs * prng.fraction() ** 3), () => {
        this.#late(this.#apply(effect)?.code ?? 'done')
      })
    }
    return 0
  }

  /** @param happen told whether it was done before it could be told */
  #write(effect: Written, happen: (isDone: boolean) => void): void {
    const from = instant(Math.max(this.#clock.now, this.#busyUntil.get(effect.doc) ?? 0))
    const underWay = { effect, from, isDone: false }
    this.#written.add(underWay)
    this.#later(effect.doc, () => {
      if (this.#health?.isBroken === true) {
        // Nothing is answered from here on, and what is written stays under way: the process ends.
        this.#isGone = true
        this.#fail()
        return
      }
      const end = () => {
        this.#written.delete(underWay)
        happen(underWay.isDone)
      }
      if (this.#health?.isAway === true) this.#wait(underWay, end)
      else end()
    })
  }

  /** An append waits until the log is in reach; what is done of it meanwhile, nobody knows. */
  #wait(underWay: UnderWay, end: () => void): void {
    const { effect } = underWay
    if (effect.kind === 'log-append') {
      underWay.isDone = this.#prng.chance(0.5) && this.#apply(effect) === undefined
      this.#in(waitsToldMs * 1_000, () => {
        if (!this.#written.has(underWay)) return
        this.#receive({ kind: 'log-append-waits', doc: effect.doc, ...unreachableNow })
      })
    }
    const ask = () => {
      if (effect.kind === 'log-append' && this.#health?.isAway === true) {
        this.#in(askEveryMs * 1_000, ask)
      } else end()
    }
    ask()
  }

  /** One after the other for each document. */
  #later(doc: DocumentKey, happen: () => void): void {
    const start = Math.max(this.#clock.now, this.#busyUntil.get(doc) ?? 0)
    const at = instant(start + this.#drawMicros())
    this.#busyUntil.set(doc, at)
    this.#in(at - this.#clock.now, happen)
  }

  #in(micros: number, happen: () => void): void {
    this.#underWay++
    this.#clock.in(micros as Duration, () => {
      if (!this.#isGone) happen()
      this.#underWay--
      if (this.#underWay > 0) return
      for (const resume of this.#whenIdle.splice(0)) resume()
    })
  }

  #drawMicros(): number {
    const { syncMinMs, syncMeanMs } = this.#options
    const slowMs = this.#health?.slowMs ?? 0
    const leastMicros = (syncMinMs + slowMs) * 1000
    const micros = leastMicros - syncMeanMs * 1000 * Math.log(1 - this.#prng.fraction())
    return Math.max(1, Math.round(micros))
  }

  #read({ doc, read, after, bytesMax }: Extract<LogEffect, { kind: 'log-read' }>): void {
    if (!this.#readings.delete(read)) return
    const [records = []] = batches(this.#disk.log(doc).records.slice(after), bytesMax)
    const refusal = this.#notNow ?? (records.length > 0 ? this.#noRead : undefined)
    if (refusal !== undefined) {
      this.#receive({ kind: 'log-read-refused', doc, read, ...refusal })
      return
    }
    this.#receive({ kind: 'log-read', doc, read, records })
  }

  #openLater(doc: DocumentKey, followed: FollowedLog | undefined): void {
    this.#later(doc, () => {
      this.#told.set(doc, this.#disk.log(doc).end)
      if (followed === undefined) this.#open(doc)
      else this.#followed.open(followed)
    })
  }

  #open(doc: DocumentKey): void {
    const refusal = this.#notNow
    if (refusal !== undefined) {
      this.#receive({ kind: 'log-open-refused', doc, ...refusal })
      return
    }
    const log = this.#disk.log(doc)
    // Of a document that was never written there is nothing to read.
    const isWhole = this.#health?.isUnreadable !== true || log.records.length === 0
    const told = isWhole ? storedIn(log) : partOf(storedIn(log), this.#prng)
    const { snapshot } = told
    if (snapshot !== undefined) this.#receive({ kind: 'log-snapshot', doc, snapshot })
    for (const records of batches(told.records, readBytesMax)) {
      this.#receive({ kind: 'log-records', doc, records })
    }
    if (isWhole) this.#receive({ kind: 'log-opened', doc, epoch: log.epoch })
    else this.#receive({ kind: 'log-open-refused', doc, ...unreadable })
  }

  #append(effect: Appended, isDone: boolean): void {
    const { doc } = effect
    // What was done may be lost before it can be told.
    const isThere = isDone && has(this.#disk.log(doc), endOf(effect))
    const refusal = isThere ? undefined : this.#apply(effect)
    if (refusal !== undefined) this.#receive({ kind: 'log-append-refused', doc, ...refusal })
    else {
      // Others may have appended since it was done.
      const end = endOf(effect)
      this.#told.set(doc, end)
      this.#receive({ kind: 'log-appended', doc, seq: end.seq })
    }
  }

  /** Puts a batch into the log, or says why not. */
  #apply(effect: Appended): Refused | undefined {
    const { doc, epoch, records } = effect
    const refusal = this.#refusalOf(effect) ?? this.#noRoom
    if (refusal !== undefined) return refusal
    this.#disk.claim(doc, epoch, this)
    this.#disk.append(doc, records)
    return undefined
  }

  #keep({ doc, snapshot }: Extract<Written, { kind: 'log-keep-snapshot' }>): void {
    const { at } = snapshot.manifest
    const isGone = !has(this.#disk.log(doc), at)
    const gone = isGone ? lost(`${describePosition(at)} is not in the log`) : undefined
    const refusal = this.#notNow ?? this.#noRoom ?? gone
    if (refusal !== undefined) {
      this.#receive({ kind: 'log-snapshot-refused', doc, ...refusal })
      return
    }
    this.#disk.keep(doc, snapshot)
    this.#receive({ kind: 'log-snapshot-kept', doc, seq: snapshot.manifest.at.seq })
  }

  get #noRoom(): Refused | undefined {
    if (this.#health?.isFull === true) return outOf(noRoom)
    return this.#noFile
  }

  get #notNow(): Refused | undefined {
    return this.#health?.isAway === true ? unreachableNow : this.#noFile
  }

  get #noFile(): Refused | undefined {
    return noFile(this.#health)
  }

  get #noRead(): Refused | undefined {
    return this.#health?.isUnreadable === true ? unreadable : undefined
  }

  /** Why this is not the one who may append that there. */
  #refusalOf({ doc, epoch, after }: Appended): Refused | undefined {
    const log = this.#disk.log(doc)
    const { end } = log
    const told = this.#told.get(doc)
    const isTold = told?.seq === after.seq && equalBytes(told.hash, after.hash)
    if (isTold && !has(log, after)) {
      return lost(`${describePosition(after)}, the log ends at ${describePosition(end)}`)
    }
    if (epoch < log.epoch) return fenced(`epoch ${epoch}, the log has seen ${log.epoch}`)
    if (epoch === log.epoch && log.owner !== this) {
      return fenced(`epoch ${epoch} is another node's`)
    }
    if (after.seq === end.seq && equalBytes(after.hash, end.hash)) return undefined
    return fenced(
      `a batch after ${describePosition(after)}, the log ends at ${describePosition(end)}`,
    )
  }
}

/** Whether a log went through a position. */
const has = ({ records }: DiskLog, { seq, hash }: Position): boolean =>
  seq === 0 || equalBytes(records[seq - 1]?.chainHash ?? nothing, hash)

const nothing = new Uint8Array(0)

/** After the last record of an append. */
function endOf({ epoch, records }: Appended): Position {
  const last = records.at(-1)
  assert(last !== undefined, 'an append has at least one record')
  return { epoch, seq: last.seq, hash: last.chainHash }
}
