/*
 * One document at its authority: serial, and group-committed.
 *
 *   opening ── log-opened ──▶ open ⇄ appending (one batch in flight, or waiting for a log out of reach)
 *                 │             └─ fenced, damaged ─▶ refusing
 *                 └─ refused ─────────────────────────▶
 *
 * Writes wait in a queue. When no append is in flight, what waits becomes a batch: each handler runs
 * on the state in place, its record follows the one before, and the batch goes to the log as one
 * append. Only when the log says that it is durable are the writers answered and the records
 * published. So between two batches the state is exactly the durable one, which is when snapshots
 * are taken; and a batch that the log refuses is undone, newest change first.
 *
 * When the definition that is loaded is not the one that the log tells of, the next batch begins by
 * telling of it, also when no write waits; until that is durable joins wait, so that nobody begins to
 * look at the document under a definition that is no longer in force.
 */

import type { DocumentDefinition } from '@fanfold/definition'
import type { LogInput, LogRefusal, ReplicaWorkerInput } from '@fanfold/document'
import { after, assert, earliest, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey, ErrorCode, LinkId, Position, WriterInput } from '@fanfold/protocol'
import type { Downstream, JoinRequest } from '@fanfold/replication'
import type { AuthorityContext } from './authority-context.ts'
import type { AuthorityEffect } from './authority-effect.ts'
import { CommittedDocument } from './committed-document.ts'
import type { CrowdSaid } from './crowd-port.ts'
import type { TakenDefinition } from './definition-standing.ts'
import {
  committedFact,
  logFact,
  refusalForNow,
  refuseJoin,
  reject,
  retryAfterMs,
  snapshotFact,
} from './document-answers.ts'
import type { DocumentChildren } from './document-children.ts'
import { DocumentEpochs } from './document-epochs.ts'
import { DocumentRefusal } from './document-refusal.ts'
import { DocumentSnapshots } from './document-snapshots.ts'
import { DocumentWork } from './document-work.ts'
import { LogOpening } from './log-opening.ts'
import { soleOwner, unwritable } from './owners.ts'
import { noSuch, type WriteProblem } from './write-problem.ts'

/** A document that another node may create is looked for again after so long, ms. */
const absentMs = 5_000

type Phase = 'opening' | 'open' | 'appending' | 'refusing'

/** One document at its authority. */
export class AuthorityDocument {
  readonly doc: DocumentKey
  readonly channel: number
  readonly #context: AuthorityContext
  readonly #committed: CommittedDocument
  readonly snapshots: DocumentSnapshots
  #opening: LogOpening | undefined
  // A document at rest has none of this: most documents are, most of the time.
  #work: DocumentWork | undefined
  /** The definition in force when the document went to rest. */
  #restedUnder: TakenDefinition | undefined
  #phase: Phase = 'opening'
  #refusal: DocumentRefusal | undefined
  readonly #epochs: DocumentEpochs
  /** Until when a document that was found not to exist is taken for that, where another node may create it. */
  #absentUntil: Instant | undefined
  #isStandby: boolean
  #hasMore = false

  /** @param isStandby the document is another's: its log is followed, until it is taken over */
  constructor(doc: DocumentKey, channel: number, context: AuthorityContext, isStandby = false) {
    this.doc = doc
    this.#isStandby = isStandby
    this.#epochs = new DocumentEpochs(doc, context.epochs)
    this.channel = channel
    this.#context = context
    const { chain, limits, now } = context
    this.#committed = new CommittedDocument(doc, chain, limits, now)
    const committed = this.#committed
    this.snapshots = new DocumentSnapshots({ doc, context, committed })
    this.#opening = new LogOpening({ context, committed, shadow: this.snapshots.shadow })
  }

