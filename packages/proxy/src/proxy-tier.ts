import { Chain, type SnapshotCodec } from '@fanfold/document'
import { earliest, type Instant, type Machine, type Prng, type Sha256 } from '@fanfold/kernel'
import type { DocumentKey, LinkId, LinkInput, LogRecord, SignalKind } from '@fanfold/protocol'
import {
  ChildLinks,
  type FollowedStanding,
  Following,
  type FollowingEvent,
  type JoinRequest,
  noteOf,
  type PassedReplays,
  type ReplayOutcome,
  type RequestCount,
  type RouteInput,
  type Routes,
  SetAside,
  type Staleness,
  setAsideMs,
  type TreeLooks,
  type VerifiedDocument,
} from '@fanfold/replication'
import type { FleetTree } from '@fanfold/topology'
import { type Admission, DocumentTrees, takenHere } from './document-trees.ts'
import { PassedCrowds } from './passed-crowds.ts'
import { PassedVariants } from './passed-variants.ts'
import { ProxyCare } from './proxy-care.ts'
import { noParent, ProxyDocument, putAside, refuseJoin } from './proxy-document.ts'
import {
  documentsMaxDefault,
  type ProxyEffect,
  type ProxyFact,
  type ProxyInput,
  type ProxyLimits,
} from './proxy-effect.ts'
import { ProxyJoins } from './proxy-joins.ts'
import { proxyLooks } from './proxy-looks.ts'
import { ProxyPresence } from './proxy-presence.ts'
import { passedReplays } from './proxy-replays.ts'
import { WarmKeeping } from './warm-keeping.ts'

/**
 * The role that is a tier of the tree: follows documents from a parent while children want them, and
 * passes every record on as it came.
 */
