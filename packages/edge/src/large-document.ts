/*
 * A document so large that nobody writes its views out in a turn. Its last snapshot and the records
 * since are kept as they came; a worker is opened with them when somebody needs a view, and fed what
 * the cohorts are shown. When the records are as much as another snapshot, the worker makes one, which
 * takes their place. A worker that nobody asks anything is closed.
 *
 * A document that grows is written out once in a turn, when it is as large as that may be. When no worker
 * makes snapshots for long, the loop makes them in slices (`loop-snapshots.ts`): what is kept stays bounded.
 */
import type {
  JsonValue,
  Replica,
  ReplicaWorkerEffect,
  ReplicaWorkerInput,
  Snapshot,
  WorkerReplicaId,
  WorkerViewId,
} from '@fanfold/document'
import { after, assert, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey, LogRecord } from '@fanfold/protocol'
import { type RecordRing, recordsAfter, type WorkerNames } from '@fanfold/replication'
import type { LargeWork } from './large-work.ts'
import type { KeptDocument } from './loop-snapshots.ts'
import type { Turn } from './turn.ts'
import type { MadeView } from './view-framing.ts'

/** What a view is for. */
export type ViewWish = {
  /** Text of the edge variant. */
  readonly variant: Uint8Array
  readonly audience: JsonValue
  readonly clearance: number
  readonly viewState: JsonValue | undefined
}

/** Called with the view, or with undefined: as it failed by its rules, or the worker did, or nobody waited. */
export type TakeView = (view: MadeView | undefined, isFailed: boolean) => void

/** A view that the worker was not asked for yet. */
type Waiting = {
  readonly wish: ViewWish
  readonly seq: number
  /** Whether somebody still waits for it. */
  readonly isWanted: () => boolean
  readonly take: TakeView
}

/** Views that the worker is asked for at a time: what waits here may still be forgotten. */
const viewsAskedMax = 2

/** A worker that nobody asked anything for so long is closed. */
const idleMax = milliseconds(60_000)
/** Records are kept up to so many times the bytes of the snapshot, and those that come while it is made. */
const recordsPerSnapshotMax = 4

/** What is kept of one document for a worker. */
export class LargeDocument implements KeptDocument {
  readonly #doc: DocumentKey
  readonly #replica: Replica
  readonly #ring: RecordRing
  readonly #turn: Turn
  readonly #largeBytes: number
  readonly #names: WorkerNames
  readonly #work: LargeWork
  #snapshot: Snapshot | undefined
  #snapshotBytes = 0
  /** Those after the snapshot. */
  #records: LogRecord[] = []
  #recordBytes = 0
  #worker: WorkerReplicaId | undefined
  #fedSeq = 0
  #isEncoding = false
  /** A worker that failed is not asked for another snapshot before there are so many more records. */
  #encodeFromBytes = 0
  #idleAt: Instant | undefined
  readonly #wishes = new Map<WorkerViewId, TakeView>()
  /** Views to be asked for, none later than the one behind it; the worker is fed no further before. */
  #waiting: Waiting[] = []

  constructor(options: {
    readonly doc: DocumentKey
    readonly replica: Replica
    readonly ring: RecordRing
    readonly turn: Turn
    /** Bytes of a state, written out, from which it is large. */
    readonly largeBytes: number
    readonly names: WorkerNames
    readonly work: LargeWork
  }) {
    this.#doc = options.doc
    this.#replica = options.replica
    this.#ring = options.ring
    this.#turn = options.turn
    this.#largeBytes = options.largeBytes
    this.#names = options.names
    this.#work = options.work
  }

  /** True when no turn may write a view of it out. */
  get isLarge(): boolean {
    return this.#snapshot !== undefined
  }

  /** What it is likely to be, written out. */
  get bytes(): number {
    return this.#snapshotBytes + this.#recordBytes
  }

