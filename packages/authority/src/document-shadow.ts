/*
 * The shadow of a large document: a replica at a worker, which writes the state out where it takes as
 * long as it takes. The state itself is changed in place on the loop and never written out there.
 *
 *   none ─ open ─▶ live ─ failed ─▶ lost ─ a snapshot is wanted ─▶ catching up ─ at the end ─▶ live
 *
 * A live shadow is fed with each batch that is committed, so what it writes out is of the last one. One
 * that is lost is seeded again by the newest snapshot and what the log has after it, when the next
 * snapshot is wanted and not before: a worker that has no room for all of its replicas is not asked to
 * bring back those that nobody needs. For that the newest snapshot is kept as long as the document is
 * large, which is less than its state takes.
 *
 * Whoever waits for a snapshot longer than `snapshotWaitMaxMs` is refused and asks again: never silence.
 */
import type {
  LogInput,
  LogReadId,
  ReplicaWorkerInput,
  Snapshot,
  WorkerReplicaId,
} from '@fanfold/document'
import {
  after,
  assert,
  Backoff,
  copyBytes,
  earliest,
  equalBytes,
  type Instant,
  milliseconds,
  Prng,
  toHex,
} from '@fanfold/kernel'
import type { DocumentKey, LogRecord, Position } from '@fanfold/protocol'
import type { AuthorityContext } from './authority-context.ts'
import type { AuthorityEffect } from './authority-effect.ts'
import type { CommittedDocument } from './committed-document.ts'
import type { LogSnapshotWriting } from './log-snapshot.ts'

/** A child waits so long for a snapshot before it is refused, ms. */
export const snapshotWaitMaxMs = 5_000
/** Waits before a shadow that was lost is seeded again. */
const seedBackoff = { base: milliseconds(100), max: milliseconds(10_000) }
/** Bytes of records that are read from the log in one turn to seed a shadow. */
const readBytesMax = 131_072

/** A snapshot that the worker was asked for. */
type Ask = { readonly seq: number; readonly writing: LogSnapshotWriting | undefined }

/** A shadow that is still behind. */
type CatchUp = { readonly read: LogReadId; after: Position }

/** One document's shadow; without one while it is small. */
export class DocumentShadow {
  readonly #doc: DocumentKey
  readonly #context: AuthorityContext
  readonly #committed: CommittedDocument
  /** The newest snapshot; there is one while the document is large. */
  #snapshot: Snapshot | undefined
  #replica: WorkerReplicaId | undefined
  #catchUp: CatchUp | undefined
  readonly #asked: Ask[] = []
  /** Since when a snapshot is wanted that is not there. */
  #waitingSince: Instant | undefined
  #seedAt: Instant | undefined
  #backoff: Backoff | undefined

  constructor(options: {
    readonly doc: DocumentKey
    readonly context: AuthorityContext
    readonly committed: CommittedDocument
  }) {
    this.#doc = options.doc
    this.#context = options.context
    this.#committed = options.committed
  }

  /** True while the state is not to be written out on the loop. */
  get isLarge(): boolean {
    return this.#snapshot !== undefined
  }

  /** The newest snapshot, however old. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  /** True when what is fed reaches it, and it can be asked. */
  get isLive(): boolean {
    return this.#replica !== undefined && this.#catchUp === undefined
  }

  /** When `tick` has something to do. */
  get wakeAt(): Instant | undefined {
    const since = this.#waitingSince
    if (since === undefined) return undefined
    const isLost = this.#replica === undefined
    return earliest(
      after(since, milliseconds(snapshotWaitMaxMs)),
      isLost ? this.#seedAt : undefined,
    )
  }

  /** The document is large from here on: its shadow begins with this snapshot of now. */
  open(snapshot: Snapshot, effects: AuthorityEffect[]): void {
    assert(!this.isLarge, `${this.#doc} becomes large once`)
    this.#snapshot = snapshot
    this.#seed(snapshot, effects)
  }

