import {
  applyPatch,
  type Chain,
  type Change,
  decodeChange,
  decodeExtra,
  decodeSnapshot,
  encodeSnapshot,
  type JsonObject,
  jsonBytes,
  Labels,
  type RecordedDefinition,
  type Snapshot,
} from '@fanfold/document'
import { assert, copyBytes, type Sha256 } from '@fanfold/kernel'
import {
  type DocumentKey,
  type LogRecord,
  type Position,
  partTags,
  zeroPosition,
} from '@fanfold/protocol'
import type { AuthorityLimits } from './authority-limits.ts'
import type { Batch } from './batch.ts'
import { IdempotencyWindow } from './idempotency-window.ts'
import { decodeOrigin } from './origin.ts'

/**
 * A document as its log has it, in memory: what a restart would bring back.
 *
 * Between two batches the state is exactly this; while a batch is on its way to the log, the state
 * object is already changed and everything else here is not.
 */
export class CommittedDocument {
  readonly window: IdempotencyWindow
  readonly #doc: DocumentKey
  readonly #chain: Chain
  #position: Position = zeroPosition
  #lastTimeMs = 0
  #state: JsonObject | undefined
  #definition: RecordedDefinition | undefined
  #labels = Labels.none
  #stateBytes = 0
  #isDeleted = false
  #recordsSinceSnapshot = 0
  #bytesSinceSnapshot = 0

  constructor(doc: DocumentKey, chain: Chain, limits: AuthorityLimits) {
    this.#doc = doc
    this.#chain = chain
    this.window = new IdempotencyWindow(limits.idempotency)
  }

  /** After the last durable record. */
  get position(): Position {
    return this.#position
  }

  /** Commit time of the last record. */
  get lastTimeMs(): number {
    return this.#lastTimeMs
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

  /** True after a `delete` record. */
  get isDeleted(): boolean {
    return this.#isDeleted
  }

  /** Takes the newest snapshot of the log, before any records. */
  restore(snapshot: Snapshot): void {
    const { state, definition } = decodeSnapshot(snapshot)
    this.#state = state
    this.#define(definition)
    this.#isDeleted = this.#state === undefined
    const extra = decodeExtra(snapshot)
    this.window.restore(extra)
    const lastTimeMs = extra?.['lastTimeMs']
    if (typeof lastTimeMs === 'number') this.#lastTimeMs = lastTimeMs
    this.#position = snapshot.manifest.at
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
    this.#remember(record)
  }

  /** Everything of the log has been taken. */
  opened(): void {
    this.window.advance({ seq: this.#position.seq, timeMs: this.#lastTimeMs })
    this.#stateBytes = this.#state === undefined ? 0 : jsonBytes(this.#state)
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
    for (const { subject, id, at } of batch.committed) this.window.add(subject, id, at)
    this.window.advance({ seq: batch.end.seq, timeMs: batch.lastTimeMs })
    this.#recordsSinceSnapshot += batch.records.length
    for (const record of batch.records) this.#bytesSinceSnapshot += record.bytes.length
  }

  /** A snapshot for the log when one is due, with what only authorities keep. */
  takeDueSnapshot(limits: AuthorityLimits, sha256: Sha256): Snapshot | undefined {
    // A snapshot costs as much as the state is large: it waits until as much has changed.
    if (this.#bytesSinceSnapshot < this.#stateBytes) return undefined
    const bytesDue = Math.max(limits.snapshotEveryBytes, 2 * this.#stateBytes)
    if (
      this.#bytesSinceSnapshot < bytesDue &&
      this.#recordsSinceSnapshot < limits.snapshotEveryRecords
    )
      return undefined
    this.#recordsSinceSnapshot = 0
    this.#bytesSinceSnapshot = 0
    const { window } = this
    return encodeSnapshot({
      at: this.#position,
      state: this.#state,
      definition: this.#definition,
      extra: { ...window.toJson(), lastTimeMs: this.#lastTimeMs },
      sha256,
    })
  }

  #define(definition: RecordedDefinition | undefined): void {
    this.#definition = definition
    this.#labels = Labels.compile(definition?.labels ?? [])
  }

  #apply(change: Change, seq: number): void {
    switch (change.kind) {
      case 'create':
        this.#state = {}
        break
      case 'delta':
        assert(this.#state !== undefined, `${this.#doc}: a delta follows a create, seq ${seq}`)
        break
      case 'definition':
        this.#define(change.definition)
        break
      case 'delete':
        this.#state = undefined
        this.#isDeleted = true
        return
      case 'none':
        return
    }
    if (change.patch.length === 0) return
    assert(this.#state !== undefined, `${this.#doc}: a patch is of a state, seq ${seq}`)
    const state = applyPatch(this.#state, change.patch)
    assert(state !== undefined, `${this.#doc}: the patch of record ${seq} applies`)
    this.#state = state
  }

  #remember(record: LogRecord): void {
    const payload = record.payload(partTags.authority)
    const origin = payload === undefined ? undefined : decodeOrigin(payload)
    const { epoch, seq, timeMs } = record
    if (origin?.id !== undefined) this.window.add(origin.by, origin.id, { epoch, seq, timeMs })
  }
}
