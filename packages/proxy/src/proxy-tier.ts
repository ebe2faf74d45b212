import { Chain, type SnapshotCodec } from '@fanfold/document'
import { earliest, type Instant, type Machine, type Prng, type Sha256 } from '@fanfold/kernel'
import type { DocumentKey, LinkId, LinkInput, LogRecord, SignalKind } from '@fanfold/protocol'
import {
  ChildLinks,
  Downstream,
  Following,
  type FollowingEvent,
  type HeldRecords,
  type JoinRequest,
  PassedReplays,
  PresenceSums,
  type ReplayOutcome,
  type ReplayWish,
  type Staleness,
  type VerifiedDocument,
} from '@fanfold/replication'
import { PassedVariants } from './passed-variants.ts'
import { ProxyCare } from './proxy-care.ts'
import { noParent, ProxyDocument } from './proxy-document.ts'
import {
  documentsMaxDefault,
  forwardedFact,
  type ProxyEffect,
  type ProxyFact,
  type ProxyInput,
  type ProxyLimits,
} from './proxy-effect.ts'
import { ProxyJoins } from './proxy-joins.ts'
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
  readonly #presence = new PresenceSums()
  readonly #care = new ProxyCare()
  readonly #isWarm: boolean
  readonly #joins: ProxyJoins
  readonly #warmKeeping = new WarmKeeping(doc => this.#documents.get(doc)?.follower.keepable())
  // The callbacks below run inside `receive` and `tick`, which lend them their instant and effects.
  #now: Instant = 0 as Instant
  #effects: ProxyEffect[] = []

  constructor(options: {
    readonly sha256: Sha256
    readonly prng: Prng
    readonly limits: ProxyLimits
    /** How pieces of snapshots are packed on links; not at all when not said. */
    readonly codec?: SnapshotCodec | undefined
    /** Whether documents are kept over a restart, by a driver with a warm store; not when not said. */
    readonly isWarm?: boolean | undefined
    /** Whether to do without snapshots from the parent, and replay logs instead; not when not said. */
    readonly isSnapshotDisabled?: boolean | undefined
  }) {
    const { sha256, prng, limits, codec, isSnapshotDisabled } = options
    this.#chain = new Chain(sha256)
    this.#isWarm = options.isWarm ?? false
    this.#following = new Following({
      sha256,
      prng,
      limits: limits.follower,
      lingerMs: limits.lingerMs,
      codec,
      isSnapshotDisabled,
      isStateNeeded: false,
      assemblyLimits: limits.assembly,
      tell: (doc, event) => this.#told(doc, event),
      tellVariant: (hash, variant) => this.#variants.told(hash, variant),
      relay: frame => this.#replays.receive(frame),
    })
    this.#replays = new PassedReplays({
      chain: this.#chain,
      prng: prng.fork('replays'),
      held: doc => this.#held(doc),
      above: {
        ask: wish => this.#askReplay(wish),
        credit: (replay, bytes) => this.#following.replays.credit(replay, bytes, this.#effects),
        leave: replay => this.#following.replays.leave(replay, this.#effects),
      },
      note: (doc, outcome) => this.#replayEnded(doc, outcome),
      replaysMax: limits.replaysMax,
    })
    this.#joins = new ProxyJoins({
      following: this.#following,
      owner: {
        documents: this.#documents,
        follow: (doc, warm) => this.#follow(doc, warm),
        flush: doc => this.#flush(doc),
        isReplaying: doc => this.#replays.has(doc),
      },
      documentsMax: limits.documentsMax ?? documentsMaxDefault,
      isWarm: this.#isWarm,
    })
    this.#children = new ChildLinks(
      {
        join: (doc, request) => this.#join(doc, request),
        downstream: doc => this.#documents.get(doc)?.downstream,
        left: (doc, link) => this.#left(doc, link),
        flush: doc => this.#flush(doc),
        variant: (hash, link) => this.#variants.request(hash, link),
        signal: (link, signal, doc, value) => this.#signalled(link, signal, doc, value),
        replays: this.#replays,
      },
      limits.transfer,
    )
    this.#variants = new PassedVariants({
      held: hash => this.#following.variants.get(hash),
      want: hash => this.#following.variants.want(hash),
      unwant: hash => this.#following.variants.unwant(hash),
      answer: (hash, links, variant) =>
        this.#children.answerVariant(hash, links, variant, this.#effects),
    })
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

  /** Viewers of all documents, as the nodes below count them. */
  get viewersBelow(): number {
    return this.#presence.total
  }

  /** True while a parent is connected. */
  get hasParent(): boolean {
    return this.#following.hasParent
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
      default:
        this.#receiveLink(input)
    }
  }

  wakeAt(): Instant | undefined {
    if (this.#children.hasBusy) return this.#now
    const joins = earliest(this.#joins.wakeAt(), this.#warmKeeping.wakeAt())
    return earliest(earliest(this.#care.wakeAt(), joins), this.#following.wakeAt())
  }

  tick(now: Instant, effects: ProxyEffect[]): void {
    this.#now = now
    this.#effects = effects
    this.#following.tick(now, effects)
    this.#joins.tick(now, effects)
    for (const doc of this.#care.headsDue(now)) {
      this.#documents.get(doc)?.downstream.signalHead(effects)
    }
    for (const doc of this.#care.documentsDue(now)) this.#lookAfter(doc)
    for (const replays of this.#care.replaysDue(now)) replays.letGo(effects)
    this.#warmKeeping.tick(now, effects)
    this.#children.flushNext(effects)
  }

  #receiveLink(input: LinkInput): void {
    const isChilds = input.kind === 'link-opened' ? !input.dialled : this.#children.has(input.link)
    if (isChilds) {
      this.#children.receive(input, this.#effects)
      this.#care.noteReplays(this.#replays, this.#now)
      if (input.kind === 'link-closed') this.#variants.leave(input.link)
    } else {
      this.#following.receive(input, this.#now, this.#effects)
      if (input.kind === 'link-closed') this.#joins.refuseWaiting(this.#now, this.#effects)
    }
  }

  /** What was missed, or is kept for nobody, is put right. */
  #lookAfter(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined || !document.lookAfter(this.#now)) this.#care.rests(doc)
    if (document === undefined) return
    if (document.canServe) this.#serve(document, document.takeWaiting())
    this.#tellPresence(doc)
  }

  #join(doc: DocumentKey, request: JoinRequest): void {
    this.#joins.join(doc, request, this.#now, this.#effects)
    if (this.#documents.has(doc)) this.#care.note(doc, this.#now)
  }

  #serve(document: ProxyDocument, requests: readonly JoinRequest[]): void {
    this.#joins.serve(document, requests, this.#now, this.#effects)
  }

  #left(doc: DocumentKey, link: LinkId): void {
    this.#presence.leave(doc, link)
    this.#joins.left(doc, link, this.#now)
    this.#tellPresence(doc)
  }

  #signalled(link: LinkId, signal: SignalKind, doc: DocumentKey, value: number): void {
    if (signal === 'lag') this.#note({ event: 'lag-told', doc, lagMs: value })
    if (signal !== 'presence' || !this.#documents.has(doc)) return
    this.#presence.set(doc, link, value)
    this.#tellPresence(doc)
  }

  #tellPresence(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    const viewers = this.#presence.of(doc)
    if (document === undefined || document.viewersTold === viewers) return
    document.viewersTold = viewers
    this.#following.presence(doc, viewers, this.#now, this.#effects)
  }

  #follow(doc: DocumentKey, warm: VerifiedDocument | undefined): ProxyDocument {
    const follower = this.#following.follow(doc, this.#now, this.#effects, warm)
    const channel = this.#children.assignChannel(doc)
    const downstream = new Downstream({
      doc,
      channel,
      ring: follower.ring,
      chain: this.#chain,
      source: follower,
      ceiling: () => follower.upstream.ceiling,
      packer: this.#following.packer,
      staleness: () => this.#stalenessOf(doc),
    })
    const isConfirmed = warm === undefined
    const document = new ProxyDocument({ doc, follower, downstream, channel, isConfirmed })
    this.#documents.set(doc, document)
    return document
  }

  #letGo(document: ProxyDocument): void {
    const { doc, channel } = document
    this.#warmKeeping.keep(doc, this.#effects)
    this.#following.unfollow(doc, this.#effects)
    this.#documents.delete(doc)
    this.#children.releaseChannel(channel)
    this.#care.forget(doc)
  }

  #flush(doc: DocumentKey): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    this.#children.setBusy(doc, document.flush(this.#effects))
    // That a record does not apply shows when a snapshot is to be made.
    if (document.follower.replica.isBroken) this.#following.restart(doc, this.#now, this.#effects)
  }

  #told(doc: DocumentKey, event: FollowingEvent): void {
    const document = this.#documents.get(doc)
    if (document === undefined) return
    switch (event.kind) {
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
        document.downstream.restart(document.follower.replica.position, this.#effects)
        if (this.#isWarm) this.#warmKeeping.drop(doc, this.#effects)
        return
      case 'joined':
        document.isConfirmed = true
        this.#serve(document, document.takeServable())
        return
      case 'refused':
        this.#upstreamRefused(document, event)
        return
      case 'snapshot-ready':
        this.#flush(doc)
        return
      case 'piece-damaged':
        this.#note({ event: 'piece-damaged', doc })
        return
      case 'resync':
        this.#note({ event: 'resync', doc, reason: event.reason })
        return
      case 'caught-up':
        this.#serve(document, document.takeWaiting())
        this.#note({ event: 'caught-up', doc, rung: event.rung, tookMs: event.tookMs })
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
    this.#note(forwardedFact(records))
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

  #askReplay(wish: ReplayWish): number | undefined {
    const { replays } = this.#following
    const link = this.#following.parentOf(wish.doc)
    return link && replays.ask(link, { kind: 'relay' }, wish, this.#effects)
  }

  /** A child that has replayed the log comes back for what follows it. */
  #replayEnded(doc: DocumentKey, outcome: ReplayOutcome): void {
    this.#note({ event: 'replay-ended', doc, outcome })
    const document = this.#documents.get(doc)
    if (document !== undefined) this.#joins.expect(document, this.#now)
  }

  /** What replays may be answered from. */
  #held(doc: DocumentKey): HeldRecords | undefined {
    const document = this.#documents.get(doc)
    if (document?.canServe !== true) return undefined
    const { ring, upstream } = document.follower
    return { ring, ceiling: upstream.ceiling }
  }

  #upstreamRefused(
    document: ProxyDocument,
    event: Extract<FollowingEvent, { kind: 'refused' }>,
  ): void {
    const { doc } = document
    const { code, message } = event
    this.#note({ event: 'upstream-refused', doc, code, message })
    const retryAfterMs = event.final ? 0 : noParent.retryAfterMs
    const isExpected = document.waiting.size > 0
    document.refuseWaiting({ code, message, retryAfterMs }, this.#effects)
    if (event.final) {
      document.downstream.end(code, message, this.#effects)
      if (this.#isWarm) this.#warmKeeping.drop(doc, this.#effects)
      this.#letGo(document)
    } else if (isExpected) {
      this.#joins.expect(document, this.#now)
    }
  }

  #stalenessOf(doc: DocumentKey): Staleness {
    const staleFor = this.#following.staleFor(doc, this.#now)
    return { stale: staleFor !== undefined, ageMs: Math.floor((staleFor ?? 0) / 1000) }
  }

  #note(fact: ProxyFact): void {
    this.#effects.push({ kind: 'fact', fact })
  }
}
