import type { Snapshot } from '@fanfold/document'
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
  snapshotIsKept(doc: DocumentKey, snapshot: Snapshot): void
}

/** What is durable in a world, or on one node's disk: it outlives the stores that write it. */
export class LogDisk {
  readonly #logs = new Map<DocumentKey, DiskLog>()
  readonly #watch: DiskWatch | undefined

  constructor(watch?: DiskWatch) {
    this.#watch = watch
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
    this.#watch?.epochIsClaimed(doc, epoch, by)
  }

  /** Adds records that follow the last one. */
  append(doc: DocumentKey, records: readonly LogRecord[]): void {
    this.log(doc).records.push(...records)
    this.#watch?.recordsAreDurable(doc, records)
  }

  /** Keeps a snapshot, and drops the oldest one too many. */
  keep(doc: DocumentKey, snapshot: Snapshot): void {
    const { snapshots } = this.log(doc)
    snapshots.push(snapshot)
    snapshots.sort((a, b) => a.manifest.at.seq - b.manifest.at.seq)
    if (snapshots.length > snapshotsMax) snapshots.shift()
    this.#watch?.snapshotIsKept(doc, snapshot)
  }
}
