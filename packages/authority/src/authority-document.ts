/*
 * One document at its authority: serial, and group-committed.
 *
 *   opening ── log-opened ──▶ open ⇄ appending (one batch in flight)
 *                 │             └─ fenced, damaged ─▶ refusing
 *                 └─ refused ─────────────────────────▶
 *
 * Writes wait in a queue. When no append is in flight, what waits becomes a batch: each handler runs
 * on the state in place, its record follows the one before, and the batch goes to the log as one
 * append. Only when the log says that it is durable are the writers answered and the records
 * published. So between two batches the state is exactly the durable one, which is when snapshots
 * are taken; and a batch that the log refuses is undone, newest change first.
 */

import { encodeSnapshot, type LogInput, type LogRefusal, type Snapshot } from '@fanfold/document'
import { assert, type Instant, SmallMap } from '@fanfold/kernel'
import {
  type DocumentKey,
  type ErrorCode,
  encodeLinkFrame,
  type LinkId,
  type Position,
  partTags,
  type WriteAnswer,
  type WriterInput,
} from '@fanfold/protocol'
import { Downstream, type JoinRequest, RecordRing, refusal } from '@fanfold/replication'
import type { AuthorityContext } from './authority-context.ts'
import type { AuthorityEffect, AuthorityFact } from './authority-effect.ts'
import { type Batch, BatchBuilder } from './batch.ts'
import { CommittedDocument } from './committed-document.ts'
import { WaitingWrites } from './waiting-writes.ts'

type Phase = 'opening' | 'open' | 'appending' | 'refusing'

/** One document at its authority. */
export class AuthorityDocument {
  readonly doc: DocumentKey
  readonly channel: number
  readonly #context: AuthorityContext
  // A document at rest without children has neither: most documents are, most of the time.
  #ring: RecordRing | undefined
  #downstream: Downstream | undefined
  readonly #committed: CommittedDocument
  readonly #writes: WaitingWrites
  /** Joins that wait for the log to be read; of one link only the last counts. */
  readonly #joins = new SmallMap<LinkId, JoinRequest>()
  /** Writes that left the queue and are not answered yet. */
  #inHand: readonly WriterInput[] = []
  #phase: Phase = 'opening'
  #refusal: { readonly code: ErrorCode; readonly message: string } | undefined
  /** The epoch this node has claimed; 0 before its first commit. */
  #epoch = 0
  /** The highest epoch that the log has seen. */
  #logEpoch = 0
  #batch: Batch | undefined
  /** Made at the durable position, for children; undefined until one was needed. */
  #snapshot: Snapshot | undefined
  #hasMore = false

  constructor(doc: DocumentKey, channel: number, context: AuthorityContext) {
    this.doc = doc
    this.channel = channel
    this.#context = context
    this.#committed = new CommittedDocument(doc, context.chain, context.limits)
    this.#writes = new WaitingWrites(context.limits, context.waiting)
  }

