import type { DocumentDefinition } from '@fanfold/definition'
import {
  Chain,
  type LogInput,
  type LogReadId,
  plainCodec,
  type ReplicaWorkerInput,
  type SnapshotCodec,
} from '@fanfold/document'
import {
  AssertionError,
  after,
  Deadlines,
  earliest,
  type Instant,
  type Machine,
  milliseconds,
  type RandomBytes,
  type Sha256,
} from '@fanfold/kernel'
import {
  type DocumentKey,
  documentName,
  type LinkId,
  ProtocolError,
  type WriterInput,
} from '@fanfold/protocol'
import {
  ChildLinks,
  type ChildLinksOwner,
  type JoinRequest,
  PiecePacker,
  PresenceSums,
  WorkerNames,
} from '@fanfold/replication'
import type { AuthorityContext } from './authority-context.ts'
import { AuthorityDocument } from './authority-document.ts'
import type { AuthorityEffect, AuthorityFact } from './authority-effect.ts'
import type { AuthorityInput } from './authority-input.ts'
import type { AuthorityLimits } from './authority-limits.ts'
import { ChildrenCare } from './children-care.ts'
import { noRoom, refuseJoin, reject, retryAfterMs } from './document-answers.ts'
import type { LoadedVariant } from './loaded-definition.ts'
import { LoadedDefinitions } from './loaded-definitions.ts'
import { LogReplays } from './log-replays.ts'
import { LostEpochs } from './lost-epochs.ts'
import { SpareDocuments } from './spare-documents.ts'
import { turns } from './turns.ts'

/** Documents that one turn lets tell of a definition. */
const definedPerTurnMax = 64

/**
 * The role that puts writes in order: many documents, each by itself, each in memory only while
 * somebody needs it.
 */
export class Authority implements Machine<AuthorityInput, AuthorityEffect> {
  readonly #context: AuthorityContext
  readonly #definitions = new LoadedDefinitions()
  /** Documents that are still to hear of a definition that was loaded. */
  readonly #unaware = new Set<DocumentKey>()
  readonly #documents = new Map<DocumentKey, AuthorityDocument>()
  readonly #children: ChildLinks
  /** When each document that nobody uses is to rest, and later to leave memory. */
  readonly #idle = new Deadlines<DocumentKey>()
  readonly #resting = new SpareDocuments()
  /** Documents with something that takes many turns: one of them has its slice in each. */
  readonly #slicing = new Set<DocumentKey>()
  /** When each document has something to do by itself. */
  readonly #wakes = new Deadlines<DocumentKey>()
  readonly #workerNames = new WorkerNames()
  #nextRead = 1
  readonly #care = new ChildrenCare()
  readonly #replays: LogReplays
  readonly #presence = new PresenceSums()
  /** Documents that do not exist: somebody asked for them. */
  readonly #vacant = new SpareDocuments()
  // The machine's callbacks run inside `receive`, which lends them its instant and its effects.
  #now: Instant = 0 as Instant
  #effects: AuthorityEffect[] = []

