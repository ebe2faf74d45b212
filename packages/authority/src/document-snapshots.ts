/*
 * Snapshots of one document: for its log, and of a large one for its children. What is small is written
 * out on the loop, when it is wanted; what is large by its shadow.
 *
 * A document becomes large when its state grows over `largeStateBytes`, and small again under half of
 * that: one that goes to and fro does not open a shadow each time.
 */
import {
  encodeSnapshot,
  type LogInput,
  type ReplicaWorkerInput,
  type Snapshot,
} from '@fanfold/document'
import type { Instant } from '@fanfold/kernel'
import type { DocumentKey, LogRecord } from '@fanfold/protocol'
import type { AuthorityContext } from './authority-context.ts'
import type { AuthorityEffect } from './authority-effect.ts'
import type { CommittedDocument } from './committed-document.ts'
import { DocumentShadow } from './document-shadow.ts'
import { LogSnapshotWriting } from './log-snapshot.ts'

/** Makes the snapshots of one document. */
export class DocumentSnapshots {
  readonly #doc: DocumentKey
  readonly #context: AuthorityContext
  readonly #committed: CommittedDocument
  #shadow: DocumentShadow | undefined
  /** The one on its way to the log. */
  #writing: LogSnapshotWriting | undefined
  /** One that was begun has failed: the next is due at once. */
  #isOwed = false

  constructor(options: {
    readonly doc: DocumentKey
    readonly context: AuthorityContext
    readonly committed: CommittedDocument
  }) {
    this.#doc = options.doc
    this.#context = options.context
    this.#committed = options.committed
  }

  /** The shadow, which is there from the first look at the document until it is known to be small. */
  get shadow(): DocumentShadow {
    const [doc, context, committed] = [this.#doc, this.#context, this.#committed]
    this.#shadow ??= new DocumentShadow({ doc, context, committed })
    return this.#shadow
  }

  /** The shadow of a large document. */
  get ofLarge(): DocumentShadow | undefined {
    return this.#shadow?.isLarge === true ? this.#shadow : undefined
  }

  /** True when `slice` has something to do. */
  get hasSlices(): boolean {
    return this.#writing?.hasSlices === true
  }

  /** When `takeOverdue` or `advance` has something to do. */
  get wakeAt(): Instant | undefined {
    return this.ofLarge?.wakeAt
  }

  /** The state is what the log says, and these records are the last that led there. */
  committed(records: readonly LogRecord[], effects: AuthorityEffect[]): void {
    this.ofLarge?.feed(records, effects)
    this.settle(effects)
    this.#keepDue(effects)
  }

  /** Opens or closes the shadow, by the size of the state. The state is what the log says. */
  settle(effects: AuthorityEffect[]): void {
    const { stateBytes } = this.#committed
    const { largeStateBytes } = this.#context.limits
    const isLarge = this.ofLarge !== undefined
    if (!isLarge && stateBytes > largeStateBytes) this.shadow.open(this.#encode(), effects)
    else if (isLarge && stateBytes < largeStateBytes / 2) this.#shadow?.close(effects)
    if (this.ofLarge !== undefined) return
    this.#shadow = undefined
    if (this.#writing?.isWaiting === true) this.#fail()
  }

  /** Does what is to be done for a snapshot that is wanted. */
  advance(effects: AuthorityEffect[]): void {
    this.ofLarge?.advance(effects)
  }

  /** True when children have waited for a snapshot for too long. */
  takeOverdue(): boolean {
    return this.ofLarge?.takeOverdue() === true
  }

  /** Takes an answer of the worker. */
  receiveWorker(input: ReplicaWorkerInput, effects: AuthorityEffect[]): void {
    const ended = this.#shadow?.receive(input, effects)
    if (ended === undefined || ended.writing !== this.#writing) return
    if (ended.hasFailed) this.#fail()
    else this.slice(effects)
  }

  /** Takes what was read of the log. */
  receiveRead(
    input: Extract<LogInput, { kind: 'log-read' | 'log-read-refused' }>,
    effects: AuthorityEffect[],
  ): void {
    this.#shadow?.receiveRead(input, effects)
  }

  /** Writes on at the snapshot for the log. */
  slice(effects: AuthorityEffect[]): void {
    const snapshot = this.#writing?.step()
    if (snapshot === undefined) return
    this.#writing = undefined
    effects.push({ kind: 'log-keep-snapshot', doc: this.#doc, snapshot })
  }

  /** The document is served no more. */
  close(effects: AuthorityEffect[]): void {
    this.#shadow?.close(effects)
    this.#shadow = undefined
    this.#writing = undefined
  }

  /** The snapshot for the log cannot be finished. */
  #fail(): void {
    this.#writing = undefined
    this.#isOwed = true
  }

  #keepDue(effects: AuthorityEffect[]): void {
    const { limits, sha256 } = this.#context
    const isDue = this.#isOwed || this.#committed.isSnapshotDue(limits)
    if (!isDue || this.#writing !== undefined) return
    const shadow = this.ofLarge
    // It stays due until the shadow is there.
    if (shadow !== undefined && !shadow.isLive) {
      shadow.seekBack(effects)
      return
    }
    this.#isOwed = false
    this.#committed.snapshotBegun()
    this.#writing = new LogSnapshotWriting(this.#committed, sha256)
    if (shadow === undefined) this.#writing.take(this.#encode())
    else shadow.encodeFor(this.#writing, effects)
    this.slice(effects)
  }

  #encode(): Snapshot {
    const { position: at, state, definition } = this.#committed
    return encodeSnapshot({ at, state, definition, sha256: this.#context.sha256 })
  }
}
