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
  Deadlines,
  earliest,
  type Instant,
  type Machine,
  type RandomBytes,
  type Sha256,
} from '@fanfold/kernel'
import {
  type DocumentKey,
  documentName,
  type LinkId,
  type LinkInput,
  ProtocolError,
  type WriterInput,
} from '@fanfold/protocol'
import {
  ChildLinks,
  type ChildLinksOwner,
  type JoinRequest,
  PiecePacker,
  PresenceSums,
  type TreeLooks,
  WorkerNames,
} from '@fanfold/replication'
import type { AuthorityContext } from './authority-context.ts'
import { AuthorityDocument } from './authority-document.ts'
import type { AuthorityEffect, AuthorityFact } from './authority-effect.ts'
import type { AuthorityInput } from './authority-input.ts'
import type { AuthorityLimits } from './authority-limits.ts'
import { authorityLooks, receiveOfPeer } from './authority-looks.ts'
import { type AuthorityStanding, standingOf } from './authority-standing.ts'
import { ChildrenCare } from './children-care.ts'
import { Crowds } from './crowds.ts'
import { refusalForNow, refuseJoin, reject } from './document-answers.ts'
import type { DocumentQuotaOf } from './document-quotas.ts'
import { DocumentsInMemory } from './documents-in-memory.ts'
import { Doubt } from './doubt.ts'
import { KeptEpochs } from './kept-epochs.ts'
import type { LoadedVariant } from './loaded-definition.ts'
import { LoadedDefinitions } from './loaded-definitions.ts'
import { LogReplays } from './log-replays.ts'
import { type Owners, soleOwner } from './owners.ts'
import { Standby } from './standby.ts'
import { turns } from './turns.ts'
import type { WriteProblem } from './write-problem.ts'

/** Documents that one turn lets tell of a definition. */
const definedPerTurnMax = 64
/** Documents that one turn looks at for whether they are elsewhere now. */
const looksPerTurnMax = 512

/**
 * The role that puts writes in order: many documents, each by itself, each in memory only while
 * somebody needs it.
 */
export class Authority implements Machine<AuthorityInput, AuthorityEffect> {
  readonly #context: AuthorityContext
  readonly #definitions = new LoadedDefinitions()
  /** Documents that are still to hear of a definition that was loaded. */
  readonly #unaware = new Set<DocumentKey>()
  /** Documents that are still to be looked at for whether they are elsewhere now. */
  readonly #unlooked = new Set<DocumentKey>()
  /** While it lasts nodes below are told that what they have may be old. */
  readonly #doubt: Doubt
  /** True until all documents have told of it that doubt has begun or is over. */
  #isDoubtNews = false
  /** Documents that are elsewhere, and go as soon as the log has answered what it was asked. */
  readonly #leaving = new Set<DocumentKey>()
  readonly #documents: DocumentsInMemory
  readonly #standby: Standby
  readonly #children: ChildLinks
  /** Documents with something that takes many turns: one of them has its slice in each. */
  readonly #slicing = new Set<DocumentKey>()
  /** When each document has something to do by itself. */
  readonly #wakes = new Deadlines<DocumentKey>()
  readonly #workerNames = new WorkerNames()
  #nextRead = 1
  readonly #care = new ChildrenCare()
  readonly #replays: LogReplays
  readonly #presence = new PresenceSums()
  readonly #edgesBelow = new PresenceSums()
  readonly #looks: TreeLooks
  readonly #crowds: Crowds
  // The machine's callbacks run inside `receive`, which lends them its instant and its effects.
  #now: Instant = 0 as Instant
  #effects: AuthorityEffect[] = []