  constructor(options: {
    readonly sha256: Sha256
    readonly randomBytes: RandomBytes
    readonly limits: AuthorityLimits
    /** Packs pieces of snapshots for links; when not said, they go as they are. */
    readonly codec?: SnapshotCodec | undefined
  }) {
    const { sha256, randomBytes, limits, codec = plainCodec } = options
    this.#context = {
      sha256,
      randomBytes,
      limits,
      chain: new Chain(sha256),
      waiting: { bytes: 0 },
      lostEpochs: new LostEpochs(limits.documentsMax),
      packer: new PiecePacker(codec),
      now: () => this.#now,
      loadedFor: type => this.#definitions.get(type),
      workerNames: this.#workerNames,
      mayHash: turns(limits.stateHashEveryMs, () => this.#now),
      nextRead: () => this.#nextRead++ as LogReadId,
    }
    this.#replays = new LogReplays(this.#context, {
      document: doc => (this.#hasRoomFor(doc) ? this.#found(doc) : noRoom(options.limits)),
      effects: () => this.#effects,
      note: fact => this.#note(fact),
    })
    const owner: ChildLinksOwner = {
      now: () => this.#now,
      replays: this.#replays.serving,
      join: (doc, request) => this.#join(doc, request),
      downstream: doc => this.#documents.get(doc)?.downstream,
      left: (doc, link) => this.#left(doc, link),
      flush: doc => this.#flush(doc),
      variant: (hash, link) => this.#answerVariant(hash, link),
      signal: (link, signal, doc, value) => {
        if (signal === 'presence') this.#presence.set(doc, link, value)
        else if (signal === 'lag') this.#note({ event: 'lag-told', doc, lagMs: value })
      },
    }
    this.#children = new ChildLinks(owner, limits.transfer)
  }

  /** Documents in memory. */
  get documentCount(): number {
    return this.#documents.size
  }

  /** Links of children. */
  get childCount(): number {
    return this.#children.count
  }

  /** Streams of documents to children. */
  get streamCount(): number {
    return this.#children.streamCount
  }

  /** Viewers of all documents, as the nodes below count them. */
  get viewersBelow(): number {
    return this.#presence.total
  }

  receive(input: AuthorityInput, now: Instant, effects: AuthorityEffect[]): void {
    this.#now = now
    this.#effects = effects
    switch (input.kind) {
      case 'write':
        this.#write(input)
        return
      case 'link-opened':
      case 'link-frame':
      case 'link-congested':
      case 'link-drained':
      case 'link-closed':
        this.#children.receive(input, effects)
        return
      case 'worker-encoded':
      case 'worker-viewed':
      case 'worker-failed':
        this.#takeWorker(input)
        return
      case 'definition-loaded':
        this.#define(input.definition, input.variants ?? [])
        return
      default:
        this.#takeLog(input)
    }
  }

  wakeAt(): Instant | undefined {
    const hasMore = this.#children.hasBusy || this.#unaware.size > 0 || this.#slicing.size > 0
    if (hasMore) return this.#now
    const byChildren = earliest(this.#care.wakeAt(), this.#replays.wakeAt())
    return earliest(byChildren, earliest(this.#idle.wakeAt(), this.#wakes.wakeAt()))
  }

  tick(now: Instant, effects: AuthorityEffect[]): void {
    this.#now = now
    this.#effects = effects
    this.#children.flushNext(effects)
    this.#defineNext()
    this.#sliceNext()
    for (const doc of this.#wakes.due(now)) {
      if (this.#documents.has(doc)) this.#guard(doc, document => document.tick(effects))
    }
    this.#care.tick(this.#documents, now, effects)
    this.#replays.tick(now, effects)
    for (const doc of this.#idle.due(now)) this.#retire(doc, now)
  }

  /** An answer of the log to a document that has left memory since is of no use. */
  #takeLog(input: LogInput): void {
    const { doc, kind } = input
    const document = this.#documents.get(doc)
    if (document === undefined) return
    const isRead = kind === 'log-read' || kind === 'log-read-refused'
    if (isRead && this.#replays.receive(input)) return
    this.#guard(doc, document => document.receive(input, this.#now, this.#effects))
    if (kind === 'log-appended' && document.hasChildren) this.#care.published(doc, this.#now)
  }

  /** An answer to a replica that is gone is of no use. */
  #takeWorker(input: ReplicaWorkerInput): void {
    const doc = this.#workerNames.docOf(input.replica)
    if (doc === undefined || !this.#documents.has(doc)) return
    this.#guard(doc, document => document.receiveWorker(input, this.#effects))
  }

  /** One document goes on with what takes many turns; the next turn is another's. */
  #sliceNext(): void {
    const [doc] = this.#slicing
    if (doc === undefined) return
    this.#slicing.delete(doc)
    this.#guard(doc, document => document.slice(this.#effects))
  }

  #define(definition: DocumentDefinition, variants: readonly LoadedVariant[]): void {
    const { type } = definition
    this.#definitions.load(definition, variants)
    for (const doc of this.#documents.keys()) {
      if (documentName(doc).type === type) this.#unaware.add(doc)
    }
  }

  /** Some of the documents hear of their definition; those that are asked for meanwhile know anyway. */
  #defineNext(): void {
    let left = definedPerTurnMax
    for (const doc of this.#unaware) {
      if (left-- === 0) return
      this.#unaware.delete(doc)
      if (!this.#documents.has(doc)) continue
      this.#guard(doc, document => document.definitionLoaded(this.#effects))
    }
  }

  #answerVariant(hash: Uint8Array, link: LinkId): void {
    const variant = this.#definitions.variant(hash)
    this.#children.answerVariant(hash, [link], variant, this.#effects)
  }

  #write(input: WriterInput): void {
    if (this.#hasRoomFor(input.doc)) {
      this.#guard(input.doc, document => document.write(input, this.#effects))
      return
    }
    const { code, message } = noRoom(this.#context.limits)
    reject(input, code, message, this.#effects)
  }

  #join(doc: DocumentKey, request: JoinRequest): void {
    if (this.#hasRoomFor(doc)) {
      this.#guard(doc, document => document.join(request, this.#effects))
      return
    }
    refuseJoin(doc, request, { ...noRoom(this.#context.limits), retryAfterMs }, this.#effects)
  }

  /** True when the document is in memory or may come; one that is of no use now may have to leave. */
  #hasRoomFor(doc: DocumentKey): boolean {
    if (this.#documents.has(doc)) return true
    if (this.#documents.size < this.#context.limits.documentsMax) return true
    // What does not exist first: whoever asks for many such keys takes nobody's place.
    return this.#makeRoom(this.#vacant) || this.#makeRoom(this.#resting)
  }

  /** Puts one of `spare` away, if one can go. */
  #makeRoom(spare: SpareDocuments): boolean {
    const doc = spare.find(doc => this.#maySpare(doc))
    const document = doc && this.#documents.get(doc)
    if (document === undefined) return false
    this.#unload(document)
    return true
  }

  #maySpare(doc: DocumentKey): boolean {
    const document = this.#documents.get(doc)
    if (document === undefined) return false
    const { isQuiet, hasChildren, isQuarantined } = document
    return isQuiet && !hasChildren && !isQuarantined && !this.#replays.has(doc)
  }

  #left(doc: DocumentKey, link: LinkId): void {
    this.#presence.leave(doc, link)
    const document = this.#documents.get(doc)
    if (document === undefined) return
    document.forgetJoin(link)
    this.#touch(doc)
  }

  #flush(doc: DocumentKey): void {
    // A child may name a document that it was refused: no reason to read its log again.
    if (!this.#documents.has(doc)) return
    this.#guard(doc, document => document.flush(this.#effects))
  }

  /**
   * Runs `step` for a document, which comes into memory if it is not there. An assertion that fails
   * inside quarantines this document alone: its children and writers are told, the others go on.
   */
  #guard(doc: DocumentKey, step: (document: AuthorityDocument) => void): void {
    const document = this.#found(doc)
    const effectsBefore = this.#effects.length
    try {
      step(document)
    } catch (error) {
      if (!(error instanceof AssertionError || error instanceof ProtocolError)) throw error
      // What the failed step wanted done cannot be trusted, but what is durable was answered rightly.
      const answers = this.#effects
        .splice(effectsBefore)
        .filter(effect => effect.kind === 'write-answered')
      this.#effects.push(...answers)
      this.#note({ event: 'document-quarantined', doc, error })
      document.refuse('FANFOLD_QUARANTINED', `${doc} is quarantined`, this.#effects)
    }
    this.#children.setBusy(doc, document.hasMore)
    this.#wakes.set(doc, document.snapshots.wakeAt)
    if (document.hasChildren) this.#care.note(doc, this.#now)
    this.#replays.note(document)
    if (document.hasSlices) this.#slicing.add(doc)
    else this.#slicing.delete(doc)
    if (document.isQuiet && document.isVacant) this.#vacant.add(doc)
    else this.#vacant.delete(doc)
    if (document.isToBeOpenedAnew) this.#unload(document)
    // Whoever asks meanwhile does not put off that the log is looked at anew.
    else if (document.fencedUntil !== undefined) this.#idle.set(doc, document.fencedUntil)
    else this.#touch(doc)
  }

  #found(doc: DocumentKey): AuthorityDocument {
    return this.#documents.get(doc) ?? this.#load(doc)
  }

  #load(doc: DocumentKey): AuthorityDocument {
    const channel = this.#children.assignChannel(doc)
    const document = new AuthorityDocument(doc, channel, this.#context)
    this.#documents.set(doc, document)
    this.#effects.push({ kind: 'log-open', doc })
    return document
  }

  /** Something happened to the document: it is idle from now on at the earliest. */
  #touch(doc: DocumentKey): void {
    this.#resting.delete(doc)
    this.#idle.set(doc, after(this.#now, milliseconds(this.#context.limits.restAfterMs)))
  }

  #retire(doc: DocumentKey, now: Instant): void {
    const document = this.#documents.get(doc)
    // A quarantined document stays as it is: read again, it would be served again.
    if (document === undefined || document.isQuarantined) return
    if (document.fencedUntil !== undefined) {
      this.#unload(document)
      return
    }
    if (!document.isQuiet || this.#replays.has(doc)) {
      this.#touch(doc)
      return
    }
    const { restAfterMs, unloadAfterMs } = this.#context.limits
    // A large state takes more memory than to read it in again takes time.
    if (document.snapshots.ofLarge !== undefined && !document.hasChildren) {
      this.#unload(document)
      return
    }
    if (!this.#resting.has(doc)) {
      this.#resting.add(doc)
      document.rest()
      // A document that does not exist, or refuses, keeps nothing that is worth its memory.
      this.#idle.set(doc, after(now, milliseconds(document.isVacant ? restAfterMs : unloadAfterMs)))
      return
    }
    if (document.hasChildren) {
      this.#idle.set(doc, after(now, milliseconds(unloadAfterMs)))
      return
    }
    this.#unload(document)
  }

  #note(fact: AuthorityFact): void {
    this.#effects.push({ kind: 'fact', fact })
  }

  #unload(document: AuthorityDocument): void {
    const { doc, channel } = document
    document.close(this.#effects)
    this.#wakes.set(doc, undefined)
    this.#slicing.delete(doc)
    this.#care.forget(doc)
    this.#idle.set(doc, undefined)
    this.#resting.delete(doc)
    this.#vacant.delete(doc)
    this.#unaware.delete(doc)
    this.#documents.delete(doc)
    this.#children.releaseChannel(channel)
    this.#effects.push({ kind: 'log-close', doc })
  }
}