  /** The document's children. */
  get downstream(): Downstream {
    this.#downstream ??= new Downstream({
      doc: this.doc,
      channel: this.channel,
      ring: this.#recentRecords(),
      chain: this.#context.chain,
      source: this.#snapshotSource(),
      ceiling: () => partTags.authority,
    })
    return this.#downstream
  }

  /** True while a child observes the document. */
  get hasChildren(): boolean {
    return this.#downstream !== undefined && this.#downstream.count > 0
  }

  /** After the last durable record. */
  get position(): Position {
    return this.#committed.position
  }

  /** Bytes of the state as JSON. */
  get stateBytes(): number {
    return this.#committed.stateBytes
  }

  /** True when nothing is under way: no write, no append, no opening. */
  get isQuiet(): boolean {
    return (this.#phase === 'open' || this.#phase === 'refusing') && this.#writes.count === 0
  }

  /** True after an assertion failed inside: the document is not served until the node restarts. */
  get isQuarantined(): boolean {
    return this.#refusal?.code === 'FANFOLD_QUARANTINED'
  }

  /** True when a snapshot for a child goes on in the next turn. */
  get hasMore(): boolean {
    return this.#hasMore
  }

  /** A write waits its turn, or is refused at once. */
  write(input: WriterInput, effects: AuthorityEffect[]): void {
    if (this.#phase === 'refusing') {
      assert(this.#refusal !== undefined, 'a document that refuses knows why')
      reject(input, this.#refusal.code, this.#refusal.message, effects)
      return
    }
    const full = this.#writes.push(input)
    if (full !== undefined) {
      reject(input, 'FANFOLD_BUSY', full, effects)
      return
    }
    if (this.#phase === 'open') this.#startBatch(effects)
  }

  /** A child wants the stream; answered now, or when the log has been read. */
  join(request: JoinRequest, effects: AuthorityEffect[]): void {
    switch (this.#phase) {
      case 'opening':
        this.#joins.set(request.link, request)
        return
      case 'refusing':
        assert(this.#refusal !== undefined, 'a document that refuses knows why')
        this.#refuseJoin(request, this.#refusal.code, this.#refusal.message, effects)
        return
      case 'open':
      case 'appending':
        if (this.#committed.position.seq === 0) {
          this.#refuseJoin(request, 'FANFOLD_NO_DOCUMENT', `${this.doc} does not exist`, effects)
          return
        }
        this.downstream.join(request, this.#committed.position, effects)
        this.flush(effects)
    }
  }

  /** A child is gone while its join may still wait. */
  forgetJoin(link: LinkId): void {
    this.#joins.delete(link)
  }

  /** Sends children what they can take. */
  flush(effects: AuthorityEffect[]): void {
    this.#hasMore = this.#downstream?.flush(effects) ?? false
  }

  /** Nothing has happened for a while: frees what can be had again. The log stays open for writes. */
  rest(): void {
    assert(this.isQuiet, `${this.doc} rests only when nothing is under way`)
    this.#ring?.reset(this.#committed.position)
    this.#snapshot = undefined
    this.#writes.clear()
    if (this.#downstream === undefined || this.#downstream.count === 0) {
      this.#downstream = undefined
      this.#ring = undefined
    }
  }

  /** Takes what the log says. */
  receive(input: LogInput, now: Instant, effects: AuthorityEffect[]): void {
    // Once it is given up, a document does not come back by the rest of an answer under way.
    if (this.#phase === 'refusing') return
    switch (input.kind) {
      case 'log-snapshot':
        this.#committed.restore(input.snapshot)
        return
      case 'log-records':
        for (const record of input.records) this.#committed.replay(record)
        return
      case 'log-opened':
        this.#opened(input.epoch, effects)
        return
      case 'log-open-refused':
        this.refuse(input.code, input.message, effects)
        return
      case 'log-appended':
        this.#appended(input.seq, now, effects)
        return
      case 'log-append-refused':
        this.#appendRefused(input.code, input.message, effects)
        return
      case 'log-snapshot-kept':
      case 'log-snapshot-refused':
        effects.push({ kind: 'fact', fact: snapshotFact(input) })
        return
    }
  }

  /** Serves nobody any more: writers and children are told why. */
  refuse(code: ErrorCode, message: string, effects: AuthorityEffect[]): void {
    this.#phase = 'refusing'
    this.#refusal = { code, message }
    this.#hasMore = false
    this.#batch = undefined
    this.#snapshot = undefined
    for (const input of this.#inHand) reject(input, code, message, effects)
    this.#inHand = []
    for (let next = this.#writes.shift(); next !== undefined; next = this.#writes.shift()) {
      reject(next, code, message, effects)
    }
    for (const request of this.#takeJoins()) this.#refuseJoin(request, code, message, effects)
    this.#downstream?.end(code, message, effects)
    effects.push({
      kind: 'fact',
      fact: { event: 'document-refused', doc: this.doc, code, message },
    })
  }

  #takeJoins(): JoinRequest[] {
    const joins = [...this.#joins]
    for (const [link] of joins) this.#joins.delete(link)
    return joins.map(([, request]) => request)
  }

  #opened(epoch: number, effects: AuthorityEffect[]): void {
    this.#phase = 'open'
    this.#logEpoch = Math.max(epoch, this.#committed.position.epoch)
    this.#committed.opened()
    this.#ring?.reset(this.#committed.position)
    for (const request of this.#takeJoins()) this.join(request, effects)
    this.#startBatch(effects)
  }

  #startBatch(effects: AuthorityEffect[]): void {
    assert(this.#phase === 'open' && this.#batch === undefined, 'one batch at a time')
    while (this.#phase === 'open' && this.#writes.count > 0) this.#appendBatch(effects)
  }

  /** Makes a batch of what waits. One without records has nothing to wait for. */
  #appendBatch(effects: AuthorityEffect[]): void {
    const builder = new BatchBuilder({
      doc: this.doc,
      context: this.#context,
      committed: this.#committed,
      claimed: this.#epoch,
      logEpoch: this.#logEpoch,
    })
    const taken: WriterInput[] = []
    this.#inHand = taken
    while (!builder.isFull) {
      const input = this.#writes.shift()
      if (input === undefined) break
      taken.push(input)
      builder.add(input)
    }
    const batch = builder.finish()
    this.#inHand = batch.answers.map(({ input }) => input)
    for (const answered of batch.immediate) {
      effects.push({ kind: 'write-answered', request: answered.request, answer: answered.answer })
    }
    if (batch.records.length === 0) {
      this.#answerAll(batch, effects)
      return
    }
    this.#batch = batch
    this.#phase = 'appending'
    effects.push({
      kind: 'log-append',
      doc: this.doc,
      epoch: batch.epoch,
      after: this.#committed.position,
      records: batch.records,
    })
  }

  #appended(seq: number, now: Instant, effects: AuthorityEffect[]): void {
    const batch = this.#batch
    assert(batch !== undefined, `${this.doc}: what was appended was a batch`)
    assert(seq === batch.end.seq, `the batch ends at ${batch.end.seq}, appended ${seq}`)
    const ring = this.#recentRecords()
    this.#batch = undefined
    this.#phase = 'open'
    this.#epoch = batch.epoch
    this.#logEpoch = batch.epoch
    this.#committed.commit(batch)
    this.#answerAll(batch, effects)
    let bytes = 0
    for (const record of batch.records) {
      ring.push(record, now)
      bytes += record.bytes.length
    }
    this.flush(effects)
    effects.push({
      kind: 'fact',
      fact: {
        event: 'committed',
        doc: this.doc,
        epoch: batch.epoch,
        records: batch.records.length,
        bytes,
      },
    })
    const { limits, sha256 } = this.#context
    const snapshot = this.#committed.takeDueSnapshot(limits, sha256)
    if (snapshot !== undefined) {
      effects.push({ kind: 'log-keep-snapshot', doc: this.doc, snapshot })
    }
    this.#startBatch(effects)
  }

  #appendRefused(code: LogRefusal, message: string, effects: AuthorityEffect[]): void {
    const batch = this.#batch
    assert(batch !== undefined, `${this.doc}: what was refused was a batch`)
    for (let index = batch.undos.length - 1; index >= 0; index--) batch.undos[index]?.()
    if (code !== 'FANFOLD_LOG_FULL') {
      this.refuse(code, message, effects)
      return
    }
    this.#batch = undefined
    this.#phase = 'open'
    for (const input of this.#inHand) reject(input, code, message, effects)
    this.#inHand = []
    effects.push({ kind: 'fact', fact: { event: 'log-full', doc: this.doc, message } })
    // A child that waits for a snapshot need not wait for a write that the log takes.
    this.flush(effects)
    this.#startBatch(effects)
  }

  /** The ring, which goes on from the last durable record. */
  #recentRecords(): RecordRing {
    this.#ring ??= new RecordRing(this.#context.limits.ring, this.#committed.position)
    return this.#ring
  }

  #snapshotSource(): {
    snapshot(): Snapshot | undefined
    readonly lastSnapshot: Snapshot | undefined
  } {
    const last = (): Snapshot | undefined => this.#snapshot
    return {
      snapshot: () => this.#makeSnapshot(),
      get lastSnapshot() {
        return last()
      },
    }
  }

  /** Only between batches, when the state is the durable one. */
  #makeSnapshot(): Snapshot | undefined {
    if (this.#phase !== 'open') return undefined
    if (this.#snapshot?.manifest.at.seq !== this.#committed.position.seq) {
      const { sha256 } = this.#context
      this.#snapshot = encodeSnapshot({
        at: this.#committed.position,
        state: this.#committed.state,
        definition: this.#committed.definition,
        sha256,
      })
    }
    return this.#snapshot
  }

  #answerAll(batch: Batch, effects: AuthorityEffect[]): void {
    for (const { input, answer } of batch.answers) {
      effects.push({ kind: 'write-answered', request: input.request, answer })
    }
    this.#inHand = []
  }

  #refuseJoin(
    request: JoinRequest,
    code: ErrorCode,
    message: string,
    effects: AuthorityEffect[],
  ): void {
    const frame = encodeLinkFrame(refusal(this.doc, code, message, 0))
    effects.push({ kind: 'link-send', link: request.link, frame })
  }
}

function reject(
  input: WriterInput,
  code: ErrorCode,
  message: string,
  effects: AuthorityEffect[],
): void {
  const answer: WriteAnswer = { kind: 'rejected', code, message }
  effects.push({ kind: 'write-answered', request: input.request, answer })
}

function snapshotFact(
  input: Extract<LogInput, { kind: 'log-snapshot-kept' | 'log-snapshot-refused' }>,
): AuthorityFact {
  if (input.kind === 'log-snapshot-kept') {
    return { event: 'snapshot-kept', doc: input.doc, seq: input.seq }
  }
  const { doc, code, message } = input
  return { event: 'snapshot-refused', doc, code, message }
}
