import {
  applyPatch,
  type Chain,
  type Change,
  decodeChange,
  type JsonObject,
  jsonBytes,
  Labels,
  type RecordedDefinition,
  type SnapshotContent,
} from '@fanfold/document'
import { assert, copyBytes, type Instant } from '@fanfold/kernel'
import {
  type DocumentKey,
  type LogRecord,
  type Position,
  partTags,
  zeroPosition,
} from '@fanfold/protocol'
import { decodeEntry, Ledger } from '@fanfold/reduction'
import type { AuthorityLimits } from './authority-limits.ts'
import type { Batch } from './batch.ts'
import { IdempotencyWindow } from './idempotency-window.ts'
import { decodeOrigin } from './origin.ts'
import { bytesAfter } from './patch-bytes.ts'

/**
 * A document as its log has it, in memory: what a restart would bring back.
 *
 * Between two batches the state is exactly this; while a batch is on its way to the log, the state
 * object is already changed and everything else here is not.
 */
export class CommittedDocument {
  readonly window: IdempotencyWindow
  /** Of a crowd that has said something. */
  #ledger: Ledger | undefined
  readonly #doc: DocumentKey
  readonly #chain: Chain
  #position: Position = zeroPosition
  #lastTimeMs = 0
  #state: JsonObject | undefined
  #definition: RecordedDefinition | undefined
  #labels = Labels.none
  #stateBytes = 0
  /** Whether `#stateBytes` is kept with each record of the log. */
  #isCounted = false
  #isDeleted = false
  #recordsSinceSnapshot = 0
  #bytesSinceSnapshot = 0

  /** @param now the instant of what is in hand */
  constructor(doc: DocumentKey, chain: Chain, limits: AuthorityLimits, now: () => Instant) {
    this.#doc = doc
    this.#chain = chain
    this.window = new IdempotencyWindow(limits.idempotency, now)
  }

  /** After the last durable record. */
  get position(): Position {
    return this.#position
  }

  /** Commit time of the last record. */
  get lastTimeMs(): number {
    return this.#lastTimeMs
  }

  /** As a snapshot of the log has it. */
  set lastTimeMs(timeMs: number) {
    this.#lastTimeMs = timeMs
  }

  /** Undefined while the document does not exist. */
  get state(): JsonObject | undefined {
    return this.#state
  }

  /** What the log says of the document's definition; undefined while it says nothing. */
  get definition(): RecordedDefinition | undefined {
    return this.#definition
  }

  /** The labels that the log says. */
  get labels(): Labels {
    return this.#labels
  }

  /** Takes labels that many documents have in place of equal ones of its own. */
  shareLabels(labels: Labels): void {
    this.#labels = labels
  }

  /** Bytes of the state as JSON. */
  get stateBytes(): number {
    return this.#stateBytes
  }

  /** How far the crowd's sessions are counted. */
  get ledger(): Ledger {
    this.#ledger ??= new Ledger()
    return this.#ledger
  }