  /** What the document has at hand while something happens to it. */
  get #at(): DocumentWork {
    this.#work ??= new DocumentWork({
      doc: this.doc,
      channel: this.channel,
      context: this.#context,
      committed: this.#committed,
      snapshots: this.snapshots,
      isStateDurable: () => this.#phase === 'open',
      taken: this.#restedUnder,
    })
    return this.#work
  }

  /** The document's children. */
  get downstream(): Downstream {
    return this.#at.children.downstream
  }

  /** How much was committed lately, as far as the document was not at rest. */
  recentAt(now: Instant): NonNullable<ReturnType<DocumentChildren['recentAt']>> {
    return this.#work?.children.recentAt(now) ?? { recentRecords: 0, recentBytes: 0 }
  }

  /** True while a child observes the document. */
  get hasChildren(): boolean {
    return this.#work?.children.areAny === true
  }

  /** True when `slice` has something to do. */
  get hasSlices(): boolean {
    return this.#opening?.hasSlices ?? this.snapshots.hasSlices
  }

  /** After the last record that is committed. */
  get position(): Position {
    return this.#committed.position
  }

  /** True while the document does not exist, whatever its log may say. */
  get isVacant(): boolean {
    return this.#committed.isVacant
  }

  /** This authority is sure of itself again: what another one may have written meanwhile is not to go unheard. */
  doubtIsOver(effects: AuthorityEffect[]): void {
    this.#epochs.doubted()
    if (this.hasChildren) this.#epochs.served()
    if (this.isHeldBack) this.definitionLoaded(effects)
  }

  /** Why the log cannot be read for a child now; undefined when it can. */
  get unreadable(): 'opening' | WriteProblem | undefined {
    if (this.#phase === 'opening') return 'opening'
    return this.#refusal ?? (this.isVacant ? noSuch(this.doc) : undefined)
  }

  /** True when nothing is under way: no write, no append, no opening. */
  get isQuiet(): boolean {
    const isIdle = this.#phase === 'open' || this.#phase === 'refusing'
    return isIdle && this.#work?.hasWaiting !== true
  }

  /**
   * When the log is to be read anew for whoever asks next, as another node writes it or may have created the document;
   * undefined when this one knows how it stands.
   */
  get readAnewAt(): Instant | undefined {
    return this.#refusal?.fencedUntil ?? (this.isVacant ? this.#absentUntil : undefined)
  }

  /** Why the document is served no more; undefined while it is. */
  get refusal(): DocumentRefusal | undefined {
    return this.#refusal
  }

  /** True while the document is another's, and this authority stands by for it. */
  get isStandby(): boolean {
    return this.#isStandby
  }

  /** True while it is served and exists. */
  get isServed(): boolean {
    return (this.#phase === 'open' || this.#phase === 'appending') && !this.isVacant
  }

  /** The document is this authority's from here on: what its log has after what was followed is read in. */
  takeOver(effects: AuthorityEffect[]): void {
    const { doc, position } = this
    assert(this.#isStandby && this.#phase === 'opening', `${doc} is stood by for`)
    this.#isStandby = false
    effects.push({ kind: 'log-open', doc })
    effects.push({ kind: 'fact', fact: { event: 'standby-took-over', doc, seq: position.seq } })
  }

  /** True when the log is to be told something that could not be begun. */
  get isHeldBack(): boolean {
    return this.#phase === 'open' && this.#work !== undefined && this.#isRecordWanted
  }

  /** True when a snapshot for a child goes on in the next turn. */
  get hasMore(): boolean {
    return this.#hasMore
  }

  /** A write waits its turn, or is refused at once. */
  write(input: WriterInput, effects: AuthorityEffect[]): void {
    const problem = this.#refusal ?? this.#at.inHand.stall
    if (problem !== undefined) {
      reject(input, problem.code, problem.message, effects)
      return
    }
    const full = this.#at.writes.push(input)
    if (full !== undefined) reject(input, 'FANFOLD_BUSY', full, effects)
    else if (this.#phase === 'open') this.#startBatch(effects)
  }

  /** Puts into the log what its crowd says; what becomes of that is told to the port. */
  count(said: CrowdSaid, effects: AuthorityEffect[]): void {
    if (!this.isServed || this.#at.inHand.stall !== undefined) {
      this.#context.crowd.postponed(this.doc)
      return
    }
    assert(this.#at.crowd === undefined, `${this.doc}: one thing of its crowd at a time`)
    this.#at.crowd = said
    if (this.#phase === 'open') this.#startBatch(effects)
  }

  /** True when it was created and not deleted, as far as is durable. */
  get exists(): boolean {
    return this.#committed.state !== undefined
  }

  /** The definition in force; undefined while nobody knows it. */
  get definition(): DocumentDefinition | undefined {
    return (this.#work?.standing.inForce ?? this.#restedUnder?.loaded)?.definition
  }

  /** The document's sessions of its crowd. */
  get sessions(): IterableIterator<number> | undefined {
    return this.#committed.hasLedger ? this.#committed.ledger.open : undefined
  }

  /** A child wants the stream; answered now, or when the log has been read. */
  join(request: JoinRequest, effects: AuthorityEffect[]): void {
    switch (this.#phase) {
      case 'opening':
        this.#at.joins.set(request.link, request)
        return
      case 'refusing':
        assert(this.#refusal !== undefined, 'a document that refuses knows why')
        refuseJoin(this.doc, request, this.#refusal, effects)
        return
      case 'open':
      case 'appending':
        this.#joinOpen(request, effects)
    }
  }

  #joinOpen(request: JoinRequest, effects: AuthorityEffect[]): void {
    const { have } = request
    const isInHand = have !== undefined && this.#at.inHand.has(have)
    const { position } = this.#committed
    const isAhead = !isInHand && this.#epochs.compare(have, position, this.#context.now())
    if (isAhead && this.#phase === 'open') this.#startBatch(effects)
    const answer = this.#at.join(request, effects)
    if (answer === 'waits') this.definitionLoaded(effects)
    else if (answer === 'answered') this.#served(effects)
  }

  /** A child follows the document from here on. */
  #served(effects: AuthorityEffect[]): void {
    this.flush(effects)
    this.#epochs.served()
    if (this.#phase === 'open' && this.#isRecordWanted) this.#startBatch(effects)
  }

  /** Another definition was loaded, or may be told of now: the log is told at once, if it is to be told. */
  definitionLoaded(effects: AuthorityEffect[]): void {
    this.#at.standing.isWanted = true
    if (this.#phase === 'open') this.#startBatch(effects)
  }

  /** A child is gone while its join may still wait. */
  forgetJoin(link: LinkId): void {
    this.#work?.joins.delete(link)
  }

  /** Sends children what they can take. */
  flush(effects: AuthorityEffect[]): void {
    this.#hasMore = this.#work?.children.flush(effects) ?? false
    this.snapshots.advance(effects)
  }

  /** Lets go of what is kept for children and old; true while there are any. */
  lookAfterChildren(now: Instant): boolean {
    return this.#work?.children.lookAfter(now) ?? false
  }

  /** Does one turn's worth of what takes many: to read a large log in, or to write much out. */
  slice(effects: AuthorityEffect[]): void {
    if (this.#opening === undefined) this.snapshots.slice(effects)
    else {
      this.#opening.slice(effects)
      this.#goOnOpening(effects)
    }
  }

  /** When `tick` has something to do. */
  get wakeAt(): Instant | undefined {
    return earliest(this.snapshots.wakeAt, this.#epochs.wakeAt)
  }

  /** Does what is due: children that have waited for a snapshot for too long are refused, and a claim is made again. */
  tick(effects: AuthorityEffect[]): void {
    this.#epochs.tick(this.#context.now())
    if (this.isHeldBack) this.#startBatch(effects)
    if (this.snapshots.takeOverdue()) {
      const message = `no snapshot of ${this.doc} could be made in time`
      this.downstream.refuseWaiting({ code: 'FANFOLD_BUSY', message, retryAfterMs }, effects)
    }
    this.snapshots.advance(effects)
  }

  /** Takes an answer of the worker to the document's shadow. */
  receiveWorker(input: ReplicaWorkerInput, effects: AuthorityEffect[]): void {
    if (this.#phase === 'refusing') return
    this.snapshots.receiveWorker(input, effects)
    this.flush(effects)
  }

  /** The document leaves memory. */
  close(effects: AuthorityEffect[]): void {
    this.snapshots.close(effects)
    this.#epochs.close()
  }

  /** Nothing has happened for a while: frees what can be had again. The log stays open for writes. */
  rest(): void {
    assert(this.isQuiet, `${this.doc} rests only when nothing is under way`)
    const work = this.#work
    if (work === undefined) return
    this.#restedUnder = work.standing.taken
    if (work.rest()) this.#work = undefined
  }

  /** Takes what the log says. */
  receive(input: LogInput, now: Instant, effects: AuthorityEffect[]): void {
    // Once it is given up, a document does not come back by the rest of an answer under way.
    if (this.#phase === 'refusing') return
    switch (input.kind) {
      case 'log-snapshot':
      case 'log-records':
      case 'log-opened':
        this.#opening?.receive(input, effects)
        this.#goOnOpening(effects)
        return
      case 'log-followed':
        // What others append comes as what the log had.
        return
      case 'log-open-refused':
        // What was followed has told of epochs that the log may have lost.
        this.#epochs.seen(this.position.epoch)
        if (input.code === 'FANFOLD_LOG_LOST') this.#epochs.lost()
        this.refuse(input.code, input.message, effects)
        return
      case 'log-appended':
        this.#appended(input.seq, now, effects)
        return
      case 'log-append-waits':
        this.#appendWaits(input.code, input.message, effects)
        return
      case 'log-append-refused':
        this.#appendRefused(input.code, input.message, effects)
        return
      case 'log-read':
      case 'log-read-refused':
        this.snapshots.receiveRead(input, effects)
        return
      case 'log-snapshot-kept':
      case 'log-snapshot-refused':
        effects.push({ kind: 'fact', fact: snapshotFact(input) })
        return
    }
  }

  /** Serves nobody any more: writers and children are told why. */
  refuse(code: ErrorCode, message: string, effects: AuthorityEffect[]): void {
    this.#refuse({ code, message }, false, effects)
  }

  #refuse(problem: WriteProblem, isOvertaken: boolean, effects: AuthorityEffect[]): void {
    this.#end(problem, effects, isOvertaken)
    const ended = this.#isStandby ? 'standby-lost' : 'document-refused'
    const event = isOvertaken ? 'document-overtaken' : ended
    effects.push({ kind: 'fact', fact: { event, doc: this.doc, ...problem } })
  }

  /**
   * The document is another's: what waits is refused. Once the log has answered what it was asked, all are
   * told; to be called again until `refusal` says that it is so.
   */
  leave(problem: WriteProblem, effects: AuthorityEffect[]): void {
    if (this.#phase === 'open') this.#end(problem, effects)
    else if (this.#phase !== 'refusing') {
      this.#at.refuseWaiting(refusalForNow(problem), effects)
    }
  }

  #end(problem: WriteProblem, effects: AuthorityEffect[], isOvertaken = false): void {
    this.#phase = 'refusing'
    this.#refusal = new DocumentRefusal(problem, { isOvertaken, now: this.#context.now() })
    this.#hasMore = false
    this.#opening = undefined
    this.snapshots.close(effects)
    this.#at.inHand.reject(problem, effects)
    this.#at.refuseWaiting(problem, effects)
    this.#at.children.end(problem.code, problem.message, effects)
  }

  #goOnOpening(effects: AuthorityEffect[]): void {
    const epoch = this.#opening?.epoch
    if (epoch !== undefined) this.#opened(epoch, effects)
  }

  #opened(epoch: number, effects: AuthorityEffect[]): void {
    const tail = this.#opening?.tail
    this.#opening = undefined
    this.#phase = 'open'
    this.#epochs.opened(Math.max(epoch, this.#committed.position.epoch))
    this.#committed.opened()
    const mayBegin = this.position.seq === 0 && this.#context.owners !== soleOwner
    if (mayBegin) this.#absentUntil = after(this.#context.now(), milliseconds(absentMs))
    this.snapshots.settle(effects)
    this.#at.children.opened(tail)
    this.#answerJoins(effects)
    this.#at.standing.isWanted = true
    // One of those who joined may have made it begin.
    if (this.#phase === 'open') this.#startBatch(effects)
  }

  /** Answers the joins that waited, unless they wait for the definition to be told of. */
  #answerJoins(effects: AuthorityEffect[]): void {
    if (this.#at.joins.size === 0 || this.#at.standing.due !== undefined) return
    for (const request of this.#at.takeJoins()) this.join(request, effects)
  }

  #startBatch(effects: AuthorityEffect[]): void {
    assert(this.#phase === 'open', `${this.doc} is open`)
    const problem = unwritable(this.#context.owners, this.doc)
    const isMore = () => this.#at.hasWaiting || this.#isRecordWanted
    while (problem === undefined && this.#phase === 'open' && isMore()) this.#appendBatch(effects)
    this.#answerJoins(effects)
    // Nobody waits for what may not be begun.
    if (problem !== undefined) this.#at.refuseWaiting(refusalForNow(problem), effects)
  }

  /** True when the log is to be told something that no writer has to do with. */
  get #isRecordWanted(): boolean {
    const { standing } = this.#at
    if (this.#epochs.isClaimDue && !this.isVacant) return true
    return standing.isWanted && standing.due !== undefined
  }

  /** Makes a batch of what waits. One without records has nothing to wait for. */
  #appendBatch(effects: AuthorityEffect[]): void {
    const { doc } = this
    const [context, committed, epochs] = [this.#context, this.#committed, this.#epochs]
    const start = { doc, context, committed, epochs }
    const batch = this.#at.inHand.make({ start, work: this.#at }, effects)
    if (batch === undefined) return
    this.#phase = 'appending'
    const { epoch, records } = batch
    effects.push({ kind: 'log-append', doc, epoch, after: committed.position, records })
  }

  #appended(seq: number, now: Instant, effects: AuthorityEffect[]): void {
    const batch = this.#at.inHand.appended(seq)
    this.#phase = 'open'
    const loss = this.#epochs.committed(batch.epoch)
    if (loss !== undefined) effects.push(logFact('log-behind', this.doc, loss))
    this.#at.children.publish(batch.records, now)
    this.#committed.commit(batch)
    // Before children are sent anything: what they may need a snapshot of has these records in it.
    this.snapshots.committed(batch.records, effects)
    if (batch.loaded !== undefined) this.#at.standing.take(batch.loaded)
    this.#at.inHand.answer(batch, effects)
    this.flush(effects)
    effects.push({ kind: 'fact', fact: committedFact(this.doc, batch) })
    this.#startBatch(effects)
  }

  /**
   * Nobody knows what became of the batch, whose writers go on waiting; the others need not. The children
   * keep what they have, which is what is durable.
   */
  #appendWaits(code: LogRefusal, message: string, effects: AuthorityEffect[]): void {
    const { doc } = this
    this.#at.inHand.waits({ code, message })
    this.#at.refuseWaiting({ code, message }, effects)
    effects.push({ kind: 'fact', fact: { event: 'log-waits', doc, code, message } })
  }

  #appendRefused(code: LogRefusal, message: string, effects: AuthorityEffect[]): void {
    const { inHand } = this.#at
    const batch = inHand.undone()
    if (code === 'FANFOLD_LOG_LOST') this.#epochs.lost()
    if (code !== 'FANFOLD_LOG_FULL') {
      // The one before has written once more since this one read the log: nothing is lost, and it has no claim.
      const isOvertaken = code === 'FANFOLD_FENCED' && this.#epochs.claimed === 0
      this.#refuse({ code, message }, isOvertaken && this.#context.owners !== soleOwner, effects)
      return
    }
    this.#phase = 'open'
    this.#epochs.claimRefused(this.#context.now())
    inHand.reject({ code, message }, effects)
    effects.push(logFact('log-full', this.doc, message))
    if (batch.definition !== this.#committed.definition) {
      // The next write, join or definition tries again.
      this.#at.standing.isWanted = false
      this.#at.refuseJoins({ code, message }, effects)
    }
    // A child that waits for a snapshot need not wait for a write that the log takes.
    this.flush(effects)
    this.#startBatch(effects)
  }
}