  constructor(options: {
    readonly sha256: Sha256
    readonly randomBytes: RandomBytes
    readonly limits: AuthorityLimits
    /** Packs pieces of snapshots for links; when not said, they go as they are. */
    readonly codec?: SnapshotCodec | undefined
    /** Whose documents are; when not said, all are this authority's. */
    readonly owners?: Owners | undefined
    /** What tenants may have here; when not said, nothing bounds them. It may say something else at any time. */
    readonly quotaOf?: DocumentQuotaOf | undefined
    /** The node's name, where trees form themselves: nodes below know the ones above them. */
    readonly node?: string | undefined
    /** The wall's time, ms since 1970: the commit time of what no writer has said. */
    readonly wallClockMs?: (() => number) | undefined
  }) {
    const { sha256, randomBytes, limits, codec = plainCodec, owners = soleOwner, node } = options
    const { quotaOf = () => undefined, wallClockMs = () => 0 } = options
    this.#crowds = new Crowds({
      definitionOf: doc => this.#definitionOf(doc),
      viewersOf: doc => this.#presence.of(doc),
      sessionsOf: doc => this.#documents.get(doc)?.sessions ?? [],
      sessionIdleMs: limits.sessionIdleMs,
      count: (doc, said) => this.#guard(doc, document => document.count(said, this.#effects)),
      turn: () => ({ now: this.#now, effects: this.#effects }),
    })
    this.#doubt = new Doubt(owners)
    this.#context = {
      sha256,
      randomBytes,
      limits,
      chain: new Chain(sha256),
      waiting: { bytes: 0 },
      epochs: {
        lost: new KeptEpochs(limits.documentsMax),
        own: owners === soleOwner ? undefined : new KeptEpochs(limits.documentsMax),
      },
      owners,
      crowd: this.#crowds,
      wallClockMs,
      packer: new PiecePacker(codec),
      now: () => this.#now,
      staleness: () => this.#doubt.staleness(this.#now),
      place: node === undefined ? undefined : { path: [node], others: [] },
      loadedFor: type => this.#definitions.get(type),
      workerNames: this.#workerNames,
      mayHash: turns(limits.stateHashEveryMs, () => this.#now),
      nextRead: () => this.#nextRead++ as LogReadId,
    }
    this.#replays = new LogReplays(this.#context, {
      document: doc => this.#problemOf(doc) ?? this.#found(doc),
      effects: () => this.#effects,
      note: fact => this.#note(fact),
    })
    this.#documents = new DocumentsInMemory(limits, quotaOf, {
      isReplaying: doc => this.#replays.has(doc),
      unload: document => this.#unload(document),
    })
    const documents = this.#documents
    this.#standby = new Standby(limits, {
      documents,
      owners,
      follow: doc => this.#follow(doc),
      unload: document => this.#unload(document),
      linkTo: node => this.#looks.linkTo(node),
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
        if (signal === 'presence') {
          this.#presence.set(doc, link, value)
          this.#crowds.viewersCounted(doc)
        } else if (signal === 'edges') this.#edgesBelow.set(doc, link, value)
        else if (signal === 'lag') this.#note({ event: 'lag-told', doc, lagMs: value })
      },
      inUse: (link, doc, seq) => {
        const by = this.#children.peerAt(link)?.node
        if (by !== undefined) this.#standby.documents.inUse(doc, by, seq, this.#now)
      },
      tree: (link, frame) => this.#looks.receive(link, frame, this.#now, this.#effects),
      crowd: (link, frame) => this.#crowds.receive(link, frame),
    }
    this.#children = new ChildLinks(owner, limits.transfer)
    this.#looks = authorityLooks({
      documents,
      children: this.#children,
      edges: this.#edgesBelow,
      owners,
      standingOf: (doc, now) => this.standingOf(doc, now),
    })
  }

  /** Documents in memory, but for those of others. */
  get documentCount(): number {
    return this.#documents.count - this.#standby.documents.count
  }

  /** How far a document of another was followed; undefined for one that this authority does not stand by for. */
  standbyOf(doc: DocumentKey): { readonly epoch: number; readonly seq: number } | undefined {
    const document = this.#documents.get(doc)
    if (document?.isStandby !== true) return undefined
    const { epoch, seq } = document.position
    return { epoch, seq }
  }

  /** Documents of others that this authority stands by for, and by how many records the last of them is behind. */
  get standby(): { readonly documents: number; readonly lagRecords: number } {
    const { count, lagRecords } = this.#standby.documents
    return { documents: count, lagRecords }
  }

  /** Documents of a tenant in memory. */
  documentsOf(tenant: string): number {
    return this.#documents.quotas.countOf(tenant)
  }

  /** Tenants with documents in memory that a quota bounds. */
  get boundedTenants(): readonly string[] {
    return this.#documents.quotas.bounded
  }

  /** Links of children. */
  get childCount(): number {
    return this.#children.count
  }

  /** Streams of documents to children. */
  get streamCount(): number {
    return this.#children.streamCount
  }

  /** Streams of a document to nodes of a region beyond the first one, where a proxy of it is a child. */
  get regionStreamsExtra(): number {
    return this.#children.regionStreamsExtra
  }

  /** How far a document is, and for how many streams; undefined for one that is not in memory. */
  standingOf(doc: DocumentKey, now: Instant = this.#now): AuthorityStanding | undefined {
    const document = this.#documents.get(doc)
    return document && !document.isStandby
      ? standingOf(document, this.#presence.of(doc), now)
      : undefined
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
        this.#receiveLink(input)
        return
      case 'tree-asked':
        this.#looks.ask(input, now, effects)
        return
      case 'worker-encoded':
      case 'worker-viewed':
      case 'worker-failed':
        this.#takeWorker(input)
        return
      case 'definition-loaded':
        this.#define(input.definition, input.variants ?? [])
        return
      case 'owners-changed':
        if (this.#doubt.look(now)) this.#isDoubtNews = true
        for (const doc of this.#documents.keys()) this.#unlooked.add(doc)
        this.#standby.telling.begin(now)
        return
      default:
        this.#takeLog(input)
    }
  }

  wakeAt(): Instant | undefined {
    const hasNews = this.#unaware.size > 0 || this.#unlooked.size > 0
    const hasTurns = this.#slicing.size > 0 || this.#standby.telling.hasDue
    if (this.#children.hasBusy || hasNews || hasTurns) return this.#now
    const byChildren = earliest(this.#care.wakeAt(), this.#replays.wakeAt())
    const byOthers = earliest(this.#standby.wakeAt(), this.#looks.wakeAt())
    const byLinks = earliest(earliest(byChildren, byOthers), this.#crowds.wakeAt())
    return earliest(byLinks, earliest(this.#documents.wakeAt(), this.#wakes.wakeAt()))
  }

  tick(now: Instant, effects: AuthorityEffect[]): void {
    this.#now = now
    this.#effects = effects
    this.#children.flushNext(effects)
    this.#defineNext()
    this.#lookNext()
    this.#sliceNext()
    for (const doc of this.#wakes.due(now)) {
      if (this.#documents.has(doc)) this.#guard(doc, document => document.tick(effects))
    }
    this.#care.tick(this.#documents, now, effects)
    this.#crowds.tick(now)
    this.#replays.tick(now, effects)
    this.#looks.tick(now, effects)
    this.#documents.tick(now)
    this.#standby.tick(now, effects)
  }

  /** Links that were dialled are to other authorities: nothing comes by them but looks at trees. */
  #receiveLink(input: LinkInput): void {
    const isDialled =
      input.kind === 'link-opened' ? input.dialled : this.#looks.isDialled(input.link)
    if (isDialled) receiveOfPeer(this.#looks, input, this.#now, this.#effects)
    else this.#children.receive(input, this.#effects)
    this.#looks.notice(input, this.#now, this.#effects)
    if (input.kind === 'link-opened' && isDialled) this.#standby.telling.begin(this.#now)
  }

  /** An answer of the log to a document that has left memory since is of no use. */
  #takeLog(input: LogInput): void {
    const { doc, kind } = input
    const document = this.#documents.get(doc)
    if (document === undefined) return
    const isRead = kind === 'log-read' || kind === 'log-read-refused'
    if (isRead && this.#replays.receive(input)) return
    const before = this.#definitionOf(doc)
    this.#guard(doc, document => document.receive(input, this.#now, this.#effects))
    if (kind === 'log-appended' && document.hasChildren) this.#care.published(doc, this.#now)
    // Who served it before may have died with viewers that are gone by now; and only by this definition it may
    // be told how many there are.
    const isOther = before !== this.#definitionOf(doc)
    if (kind === 'log-opened' || isOther) this.#crowds.viewersCounted(doc)
  }

  /** The definition in force; undefined where nobody knows it, or the document does not exist, or only follows another's. */
  #definitionOf(doc: DocumentKey): DocumentDefinition | undefined {
    const document = this.#documents.get(doc)
    return document?.exists === true && !document.isStandby ? document.definition : undefined
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
      // Where the log need not be told of it, it is in force now.
      this.#crowds.viewersCounted(doc)
    }
  }

  /** Some of the documents are looked at for whether they are elsewhere now. */
  #lookNext(): void {
    let left = looksPerTurnMax
    for (const doc of this.#unlooked) {
      if (left-- === 0) return
      this.#unlooked.delete(doc)
      const document = this.#documents.get(doc)
      if (document === undefined) continue
      if (this.#isDoubtNews && document.hasChildren) {
        document.downstream.tellStaleness(this.#effects)
      }
      const { owners } = this.#context
      if (owners.elsewhere(doc) !== undefined && document.isStandby) {
        if (!owners.isStandby(doc)) this.#unload(document)
      } else if (owners.elsewhere(doc) !== undefined) {
        this.#leaving.add(doc)
        // The guard lets it go, now or after a step to come.
        this.#guard(doc, () => undefined)
      } else if (document.isStandby) {
        // To be there is to be taken over.
        this.#found(doc)
      } else if (this.#isDoubtNews && owners.stall === undefined) {
        this.#guard(doc, document => document.doubtIsOver(this.#effects))
      } else if (document.isHeldBack) {
        // What a stall has held back goes on; the others need not notice.
        this.#guard(doc, document => document.definitionLoaded(this.#effects))
      }
    }
    this.#isDoubtNews = false
  }

  /** A document that is elsewhere ends, unless it has become this authority's again. */
  #letGo(document: AuthorityDocument): void {
    const problem = this.#context.owners.elsewhere(document.doc)
    if (problem === undefined) this.#leaving.delete(document.doc)
    else document.leave(problem, this.#effects)
  }

  #answerVariant(hash: Uint8Array, link: LinkId): void {
    const variant = this.#definitions.variant(hash)
    this.#children.answerVariant(hash, [link], variant, this.#effects)
  }

  #write(input: WriterInput): void {
    const { doc } = input
    const problem = this.#problemOf(doc, this.#context.owners.stall)
    if (problem === undefined) this.#guard(doc, document => document.write(input, this.#effects))
    else reject(input, problem.code, problem.message, this.#effects)
  }

  #join(doc: DocumentKey, request: JoinRequest): void {
    const problem = this.#problemOf(doc)
    if (problem === undefined) {
      this.#guard(doc, document => document.join(request, this.#effects))
      return
    }
    if (this.#context.owners.elsewhere(doc) !== undefined) this.#turnAway(doc, request.link)
    refuseJoin(doc, request, refusalForNow(problem), this.#effects)
  }

  /** Who asks for a document that is elsewhere follows it here no more, if it did. */
  #turnAway(doc: DocumentKey, link: LinkId): void {
    this.#children.forget(link, doc)
    const document = this.#documents.get(doc)
    if (document?.hasChildren === true) document.downstream.leave(link)
    this.#left(doc, link)
  }

  /** Why the document cannot be served: it is elsewhere, or not in memory where there is no room for it. */
  #problemOf(doc: DocumentKey, stall?: WriteProblem): WriteProblem | undefined {
    const problem = this.#context.owners.elsewhere(doc) ?? stall
    if (problem !== undefined) return problem
    const full = this.#documents.problemOf(doc)
    if (full?.code === 'FANFOLD_QUOTA_EXCEEDED') {
      this.#note({
        event: 'quota-refused',
        tenant: documentName(doc).tenant,
        message: full.message,
      })
    }
    return full
  }

  #left(doc: DocumentKey, link: LinkId): void {
    this.#presence.leave(doc, link)
    this.#edgesBelow.leave(doc, link)
    this.#crowds.left(doc, link)
    const document = this.#documents.get(doc)
    if (document === undefined) return
    document.forgetJoin(link)
    this.#documents.touch(doc, this.#now)
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
    if (this.#leaving.has(doc)) this.#letGo(document)
    if (document.hasMore) this.#children.hasMore(doc)
    this.#wakes.set(doc, document.wakeAt)
    if (document.hasChildren) this.#care.note(doc, this.#now)
    this.#replays.note(document)
    if (document.hasSlices) this.#slicing.add(doc)
    else this.#slicing.delete(doc)
    const { refusal } = document
    if (document.isStandby && refusal !== undefined) {
      this.#standby.documents.lost(doc, this.#now)
      this.#unload(document)
      return
    }
    const isGone = refusal !== undefined && this.#leaving.has(doc)
    if (isGone || refusal?.isForNow === true) this.#unload(document)
    else this.#documents.note(document, this.#now)
    this.#standby.telling.note(doc)
  }

  /** The document, which comes into memory if it is not there; one that was stood by for is this authority's now. */
  #found(doc: DocumentKey): AuthorityDocument {
    const document = this.#documents.get(doc)
    if (document === undefined) {
      this.#effects.push({ kind: 'log-open', doc })
      return this.#load(doc)
    }
    if (document.isStandby && this.#context.owners.elsewhere(doc) === undefined) {
      document.takeOver(this.#effects)
      this.#standby.documents.forget(doc)
      this.#documents.takenOver(doc)
    }
    return document
  }

  /** The document is another's: it comes into memory as its log tells it. */
  #follow(doc: DocumentKey): void {
    this.#effects.push({ kind: 'log-follow', doc })
    this.#load(doc, true)
  }

  #load(doc: DocumentKey, isStandby = false): AuthorityDocument {
    const channel = this.#children.assignChannel(doc)
    const document = new AuthorityDocument(doc, channel, this.#context, isStandby)
    this.#documents.add(document)
    return document
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
    this.#crowds.forget(doc)
    this.#unaware.delete(doc)
    this.#unlooked.delete(doc)
    this.#leaving.delete(doc)
    this.#standby.forget(doc)
    this.#documents.forget(doc)
    this.#children.releaseChannel(channel)
    this.#effects.push({ kind: 'log-close', doc })
  }
}
