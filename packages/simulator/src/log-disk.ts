import type { Snapshot } from '@fanfold/document'
import type { Instant } from '@fanfold/kernel'
import { type DocumentKey, type LogRecord, type Position, zeroPosition } from '@fanfold/protocol'

/** Snapshots kept of one document. */
const snapshotsMax = 2

/** One document's log as it is durable. */
export class DiskLog {
  readonly records: LogRecord[] = []
  /** The newest ones, oldest first. */
  readonly snapshots: Snapshot[] = []
  /** The highest epoch claimed. */
  epoch = 0
  /** The store that has claimed it. */
  owner: object | undefined
  /** How it was after each time that it changed, the oldest first. */
  readonly #changes: (Pick<DiskLog, 'epoch' | 'owner'> & {
    readonly at: Instant
    readonly seq: number
    readonly snapshots: readonly Snapshot[]
  })[] = []

  /** It has changed. */
  changed(at: Instant): void {
    const { epoch, owner, snapshots, records } = this
    this.#changes.push({ at, epoch, owner, seq: records.length, snapshots: [...snapshots] })
  }

  /** It is as it was then; tells how many records it has lost. */
  fallBack(to: Instant): number {
    const kept = this.#changes.findLastIndex(({ at }) => at <= to) + 1
    this.#changes.length = kept
    const { epoch = 0, owner, seq = 0, snapshots = [] } = this.#changes[kept - 1] ?? {}
    Object.assign(this, { epoch, owner })
    this.snapshots.splice(0, this.snapshots.length, ...snapshots)
    return this.records.splice(seq).length
  }

  /** After the last record. */
  get end(): Position {
    const last = this.records.at(-1)
    if (last === undefined) return zeroPosition
    return { epoch: last.epoch, seq: last.seq, hash: last.chainHash }
  }
}

/** A process that claims epochs. */
export type Claimant = {
  /** Its node. */
  readonly node: string
}

/** Who may look at what becomes durable, in the event in which it does. */
export type DiskWatch = {
  epochIsClaimed(doc: DocumentKey, epoch: number, by: Claimant): void
  recordsAreDurable(doc: DocumentKey, records: readonly LogRecord[]): void
  /** The log ends here again, under this epoch: what it had after that is gone. */
  endIsLost(doc: DocumentKey, end: { readonly seq: number; readonly epoch: number }): void
  snapshotIsKept(doc: DocumentKey, snapshot: Snapshot): void
}

/** What is durable in a world, or on one node's disk: it outlives the stores that write it. */
export class LogDisk {
  readonly #logs = new Map<DocumentKey, DiskLog>()
  readonly #watch: DiskWatch | undefined
  readonly #clock: { readonly now: Instant } | undefined

  /** @param clock for a disk that may fall back to what it was */
  constructor(watch?: DiskWatch, clock?: { readonly now: Instant }) {
    this.#watch = watch
    this.#clock = clock
  }

  /** Documents that have a log. */
  get docs(): DocumentKey[] {
    return [...this.#logs.keys()]
  }

  /** The log of a document; an empty one when it has none. */
  log(doc: DocumentKey): DiskLog {
    let log = this.#logs.get(doc)
    if (log === undefined) {
      log = new DiskLog()
      this.#logs.set(doc, log)
    }
    return log
  }

  /** From now on the log is the store's, under this epoch. */
  claim(doc: DocumentKey, epoch: number, by: Claimant): void {
    const log = this.log(doc)
    log.epoch = epoch
    log.owner = by
    this.#noteChange(log)
    this.#watch?.epochIsClaimed(doc, epoch, by)
  }

  /** Adds records that follow the last one. */
  append(doc: DocumentKey, records: readonly LogRecord[]): void {
    const log = this.log(doc)
    log.records.push(...records)
    this.#noteChange(log)
    this.#watch?.recordsAreDurable(doc, records)
  }

  /** Keeps a snapshot, and drops the oldest one too many. */
  keep(doc: DocumentKey, snapshot: Snapshot): void {
    const log = this.log(doc)
    const { snapshots } = log
    snapshots.push(snapshot)
    snapshots.sort((a, b) => a.manifest.at.seq - b.manifest.at.seq)
    if (snapshots.length > snapshotsMax) snapshots.shift()
    this.#noteChange(log)
    this.#watch?.snapshotIsKept(doc, snapshot)
  }

  /**
   * All is as it was then, as where a copy takes over that had heard of nothing since; tells how many records
   * are gone.
   */
  fallBack(to: Instant): number {
    let lost = 0
    for (const [doc, log] of this.#logs) {
      lost += log.fallBack(to)
      this.#watch?.endIsLost(doc, { seq: log.records.length, epoch: log.epoch })
    }
    return lost
  }

  #noteChange(log: DiskLog): void {
    if (this.#clock !== undefined) log.changed(this.#clock.now)
  }
}