  /** The document is another one, or has begun anew. */
  reset(): void {
    this.clear()
    const snapshot = this.#replica.lastSnapshot
    if (snapshot === undefined || this.#replica.isDeleted) return
    if (bytesOf(snapshot) <= this.#largeBytes) return
    // Some came while the snapshot was read in.
    const records = recordsAfter(this.#replica, this.#ring, snapshot.manifest.at.seq)
    assert(records !== undefined, `${this.#doc} is shown with what follows its large snapshot`)
    this.#snapshot = snapshot
    this.#snapshotBytes = bytesOf(snapshot)
    for (const record of records) this.append(record)
  }

  /** The document goes on by a record; one that was there when it began anew is nothing. */
  append(record: LogRecord): void {
    if (this.#snapshot === undefined) return
    const last = this.#records.at(-1) ?? this.#snapshot.manifest.at
    if (record.seq <= last.seq) return
    this.#records.push(record)
    this.#recordBytes += record.bytes.length
  }

  /** Nothing is held any more, and nobody waits for a view any more. */
  clear(): void {
    this.#snapshot = undefined
    this.#records = []
    this.#recordBytes = 0
    this.#encodeFromBytes = 0
    this.#work.snapshots.delete(this.#doc)
    this.#work.framing.delete(this.#doc)
    this.#wishes.clear()
    this.#waiting = []
    this.#close()
  }

  /** All that came is shown: a document that has grown is large from now on. */
  settle(): void {
    const { lastSnapshot, bytesSinceSnapshot } = this.#replica
    if (this.#snapshot !== undefined) {
      const due = Math.max(this.#largeBytes, this.#snapshotBytes)
      if (this.#recordBytes > Math.max(due, this.#encodeFromBytes)) this.#encode()
      if (this.#recordBytes > recordsPerSnapshotMax * due) this.#work.snapshots.add(this.#doc, this)
      return
    }
    const bytes = lastSnapshot === undefined ? 0 : bytesOf(lastSnapshot)
    const isGrown = bytesSinceSnapshot > this.#largeBytes / 2
    if (!isGrown || bytes + bytesSinceSnapshot <= this.#largeBytes) return
    if (this.#replica.snapshot() !== undefined) this.reset()
  }

  /** What the loop makes a snapshot of, as no worker does. */
  get kept(): { readonly snapshot: Snapshot; readonly records: readonly LogRecord[] } | undefined {
    return this.#snapshot && { snapshot: this.#snapshot, records: this.#records }
  }

  /** The loop has made one. */
  remade(snapshot: Snapshot): void {
    // A worker that views are awaited from goes on from what it has.
    this.#askNext(Number.POSITIVE_INFINITY)
    if (this.#worker !== undefined) this.#feed(this.#replica.position.seq)
    this.#advance(snapshot)
  }

  /**
   * A view of the document at `seq`, which no other was later than, made by the worker in its turn; not
   * at all when nobody waits for it any more by then.
   */
  view(wish: ViewWish, seq: number, isWanted: () => boolean, take: TakeView): void {
    const waiting = { wish, seq, isWanted, take }
    if (this.#wishes.size < viewsAskedMax && this.#waiting.length === 0) this.#ask(waiting)
    else this.#waiting.push(waiting)
  }

  /** Takes what the worker has answered. */
  receive(input: ReplicaWorkerInput): void {
    switch (input.kind) {
      case 'worker-viewed': {
        const { view, pieces } = input
        const take = this.#wishes.get(view)
        this.#wishes.delete(view)
        if (pieces === undefined) take?.(undefined, true)
        else if (take !== undefined) {
          this.#work.framing.add({ doc: this.#doc, pieces, take: made => take(made, false) })
        }
        this.#askNext(viewsAskedMax)
        return
      }
      case 'worker-encoded':
        this.#isEncoding = false
        this.#advance(input.snapshot)
        return
      case 'worker-failed':
        this.#fail()
    }
  }

  wakeAt(): Instant | undefined {
    return this.#idleAt
  }

  tick(now: Instant): void {
    if (this.#idleAt === undefined || this.#idleAt > now) return
    if (this.#wishes.size > 0 || this.#isEncoding) this.#idleAt = after(now, idleMax)
    else this.#close()
  }

  /** Asks for views that wait and are wanted, while so many are under way. */
  #askNext(countMax: number): void {
    while (this.#wishes.size < countMax) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      if (next.isWanted()) this.#ask(next)
      else next.take(undefined, false)
    }
  }

  #ask({ wish, seq, take }: Waiting): void {
    this.#feed(seq)
    assert(this.#worker !== undefined, 'only views of large documents are made by a worker')
    const view = this.#names.nextView()
    this.#wishes.set(view, take)
    this.#push({ kind: 'worker-view', replica: this.#worker, view, ...wish })
  }

  /** The worker is there, and has the records up to `seq`. */
  #feed(seq: number): void {
    const snapshot = this.#snapshot
    if (snapshot === undefined) return
    this.#idleAt = after(this.#turn.now, idleMax)
    if (this.#worker === undefined) {
      this.#worker = this.#names.take(this.#doc)
      this.#fedSeq = snapshot.manifest.at.seq
      this.#push({ kind: 'worker-open', replica: this.#worker, snapshot })
    }
    const records = this.#records.filter(record => record.seq > this.#fedSeq && record.seq <= seq)
    const last = records.at(-1)
    if (last === undefined) return
    this.#fedSeq = last.seq
    this.#push({ kind: 'worker-feed', replica: this.#worker, records })
  }

  #encode(): void {
    if (this.#isEncoding) return
    this.#askNext(Number.POSITIVE_INFINITY)
    this.#feed(this.#replica.position.seq)
    if (this.#worker === undefined) return
    this.#isEncoding = true
    this.#push({ kind: 'worker-encode', replica: this.#worker })
  }

  /** A newer snapshot takes the place of the records that it holds; a small one, of being large. */
  #advance(snapshot: Snapshot): void {
    const { seq } = snapshot.manifest.at
    // Written out meanwhile: the records after this one are not held any more.
    if (this.#snapshot === undefined || seq <= this.#snapshot.manifest.at.seq) return
    const bytes = bytesOf(snapshot)
    if (bytes <= this.#largeBytes / 2 && this.#wishes.size === 0) {
      this.clear()
      return
    }
    this.#work.snapshots.delete(this.#doc)
    this.#snapshot = snapshot
    this.#snapshotBytes = bytes
    this.#records = this.#records.filter(record => record.seq > seq)
    this.#recordBytes = this.#records.reduce((sum, record) => sum + record.bytes.length, 0)
  }

  /** The worker has no replica any more: whoever waits for a view hears of it. */
  #fail(): void {
    const more = Math.max(this.#largeBytes, this.#snapshotBytes / 2)
    if (this.#isEncoding) this.#encodeFromBytes = this.#recordBytes + more
    this.#forgetWorker()
    const wishes = [...this.#wishes.values(), ...this.#waiting.map(({ take }) => take)]
    this.#wishes.clear()
    this.#waiting = []
    for (const take of wishes) take(undefined, false)
  }

  #close(): void {
    if (this.#worker !== undefined) this.#push({ kind: 'worker-close', replica: this.#worker })
    this.#forgetWorker()
  }

  #forgetWorker(): void {
    if (this.#worker !== undefined) this.#names.free(this.#worker)
    this.#worker = undefined
    this.#isEncoding = false
    this.#idleAt = undefined
  }

  #push(effect: ReplicaWorkerEffect): void {
    this.#turn.push(effect)
  }
}

const bytesOf = ({ manifest }: Snapshot): number =>
  manifest.pieces.reduce((sum, { bytes }) => sum + bytes, 0)