export class ProxyTier implements Machine<ProxyInput, ProxyEffect> {
  readonly #chain: Chain
  readonly #following: Following
  readonly #children: ChildLinks
  readonly #replays: PassedReplays
  readonly #documents = new Map<DocumentKey, ProxyDocument>()
  readonly #variants: PassedVariants
  readonly #presence = new ProxyPresence(this.#documents, (doc, viewers) =>
    this.#following.presence(doc, viewers, this.#now, this.#effects),
  )
  readonly #aside = new SetAside()
  readonly #care = new ProxyCare()
  readonly #isWarm: boolean
  readonly #joins: ProxyJoins
  /** Undefined where nodes are not sent on. */
  readonly #trees: DocumentTrees | undefined
  readonly #looks: TreeLooks
  readonly #crowds: PassedCrowds
  readonly #warmKeeping = new WarmKeeping(doc => this.#documents.get(doc)?.follower.keepable())
  // The callbacks below run inside `receive` and `tick`, which lend them their instant and effects.
  #now: Instant = 0 as Instant
  #effects: ProxyEffect[] = []

  constructor(options: {
    readonly sha256: Sha256
    readonly prng: Prng
    readonly limits: ProxyLimits
    /** From which nodes each document may be had; from any parent when not said. */
    readonly routes?: Routes | undefined
    /** What is known of trees that form themselves; without it children are never sent on. */
    readonly tree?: FleetTree | undefined
    /** How pieces of snapshots are packed on links; not at all when not said. */
    readonly codec?: SnapshotCodec | undefined
    /** Whether documents are kept over a restart, by a driver with a warm store; not when not said. */
    readonly isWarm?: boolean | undefined
    /** Whether to do without snapshots from the parent, and replay logs instead; not when not said. */
    readonly isSnapshotDisabled?: boolean | undefined
    /** Whether its children are the edges of its own node, which others see as one edge; not when not said. */
    readonly isFront?: boolean | undefined
    /** The wall's time, ms since 1970: only told to who looks at a tree, as how late records come. */
    readonly wallClockMs?: (() => number) | undefined
  }) {
    const { sha256, prng, limits, routes, codec, isSnapshotDisabled, tree } = options
    this.#trees = tree && new DocumentTrees(tree, link => this.#children.peerAt(link))
    this.#chain = new Chain(sha256)
    this.#isWarm = options.isWarm ?? false
    this.#following = new Following({
      sha256,
      prng,
      limits: limits.follower,
      routes,
      lingerMs: limits.lingerMs,
      codec,
      isSnapshotDisabled,
      isStateNeeded: false,
      assemblyLimits: limits.assembly,
      guard: (doc, step) => this.#guard(doc, step),
      tell: (doc, event) => this.#told(doc, event),
      tellVariant: (hash, variant) => this.#variants.told(hash, variant),
      relay: frame => this.#replays.receive(frame),
      tellTree: (link, frame) => this.#looks.receive(link, frame, this.#now, this.#effects),
      tellCrowd: (link, frame) => this.#crowds.answered(link, frame),
      wallClockMs: options.wallClockMs,
    })
    this.#crowds = new PassedCrowds({
      linkOf: doc => this.#following.parents.linkOf(doc),
      turn: () => ({ now: this.#now, effects: this.#effects }),
    })
    this.#replays = passedReplays({
      chain: this.#chain,
      prng: prng.fork('replays'),
      following: this.#following,
      documents: this.#documents,
      childAt: link => this.#children.peerAt(link)?.node,
      turn: () => ({ now: this.#now, effects: this.#effects }),
      note: (doc, outcome) => this.#replayEnded(doc, outcome),
      replaysMax: limits.replaysMax,
    })
    this.#joins = new ProxyJoins({
      following: this.#following,
      owner: {
        documents: this.#documents,
        follow: (doc, warm) => this.#follow(doc, warm),
        flush: doc => this.#flush(doc),
        children: () => this.#children,
        admit: (document, request) => this.#admit(document, request),
        turnedAway: (doc, link) => {
          this.#children.forget(link, doc)
          this.#documents.get(doc)?.downstream.leave(link)
          this.#left(doc, link)
        },
        isReplaying: doc => this.#replays.has(doc),
      },
      documentsMax: limits.documentsMax ?? documentsMaxDefault,
      isWarm: this.#isWarm,
    })
    this.#children = new ChildLinks(
      {
        join: (doc, request) => this.#guard(doc, () => this.#join(doc, request)),
        downstream: doc => this.#documents.get(doc)?.downstream,
        left: (doc, link) => this.#left(doc, link),
        flush: doc => this.#guard(doc, () => this.#flush(doc)),
        variant: (hash, link) => this.#variants.request(hash, link),
        signal: (link, signal, doc, value) => this.#signalled(link, signal, doc, value),
        now: () => this.#now,
        replays: this.#replays,
        tree: (link, frame) => this.#looks.receive(link, frame, this.#now, this.#effects),
        crowd: (link, frame) => {
          if (this.#documents.has(frame.doc)) this.#crowds.receive(link, frame)
        },
      },
      limits.transfer,
    )
    this.#looks = proxyLooks({
      following: this.#following,
      documents: this.#documents,
      presence: this.#presence,
      children: this.#children,
      trees: this.#trees,
      isFront: options.isFront ?? false,
      turn: () => ({ now: this.#now, effects: this.#effects }),
    })
    this.#variants = new PassedVariants(this.#following.variants, (hash, links, variant) =>
      this.#children.answerVariant(hash, links, variant, this.#effects),
    )
  }

  /** Documents followed. */
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

  /** Documents of which what is held may be old. */
  get staleCount(): number {
    return this.#following.staleCount
  }

  /** True while as many bytes of documents are sent to other nodes as there may be. */
  get isOverBytes(): boolean {
    return this.#trees?.isOverBytes === true
  }

  /** Viewers of all documents, as the nodes below count them. */
  get viewersBelow(): number {
    return this.#presence.total
  }

  /** Where a document is had from, how far, and for how many streams; undefined for one that is not followed. */
  standingOf(doc: DocumentKey): (FollowedStanding & { readonly children: number }) | undefined {
    const standing = this.#following.standingOf(doc)
    const children = this.#documents.get(doc)?.downstream.count ?? 0
    return standing && { ...standing, children }
  }

  /** What came of asking parents for documents. */
  get requestCounts(): readonly RequestCount[] {
    return this.#following.parents.requests.counts
  }

  /** True while a parent is connected. */
  get hasParent(): boolean {
    return this.#following.parents.count > 0
  }

  receive(input: ProxyInput, now: Instant, effects: ProxyEffect[]): void {
    this.#now = now
    this.#effects = effects
    switch (input.kind) {
      case 'worker-encoded':
      case 'worker-viewed':
      case 'worker-failed':
        this.#following.receiveWorker(input, now, effects)
        return
      case 'warm-read':
        this.#joins.found(input.doc, input.document, now, effects)
        return
      case 'warm-kept':
        this.#warmKeeping.kept(input.doc, now)
        return
      case 'closing':
        this.#warmKeeping.keepAll(effects)
        return
      case 'tree-asked':
        this.#looks.ask(input, now, effects)
        return
      default:
        this.#receiveLink(input)
    }
  }

  wakeAt(): Instant | undefined {
    if (this.#children.hasBusy) return this.#now
    const joins = earliest(this.#joins.wakeAt(), this.#warmKeeping.wakeAt())
    const due = earliest(earliest(joins, this.#trees?.wakeAt()), this.#looks.wakeAt())
    const byCrowds = earliest(this.#care.wakeAt(), this.#crowds.wakeAt())
    return earliest(earliest(byCrowds, due), this.#following.wakeAt())
  }

  tick(now: Instant, effects: ProxyEffect[]): void {
    this.#now = now
    this.#effects = effects
    this.#following.tick(now, effects)
    this.#joins.tick(now, effects)
    this.#trees?.tick(this.#documents, now, effects)
    this.#looks.tick(now, effects)
    for (const doc of this.#care.headsDue(now)) {
      this.#guard(doc, () => this.#documents.get(doc)?.downstream.signalHead(effects))
    }
    for (const doc of this.#care.documentsDue(now)) {
      this.#guard(doc, () => this.#lookAfter(doc))
    }
    for (const replays of this.#care.replaysDue(now)) replays.letGo(effects)
    this.#warmKeeping.tick(now, effects)
    this.#crowds.tick(now, effects)
    this.#children.flushNext(effects)
  }

  #receiveLink(input: LinkInput | RouteInput): void {
    if ('link' in input && this.#isOfChild(input)) {
      this.#children.receive(input, this.#effects)
      this.#care.noteReplays(this.#replays, this.#now)
      if (input.kind === 'link-closed') this.#variants.leave(input.link)
    } else {
      this.#following.receive(input, this.#now, this.#effects)
      const isLost = input.kind === 'link-closed' || input.kind === 'node-unreachable'
      if (isLost) this.#joins.refuseWaiting(this.#now, this.#effects)
    }
    this.#looks.notice(input, this.#now, this.#effects)
  }

  #isOfChild(input: LinkInput): boolean {
    return input.kind === 'link-opened' ? !input.dialled : this.#children.has(input.link)
  }

  /** What was missed, or is kept for nobody, is put right. */
  #lookAfter(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined || !document.lookAfter(this.#now)) this.#care.rests(doc)
    if (document === undefined) return
    if (document.canServe) this.#serve(document, document.takeWaiting())
    this.#presence.settle(doc)
  }

  #join(doc: DocumentKey, request: JoinRequest): void {
    const asideMs = this.#aside.leftMs(doc, this.#now)
    if (asideMs !== undefined) {
      refuseJoin(doc, request, putAside(doc, asideMs), this.#effects)
      return
    }
    this.#joins.join(doc, request, this.#now, this.#effects)
    if (this.#documents.has(doc)) this.#care.note(doc, this.#now)
    this.#tellBelow(doc)
  }

  #serve(document: ProxyDocument, requests: readonly JoinRequest[]): void {
    this.#joins.serve(document, requests, this.#now, this.#effects)
    if (requests.length > 0) this.#tellBelow(document.doc)
  }

  #left(doc: DocumentKey, link: LinkId): void {
    this.#crowds.left(doc, link)
    this.#presence.leave(doc, link)
    this.#trees?.left(doc, link)
    this.#joins.left(doc, link, this.#now)
    this.#presence.settle(doc)
    this.#tellBelow(doc)
  }

  #admit(document: ProxyDocument, request: JoinRequest): Admission {
    return this.#trees?.admit(document, request, this.#now, this.#effects) ?? takenHere
  }

  /** The parent is told what is below this node. */
  #tellBelow(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (this.#trees === undefined || document === undefined) return
    this.#trees.note(document, this.#now)
    this.#following.below(doc, this.#trees.belowOf(document), this.#now, this.#effects)
  }

  #signalled(link: LinkId, signal: SignalKind, doc: DocumentKey, value: number): void {
    if (signal === 'lag') this.#note({ event: 'lag-told', doc, lagMs: value })
    else if (signal === 'presence') this.#presence.set(doc, link, value)
    else if (!this.#documents.has(doc)) return
    else if (this.#trees?.signalled(doc, link, signal, value) === true) this.#tellBelow(doc)
  }

  #follow(doc: DocumentKey, warm: VerifiedDocument | undefined): ProxyDocument {
    const follower = this.#following.follow(doc, this.#now, this.#effects, warm)
    const channel = this.#children.assignChannel(doc)
    const document = new ProxyDocument({
      doc,
      follower,
      channel,
      chain: this.#chain,
      packer: this.#following.packer,
      staleness: () => this.#stalenessOf(doc),
      isConfirmed: warm === undefined,
      placeFor: this.#trees && ((of, link) => this.#trees?.placeFor(of, link)),
    })
    this.#documents.set(doc, document)
    return document
  }

  /** Runs what concerns one document alone: an assertion that fails inside puts no other one aside. */
  #guard(doc: DocumentKey, step: () => void): void {
    const effectsBefore = this.#effects.length
    this.#aside.guard(doc, this.#now, step, error => {
      // What the failed step wanted done cannot be trusted.
      this.#effects.splice(effectsBefore)
      this.#note({ event: 'document-set-aside', doc, error })
      const document = this.#documents.get(doc)
      if (document === undefined) return
      document.end(putAside(doc, setAsideMs), this.#effects)
      this.#replays.replaced(doc)
      if (this.#isWarm) this.#warmKeeping.drop(doc, this.#effects)
      this.#letGo(document, false)
    })
  }

  #letGo(document: ProxyDocument, isKept = true): void {
    const { doc, channel } = document
    if (isKept) this.#warmKeeping.keep(doc, this.#effects)
    this.#following.unfollow(doc, this.#effects)
    this.#documents.delete(doc)
    this.#children.releaseChannel(channel)
    this.#care.forget(doc)
    this.#trees?.forget(doc)
    this.#crowds.forget(doc)
  }

  #flush(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    const effectsBefore = this.#effects.length
    if (document.flush(this.#effects)) this.#children.hasMore(doc)
    this.#trees?.sent(doc, this.#effects, effectsBefore, this.#now)
    if (document.downstream.isHashDue) document.answerHash(this.#now, this.#effects)
    // That a record does not apply shows when a snapshot is to be made.
    if (document.follower.replica.isBroken) this.#following.restart(doc, this.#now, this.#effects)
  }

  #told(doc: DocumentKey, event: FollowingEvent): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    for (const fact of noteOf(doc, event)) this.#note(fact)
    switch (event.kind) {
      case 'piece-damaged':
      case 'resync':
        return
      case 'records':
        this.#forward(document, event.records)
        return
      case 'reset':
        this.#replays.replaced(doc)
        document.downstream.restart(document.follower.replica.position, this.#effects)
        this.#changed(document)
        return
      case 'ceiling':
        this.#replays.lowered(doc)
        document.hashes.forget()
        document.downstream.restart(document.follower.replica.position, this.#effects)
        if (this.#isWarm) this.#warmKeeping.drop(doc, this.#effects)
        return
      case 'joined':
        document.isConfirmed = true
        this.#crowds.joined(doc)
        this.#serve(document, document.takeServable())
        return
      case 'refused':
        this.#upstreamRefused(document, event)
        return
      case 'placed':
        this.#trees?.placed(document, this.#effects)
        return
      case 'dissolve':
        this.#trees?.dissolve(document, this.#now, this.#effects)
        return
      case 'snapshot-ready':
        this.#flush(doc)
        return
      case 'state-hash':
        document.hashes.told(event.answer)
        document.downstream.tellHash(event.answer, this.#effects)
        return
      case 'caught-up':
        this.#serve(document, document.takeWaiting())
        return
      case 'staleness':
        document.downstream.tellStaleness(this.#effects)
        return
      case 'unused':
        // When the replay of a child is over, the document is released again.
        if (!this.#replays.has(doc)) this.#letGo(document)
        return
    }
  }

  #forward(document: ProxyDocument, records: readonly LogRecord[]): void {
    const { doc, downstream } = document
    this.#note({ event: 'records-forwarded', doc, records })
    this.#flush(doc)
    if (downstream.count > 0) this.#care.published(doc, this.#now)
    this.#changed(document)
  }

  /** What is held is not what it was: it is looked after, and kept over a restart when there is time. */
  #changed({ doc, follower }: ProxyDocument): void {
    this.#care.note(doc, this.#now)
    if (!this.#isWarm) return
    if (follower.replica.isDeleted) this.#warmKeeping.drop(doc, this.#effects)
    else this.#warmKeeping.changed(doc, this.#now)
  }

  /** A child that has replayed the log comes back for what follows it. */
  #replayEnded(doc: DocumentKey, outcome: ReplayOutcome): void {
    this.#note({ event: 'replay-ended', doc, outcome })
    const document = this.#documents.get(doc)
    if (document !== undefined) this.#joins.expect(document, this.#now)
  }

  #upstreamRefused(
    document: ProxyDocument,
    event: Extract<FollowingEvent, { kind: 'refused' }>,
  ): void {
    const { code, message } = event
    const retryAfterMs = event.final ? 0 : noParent.retryAfterMs
    const isExpected = document.waiting.size > 0
    if (event.final) {
      document.end({ code, message, retryAfterMs }, this.#effects)
      if (this.#isWarm) this.#warmKeeping.drop(document.doc, this.#effects)
      this.#letGo(document)
      return
    }
    document.refuseWaiting({ code, message, retryAfterMs }, this.#effects)
    if (isExpected) this.#joins.expect(document, this.#now)
  }

  #stalenessOf(doc: DocumentKey): Staleness {
    const staleFor = this.#following.staleFor(doc, this.#now)
    return { stale: staleFor !== undefined, ageMs: Math.floor((staleFor ?? 0) / 1000) }
  }

  #note(fact: ProxyFact): void {
    this.#effects.push({ kind: 'fact', fact })
  }
}