  /** The next records, which are committed. */
  feed(records: readonly LogRecord[], effects: AuthorityEffect[]): void {
    const replica = this.#replica
    if (replica === undefined || !this.isLive) return
    effects.push({ kind: 'worker-feed', replica, records })
  }

  /** A snapshot of now is wanted; it is returned if it is there. */
  want(): Snapshot | undefined {
    const { position } = this.#committed
    if (this.#snapshot?.manifest.at.seq === position.seq) return this.#snapshot
    this.#waitingSince ??= this.#context.now()
    return undefined
  }

  /** Does what is to be done for a snapshot that is wanted. */
  advance(effects: AuthorityEffect[]): void {
    if (this.#waitingSince === undefined) return
    // What is on its way may be new enough: one for all who wait.
    if (this.isLive && this.#asked.length === 0) this.#encode(undefined, effects)
    else if (this.#replica === undefined) this.#seedAgain(effects)
  }

  /** Asks a live shadow for the part of a snapshot for the log that children may get. */
  encodeFor(writing: LogSnapshotWriting, effects: AuthorityEffect[]): void {
    assert(this.isLive, `the shadow of ${this.#doc} is live when it is asked`)
    this.#encode(writing, effects)
  }

  /** Brings a lost shadow back, as far as that is to be tried now. */
  seekBack(effects: AuthorityEffect[]): void {
    if (this.#replica === undefined) this.#seedAgain(effects)
  }

  /** True when those who wait for a snapshot have waited for too long; they wait no more. */
  takeOverdue(): boolean {
    const since = this.#waitingSince
    if (since === undefined) return false
    if (after(since, milliseconds(snapshotWaitMaxMs)) > this.#context.now()) return false
    this.#waitingSince = undefined
    return true
  }

  /** Takes an answer of the worker; the snapshot for the log that it was for, and whether it failed. */
  receive(
    input: ReplicaWorkerInput,
    effects: AuthorityEffect[],
  ): { readonly writing: LogSnapshotWriting; readonly hasFailed: boolean } | undefined {
    if (input.replica !== this.#replica) return undefined
    switch (input.kind) {
      case 'worker-encoded':
        return this.#encoded(input, effects)
      case 'worker-failed':
        this.#context.workerNames.free(input.replica)
        this.#replica = undefined
        return this.#lose(input.message, effects)
      case 'worker-viewed':
        return undefined
    }
  }

  /** Takes what the log has after the snapshot that the shadow was seeded by. */
  receiveRead(
    input: Extract<LogInput, { kind: 'log-read' | 'log-read-refused' }>,
    effects: AuthorityEffect[],
  ): void {
    const catchUp = this.#catchUp
    const replica = this.#replica
    if (catchUp === undefined || replica === undefined || catchUp.read !== input.read) return
    if (input.kind === 'log-read-refused') {
      this.#catchUp = undefined
      this.#giveUp(input.message, effects)
      return
    }
    const { position } = this.#committed
    // What the log has over that is fed once it is told to be durable.
    const records = input.records.filter(record => record.seq <= position.seq)
    for (const record of records) {
      if (!this.#context.chain.verifies(record, catchUp.after.hash)) {
        this.#giveUp(`record ${record.seq} of another chain`, effects)
        return
      }
      catchUp.after = { epoch: record.epoch, seq: record.seq, hash: copyBytes(record.chainHash) }
    }
    if (records.length > 0) effects.push({ kind: 'worker-feed', replica, records })
    this.#readOn(effects)
    this.advance(effects)
  }

  /** The document is small again, or is served no more. */
  close(effects: AuthorityEffect[]): void {
    this.#end(effects)
    this.#snapshot = undefined
    this.#waitingSince = undefined
    this.#asked.length = 0
  }

  #encode(writing: LogSnapshotWriting | undefined, effects: AuthorityEffect[]): void {
    const replica = this.#replica
    assert(replica !== undefined, `the shadow of ${this.#doc} is asked while there is one`)
    this.#asked.push({ seq: this.#committed.position.seq, writing })
    effects.push({ kind: 'worker-encode', replica })
  }

  #encoded(
    { snapshot, packed }: Extract<ReplicaWorkerInput, { kind: 'worker-encoded' }>,
    effects: AuthorityEffect[],
  ): ReturnType<DocumentShadow['receive']> {
    const ask = this.#asked.shift()
    assert(ask !== undefined, `the shadow of ${this.#doc} answers what it was asked`)
    const { writing } = ask
    const { seq } = snapshot.manifest.at
    if (seq !== ask.seq) {
      const lost = this.#giveUp(`a snapshot at ${seq}, asked for at ${ask.seq}`, effects)
      return writing === undefined ? lost : { writing, hasFailed: true }
    }
    this.#snapshot = snapshot
    for (const [index, piece] of snapshot.pieces.entries()) {
      const packedPiece = packed[index]
      if (packedPiece !== undefined) this.#context.packer.remember(piece, packedPiece)
    }
    this.#waitingSince = undefined
    this.#backoff = undefined
    if (writing === undefined) return undefined
    writing.take(snapshot)
    return { writing, hasFailed: false }
  }

  /** The shadow is of no use: it is closed, and lost. */
  #giveUp(message: string, effects: AuthorityEffect[]): ReturnType<DocumentShadow['receive']> {
    this.#end(effects)
    return this.#lose(message, effects)
  }

  #end(effects: AuthorityEffect[]): void {
    const replica = this.#replica
    this.#replica = undefined
    this.#stopReading(effects)
    if (replica === undefined) return
    this.#context.workerNames.free(replica)
    effects.push({ kind: 'worker-close', replica })
  }

  #lose(message: string, effects: AuthorityEffect[]): ReturnType<DocumentShadow['receive']> {
    this.#stopReading(effects)
    this.#backoff ??= new Backoff(seedBackoff, new Prng(toHex(this.#context.randomBytes(8))))
    this.#seedAt = after(this.#context.now(), this.#backoff.next())
    effects.push({ kind: 'fact', fact: { event: 'shadow-lost', doc: this.#doc, message } })
    const asked = this.#asked.splice(0)
    const writing = asked.find(ask => ask.writing !== undefined)?.writing
    return writing === undefined ? undefined : { writing, hasFailed: true }
  }

  #seedAgain(effects: AuthorityEffect[]): void {
    const snapshot = this.#snapshot
    if (snapshot === undefined) return
    if (this.#seedAt !== undefined && this.#seedAt > this.#context.now()) return
    this.#seed(snapshot, effects)
    const { at } = snapshot.manifest
    this.#catchUp = { read: this.#context.nextRead(), after: at }
    this.#readOn(effects)
    this.advance(effects)
  }

  #seed(snapshot: Snapshot, effects: AuthorityEffect[]): void {
    const replica = this.#context.workerNames.take(this.#doc)
    this.#replica = replica
    effects.push({ kind: 'worker-open', replica, snapshot })
  }

  /** Reads on in the log, up to the last record that is committed: from there on it is fed. */
  #readOn(effects: AuthorityEffect[]): void {
    const catchUp = this.#catchUp
    if (catchUp === undefined) return
    const { position } = this.#committed
    const doc = this.#doc
    const { read } = catchUp
    if (catchUp.after.seq < position.seq) {
      const { seq } = catchUp.after
      effects.push({ kind: 'log-read', doc, read, after: seq, bytesMax: readBytesMax })
      return
    }
    assert(equalBytes(catchUp.after.hash, position.hash), `the log of ${doc} is one chain`)
    this.#stopReading(effects)
  }

  #stopReading(effects: AuthorityEffect[]): void {
    const catchUp = this.#catchUp
    this.#catchUp = undefined
    if (catchUp === undefined) return
    effects.push({ kind: 'log-read-close', doc: this.#doc, read: catchUp.read })
  }
}
