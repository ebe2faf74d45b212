/*
 * Snapshots of a large document, made by a worker: this loop never reads it in nor writes it out.
 *
 * The replica is its last snapshot and the records since. When a newer snapshot is wanted, the worker is
 * opened with that, fed with these some bytes at a time, and asked; what it makes takes the place of the
 * last snapshot and of the records it covers. A worker that fails is begun once again from the snapshot;
 * when that fails too, the document is fetched anew. One that was not needed for a while is closed.
 */
import type {
  Replica,
  ReplicaWorkerEffect,
  ReplicaWorkerInput,
  WorkerReplicaId,
} from '@fanfold/document'
import { after, assert, type EffectSink, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey, LogRecord } from '@fanfold/protocol'
import type { PiecePacker } from './piece-packer.ts'
import type { WorkerNames } from './worker-names.ts'

/** Bytes of records that the worker is fed in one turn: they are copied. */
const feedBytesPerTurn = 4_194_304
/** How long a worker that nobody needs is kept. */
const idleMaxMs = 60_000

/** What became of a snapshot that was asked for. */
export type WorkerOutcome = 'ready' | 'again' | 'broken' | 'nothing'

/** The worker of one document. */
export class WorkerSnapshots {
  readonly #packer: PiecePacker
  readonly #doc: DocumentKey
  readonly #names: WorkerNames
  /** What the worker calls the document, while it has it. */
  #id: WorkerReplicaId | undefined
  /** Seq of the last record that the worker has. */
  #fedSeq = 0
  #isWanted = false
  #isEncoding = false
  /** Failures since a snapshot was made last. */
  #failures = 0
  #idleAt: Instant | undefined

  constructor(options: {
    readonly doc: DocumentKey
    readonly packer: PiecePacker
    readonly names: WorkerNames
  }) {
    this.#doc = options.doc
    this.#packer = options.packer
    this.#names = options.names
  }

  /** True while a newer snapshot is wanted or made. */
  get isBusy(): boolean {
    return this.#isWanted || this.#isEncoding
  }

  /** True when `step` has something to do. */
  get isStepDue(): boolean {
    return this.#isWanted && !this.#isEncoding
  }

  /** When `tick` has something to do. */
  get wakeAt(): Instant | undefined {
    return this.#idleAt
  }

  /** A newer snapshot is wanted: one that is being made counts. */
  want(): void {
    if (!this.#isEncoding) this.#isWanted = true
  }

  /** Opens the worker, feeds it, or asks it: the next of that which is due. */
  step(replica: Replica, effects: EffectSink<ReplicaWorkerEffect>): void {
    const snapshot = replica.lastSnapshot
    if (!this.isStepDue || snapshot === undefined) return
    this.#idleAt = undefined
    if (this.#id !== undefined && this.#fedSeq < replica.appliedSeq) {
      // The document was small for a while: what the worker has not got was applied here.
      effects.push({ kind: 'worker-close', replica: this.#id })
      this.#forget()
    }
    if (this.#id === undefined) {
      this.#id = this.#names.take(this.#doc)
      this.#fedSeq = snapshot.manifest.at.seq
      effects.push({ kind: 'worker-open', replica: this.#id, snapshot })
      return
    }
    const records = this.#nextToFeed(replica)
    const last = records.at(-1)
    if (last !== undefined) {
      this.#fedSeq = last.seq
      effects.push({ kind: 'worker-feed', replica: this.#id, records })
    }
    if (this.#fedSeq < replica.position.seq) return
    this.#isWanted = false
    this.#isEncoding = true
    effects.push({ kind: 'worker-encode', replica: this.#id })
  }

  #nextToFeed(replica: Replica): readonly LogRecord[] {
    const waiting = replica.waitingAfter(this.#fedSeq)
    let bytes = 0
    let count = 0
    for (; count < waiting.length && bytes < feedBytesPerTurn; count++) {
      bytes += (waiting[count] as LogRecord).bytes.length
    }
    return waiting.slice(0, count)
  }

  /** Takes an answer of the worker; a snapshot goes to the replica. */
  receive(input: ReplicaWorkerInput, replica: Replica, now: Instant): WorkerOutcome {
    if (input.replica !== this.#id) return 'nothing'
    if (input.kind === 'worker-failed') return this.#failed()
    if (input.kind !== 'worker-encoded' || !this.#isEncoding) return 'nothing'
    const { snapshot, packed } = input
    assert(
      snapshot.manifest.at.seq <= this.#fedSeq,
      `a snapshot of what was fed, up to ${this.#fedSeq}, got one at ${snapshot.manifest.at.seq}`,
    )
    for (const [index, piece] of snapshot.pieces.entries()) {
      const asPacked = packed[index]
      if (asPacked !== undefined) this.#packer.remember(piece, asPacked)
    }
    this.#isEncoding = false
    this.#failures = 0
    this.#idleAt = after(now, milliseconds(idleMaxMs))
    replica.advance(snapshot)
    return 'ready'
  }

  /** Closes a worker that nobody has needed for a while. */
  tick(now: Instant, effects: EffectSink<ReplicaWorkerEffect>): void {
    if (this.#idleAt !== undefined && now >= this.#idleAt) this.close(effects)
  }

  /** The worker may forget the document: it is let go, or was fetched anew. */
  close(effects: EffectSink<ReplicaWorkerEffect>): void {
    if (this.#id !== undefined) effects.push({ kind: 'worker-close', replica: this.#id })
    this.#forget()
    this.#isWanted = false
    this.#failures = 0
  }

  /** One that nobody waits for has made room for others, which is no failure. */
  #failed(): WorkerOutcome {
    const wasNeeded = this.#isEncoding || this.#isWanted
    this.#forget()
    if (!wasNeeded) return 'nothing'
    this.#failures++
    this.#isWanted = this.#failures < 2
    return this.#isWanted ? 'again' : 'broken'
  }

  #forget(): void {
    if (this.#id !== undefined) this.#names.free(this.#id)
    this.#id = undefined
    this.#isEncoding = false
    this.#idleAt = undefined
  }
}