  /** The same, as a snapshot of the log has it. */
  set ledger(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** True when there was ever a session of the crowd. */
  get hasLedger(): boolean {
    return this.#ledger !== undefined
  }

  /** True after a `delete` record. */
  get isDeleted(): boolean {
    return this.#isDeleted
  }

  /** True while the document does not exist, whatever its log may say. */
  get isVacant(): boolean {
    return this.#state === undefined && !this.#isDeleted
  }

  /**
   * Takes what the newest snapshot of the log says, before any records. With `stateBytes` the bytes of
   * the state are counted with each record from here on, rather than at the end.
   */
  restore(
    content: SnapshotContent & { readonly at: Position; readonly stateBytes: number | undefined },
  ): void {
    const { at, state, definition, stateBytes } = content
    this.#state = state
    this.#define(definition)
    this.#isDeleted = state === undefined
    this.#position = at
    if (stateBytes === undefined) return
    this.#stateBytes = stateBytes
    this.#isCounted = true
  }

  /** Counts the bytes of the state now, and from here on with each record. */
  countBytes(): void {
    this.#stateBytes = this.#state === undefined ? 0 : jsonBytes(this.#state)
    this.#isCounted = true
  }

  /** Goes back to counting the bytes of the state at the end: it is small. */
  countLater(): void {
    this.#isCounted = false
  }

  /** Takes the next record of the log. What does not follow is our bug, or the log's damage. */
  replay(record: LogRecord): void {
    assert(
      record.seq === this.#position.seq + 1,
      `${this.#doc}: the log goes on with seq ${this.#position.seq + 1}, got ${record.seq}`,
    )
    assert(
      this.#chain.verifies(record, this.#position.hash),
      `${this.#doc}: the chain hash of record ${record.seq} is right`,
    )
    this.#position = { epoch: record.epoch, seq: record.seq, hash: copyBytes(record.chainHash) }
    this.#lastTimeMs = record.timeMs
    const change = decodeChange(record)
    assert(change !== undefined, `${this.#doc}: record ${record.seq} is a ${record.kind}`)
    this.#apply(change, record.seq)
    this.#recordsSinceSnapshot++
    this.#bytesSinceSnapshot += record.bytes.length
    const crowd = record.payload(partTags.crowd)
    if (crowd !== undefined) this.ledger.enter(decodeEntry(crowd))
    this.#remember(record)
  }

  /** Everything of the log has been taken. */
  opened(): void {
    this.window.advance({ seq: this.#position.seq, timeMs: this.#lastTimeMs })
    if (!this.#isCounted) this.countBytes()
  }

  /** The batch is durable. */
  commit(batch: Batch): void {
    // The hash is a view of the last record, which need not be kept for it.
    this.#position = { ...batch.end, hash: copyBytes(batch.end.hash) }
    this.#lastTimeMs = batch.lastTimeMs
    this.#state = batch.state
    this.#definition = batch.definition
    this.#labels = batch.labels
    this.#stateBytes = batch.stateBytes
    this.#isDeleted = batch.isDeleted
    const entry = batch.crowd?.entry
    if (entry !== undefined) this.ledger.enter(entry)
    for (const { subject, id, at } of batch.committed) this.window.add(subject, id, at)
    this.window.advance({ seq: batch.end.seq, timeMs: batch.lastTimeMs })
    this.#recordsSinceSnapshot += batch.records.length
    for (const record of batch.records) this.#bytesSinceSnapshot += record.bytes.length
  }

  /** True when the log is to be given a snapshot. */
  isSnapshotDue(limits: AuthorityLimits): boolean {
    // A snapshot costs as much as the state is large: it waits until as much has changed.
    if (this.#bytesSinceSnapshot < this.#stateBytes) return false
    const bytesDue = Math.max(limits.snapshotEveryBytes, 2 * this.#stateBytes)
    return (
      this.#bytesSinceSnapshot >= bytesDue ||
      this.#recordsSinceSnapshot >= limits.snapshotEveryRecords
    )
  }

  /** A snapshot at this position is on its way to the log: the next one is due so much later. */
  snapshotBegun(): void {
    this.#recordsSinceSnapshot = 0
    this.#bytesSinceSnapshot = 0
  }

  #define(definition: RecordedDefinition | undefined): void {
    this.#definition = definition
    this.#labels = Labels.compile(definition?.labels ?? [])
  }

  #apply(change: Change, seq: number): void {
    switch (change.kind) {
      case 'create':
        this.#state = {}
        this.#stateBytes = 2
        break
      case 'delta':
        assert(this.#state !== undefined, `${this.#doc}: a delta follows a create, seq ${seq}`)
        break
      case 'definition':
        this.#define(change.definition)
        break
      case 'delete':
        this.#state = undefined
        this.#stateBytes = 0
        this.#isDeleted = true
        return
      case 'none':
        return
    }
    if (change.patch.length === 0) return
    // One by one where they are counted: each is looked at before it is applied.
    const patches = this.#isCounted ? change.patch.map(operation => [operation]) : [change.patch]
    for (const patch of patches) {
      assert(this.#state !== undefined, `${this.#doc}: a patch is of a state, seq ${seq}`)
      const [first] = patch
      if (this.#isCounted && first !== undefined) {
        this.#stateBytes = bytesAfter(this.#stateBytes, this.#state, first)
      }
      const state = applyPatch(this.#state, patch)
      assert(state !== undefined, `${this.#doc}: the patch of record ${seq} applies`)
      this.#state = state
    }
  }

  #remember(record: LogRecord): void {
    const payload = record.payload(partTags.authority)
    const origin = payload === undefined ? undefined : decodeOrigin(payload)
    const { epoch, seq, timeMs } = record
    if (origin?.id !== undefined) this.window.add(origin.by, origin.id, { epoch, seq, timeMs })
  }
}
