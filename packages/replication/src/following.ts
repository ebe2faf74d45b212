import {
  plainCodec,
  type ReplicaWorkerInput,
  type SnapshotCodec,
  type WarmDocument,
  type WorkerReplicaId,
} from '@fanfold/document'
import {
  after,
  assert,
  between,
  Deadlines,
  type Duration,
  type EffectSink,
  earliest,
  type Instant,
  milliseconds,
  type Prng,
  type Sha256,
} from '@fanfold/kernel'
import {
  type DocumentKey,
  decodeLinkFrame,
  type LinkFrame,
  type LinkId,
  type LinkInput,
  ProtocolError,
  type SignedVariant,
} from '@fanfold/protocol'
import { AssemblyBudget, type AssemblyLimits } from './assembly-budget.ts'
import { Follower, type FollowerEvent, type FollowerLimits, type FollowerNode } from './follower.ts'
import type { FollowingEvent } from './following-event.ts'
import { HeldVariants } from './held-variants.ts'
import type { FollowingEffect } from './parent-effect.ts'
import { ParentSignals } from './parent-signals.ts'
import { type Parent, Parents } from './parents.ts'
import { PiecePacker } from './piece-packer.ts'
import { type Relay, type ReplayAsk, ReplayRelays } from './replay-relays.ts'
import { Troubles } from './troubles.ts'
import {
  defaultVariantLimits,
  type TellVariant,
  type VariantLimits,
  WantedVariants,
} from './wanted-variants.ts'

type Followed = {
  readonly follower: Follower
  /** Since when the stream is interrupted; undefined while it is joined, and before it ever was. */
  interruptedSince: Instant | undefined
  /** Since when the parent itself is stale, as it says. */
  parentStaleSince: Instant | undefined
  /** What the parent that serves the document calls it. */
  channel: { readonly parent: Parent; readonly channel: number } | undefined
}

/**
 * Everything a node follows from its parents.
 *
 * The rim dials; of several parents that are connected the first one serves and the others wait. When
 * it goes, all documents resume over the next one from what they hold, and are stale until they are
 * joined again; when it says before that it goes, they move while it is still there. A document to which
 * a parent is of no use is served by another one until that has been well for a while.
 */
export class Following {
  /** How the node packs pieces: those that came packed are served as they came. */
  readonly packer: PiecePacker
  readonly #node: FollowerNode
  readonly #prng: Prng
  readonly #tell: (doc: DocumentKey, event: FollowingEvent) => void
  readonly #documents = new Map<DocumentKey, Followed>()
  readonly #deadlines = new Deadlines<DocumentKey>()
  /** When each document that was released is unused. */
  readonly #lingering = new Deadlines<DocumentKey>()
  readonly #lingerMs: number
  /** Documents with something to do in a turn of their own, the longest waiting first. */
  readonly #unsettled = new Set<DocumentKey>()
  readonly #parents = new Parents()
  /** Parents that the driver was told to connect to. */
  #parentsWanted: 1 | 2 = 1
  readonly #troubles: Troubles
  readonly #signals: ParentSignals
  readonly #relays: ReplayRelays
  readonly #workers = new Map<WorkerReplicaId, DocumentKey>()
  #nextWorker = 1
  readonly #held: HeldVariants
  readonly #wanted: WantedVariants
  #lastNow = 0 as Instant

  constructor(options: {
    readonly sha256: Sha256
    readonly prng: Prng
    readonly limits: FollowerLimits
    /** How long a document is followed after it was released. */
    readonly lingerMs: number
    /** Called from inside the methods below, after the replica and the ring are up to date. */
    readonly tell: (doc: DocumentKey, event: FollowingEvent) => void
    /** Called from inside `receive` and `tick`: a variant that is wanted is here, or cannot be had now. */
    readonly tellVariant: TellVariant
    /** The default ones when not said. */
    readonly variantLimits?: VariantLimits
    /** How pieces are packed on links; not at all when not said. */
    readonly codec?: SnapshotCodec | undefined
    /** Whether to do without snapshots, and replay logs instead; not when not said. */
    readonly isSnapshotDisabled?: boolean | undefined
    /**
     * Whether the role reads states; it does when not said. Otherwise the state of a large document is
     * never made here: its snapshots come from the worker.
     */
    readonly isStateNeeded?: boolean | undefined
    /** Room for snapshots on their way in; the default one when not said. */
    readonly assemblyLimits?: AssemblyLimits | undefined
    /**
     * Called from inside the methods below with what a parent sends of a replay that the role has asked
     * for with `sendToParent`; to nobody when not said.
     */
    readonly relay?: Relay | undefined
  }) {
    const { sha256, prng, limits, variantLimits = defaultVariantLimits } = options
    this.packer = new PiecePacker(options.codec ?? plainCodec)
    this.#prng = prng
    this.#lingerMs = options.lingerMs
    this.#tell = options.tell
    this.#relays = new ReplayRelays(options.relay ?? (() => undefined))
    this.#troubles = new Troubles(limits.upstream)
    this.#signals = new ParentSignals(doc => this.#linkOf(doc))
    this.#node = {
      limits,
      isStateNeeded: options.isStateNeeded ?? true,
      upstream: {
        sha256,
        limits: limits.upstream,
        packer: this.packer,
        budget: new AssemblyBudget(options.assemblyLimits),
        repair: (doc, trouble, now) =>
          this.#troubles.struck(doc, trouble, this.#parents.links, now),
        beforeReplay: (doc, effects) => this.#relays.cut(doc, effects),
        isSnapshotDisabled: options.isSnapshotDisabled ?? false,
      },
      workerNames: {
        take: doc => this.#nameWorker(doc),
        free: id => this.#workers.delete(id),
      },
      due: doc => this.#unsettled.add(doc),
    }
    this.#held = new HeldVariants(variantLimits.heldBytesMax)
    this.#wanted = new WantedVariants({
      sha256,
      prng: prng.fork('variants'),
      limits: variantLimits,
      answerMaxMs: limits.upstream.answerMaxMs,
      held: this.#held,
      tell: options.tellVariant,
    })
  }

  /** True while a parent is connected. */
  get hasParent(): boolean {
    return this.#parents.count > 0
  }

  /** Documents followed. */
  get count(): number {
    return this.#documents.size
  }

  /** Documents of which what is held may be old. */
  get staleCount(): number {
    let count = 0
    for (const doc of this.#documents.keys()) {
      if (this.staleFor(doc, this.#lastNow) !== undefined) count++
    }
    return count
  }

  /** The follower of a document, if it is followed. */
  get(doc: DocumentKey): Follower | undefined {
    return this.#documents.get(doc)?.follower
  }

  /** How long what is held of the document may have been old; undefined while it is fresh. */
  staleFor(doc: DocumentKey, now: Instant): Duration | undefined {
    const followed = this.#documents.get(doc)
    const since = earliest(followed?.interruptedSince, followed?.parentStaleSince)
    return since === undefined ? undefined : between(since, now)
  }

  /** True for a link to a parent. */
  has(link: LinkId): boolean {
    return this.#parents.get(link) !== undefined
  }

  /** Follows a document from now on; with `warm`, from what was kept of it, as far as that verifies. */
  follow(
    doc: DocumentKey,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
    warm?: WarmDocument,
  ): Follower {
    assert(!this.#documents.has(doc), `${doc} is not followed yet`)
    const follower = new Follower({ doc, prng: this.#prng.fork(doc), node: this.#node })
    const followed: Followed = {
      follower,
      interruptedSince: undefined,
      parentStaleSince: undefined,
      channel: undefined,
    }
    this.#documents.set(doc, followed)
    if (warm !== undefined && follower.warm(warm, now)) followed.interruptedSince = now
    this.#attach(followed, now, effects)
    this.#deadlines.set(doc, follower.wakeAt)
    return follower
  }

  /** Somebody below wants the document: it stays. */
  keep(doc: DocumentKey): void {
    this.#lingering.set(doc, undefined)
  }

  /** Nobody below wants the document now: it is unused unless somebody does soon. */
  release(doc: DocumentKey, now: Instant): void {
    this.#lingering.set(doc, after(now, milliseconds(this.#lingerMs)))
  }

  /** The role lets the document go: the parent is told, what is held goes. */
  unfollow(doc: DocumentKey, effects: EffectSink<FollowingEffect>): void {
    const followed = this.#documents.get(doc)
    if (followed === undefined) return
    this.#unroute(followed)
    followed.follower.leave(effects)
    this.#documents.delete(doc)
    this.#deadlines.set(doc, undefined)
    this.#lingering.set(doc, undefined)
    this.#unsettled.delete(doc)
    this.#signals.forget(doc)
    this.#troubles.forget(doc)
    this.#tellParentsWanted(effects)
  }

  /** The edge variant with this name (64 hexadecimal digits), if it is at hand. */
  variant(hash: string): SignedVariant | undefined {
    return this.#held.get(hash)
  }

  /**
   * Asks for a variant until it is here or not wanted any more. In the next tick at the earliest,
   * `tellVariant` is called with it, and with `undefined` each time that it turns out that it cannot
   * be had now. False, and nothing is told, when too many are wanted.
   */
  wantVariant(hash: string): boolean {
    return this.#wanted.want(hash)
  }

  /** Nobody wants the variant any more: nothing is told of it. */
  unwantVariant(hash: string): void {
    this.#wanted.unwant(hash)
  }

  /** The variant at hand is of no use (who vouches for it is nobody): the next want asks for it anew. */
  dropVariant(hash: string): void {
    this.#held.drop(hash)
  }

  /** So many viewers have the document here and below: the parent is told, once a second at most. */
  presence(
    doc: DocumentKey,
    count: number,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    this.#signals.tell({ doc, signal: 'presence', value: count }, now, effects)
  }

  /** So many ms after its commit the document is here: the parent is told, once a second at most. */
  lag(doc: DocumentKey, ms: number, now: Instant, effects: EffectSink<FollowingEffect>): void {
    this.#signals.tell({ doc, signal: 'lag', value: ms }, now, effects)
  }

  /**
   * Passes what a child asks of a replay on to the parent that serves the document; what comes of it goes
   * to `relay`. False when that cannot be now: without a parent, while the node replays the document
   * itself, and for a replay that is over.
   */
  sendToParent(frame: ReplayAsk, effects: EffectSink<FollowingEffect>): boolean {
    if (this.get(frame.doc)?.upstream.isReplaying === true) return false
    const link = this.#linkOf(frame.doc) ?? this.#parents.first?.link
    return this.#relays.ask(frame, link, effects)
  }

  /** Takes what happened on a link to a parent; a bad frame closes it. */
  receive(input: LinkInput, now: Instant, effects: EffectSink<FollowingEffect>): void {
    this.#lastNow = now
    switch (input.kind) {
      case 'link-opened':
        this.#parents.open(input.link)
        this.#moveToNew(input.link, now, effects)
        break
      case 'link-frame':
        this.#take(input.link, input.frame, now, effects)
        break
      case 'link-congested':
      case 'link-drained':
        // What goes up to a parent is too little to fill a link.
        break
      case 'link-closed':
        this.#close(input.link, now, effects)
    }
    this.#tellParentsWanted(effects)
  }

  /** Takes an answer of the worker. */
  receiveWorker(
    input: ReplicaWorkerInput,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    this.#lastNow = now
    const doc = this.#workers.get(input.replica)
    const followed = doc === undefined ? undefined : this.#documents.get(doc)
    if (doc === undefined || followed === undefined) return
    this.#handle(doc, followed, followed.follower.receiveWorker(input, now, effects), now, effects)
    this.#tellParentsWanted(effects)
  }

  wakeAt(): Instant | undefined {
    if (this.#unsettled.size > 0 || this.#wanted.isPumpDue) return this.#lastNow
    let due = earliest(this.#deadlines.wakeAt(), this.#lingering.wakeAt())
    due = earliest(due, earliest(this.#troubles.wakeAt(), this.#signals.wakeAt()))
    return earliest(due, this.#wanted.wakeAt())
  }

  tick(now: Instant, effects: EffectSink<FollowingEffect>): void {
    this.#lastNow = now
    for (const doc of this.#deadlines.due(now)) {
      const followed = this.#documents.get(doc)
      if (followed === undefined) continue
      this.#handle(doc, followed, followed.follower.tick(now, effects), now, effects)
    }
    this.#settleNext(now, effects)
    for (const doc of this.#lingering.due(now)) this.#tell(doc, { kind: 'unused' })
    const isLive = (doc: DocumentKey): boolean => this.get(doc)?.upstream.isLive === true
    for (const doc of this.#troubles.over(now, isLive)) this.#moveToFirst(doc, now, effects)
    this.#signals.tick(now, effects)
    this.#wanted.tick(now, effects)
    this.#tellParentsWanted(effects)
  }

  /** The replica did not hold what it should: everything of the document is fetched again. */
  restart(doc: DocumentKey, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const followed = this.#documents.get(doc)
    if (followed === undefined) return
    this.#handle(doc, followed, followed.follower.restart(now, effects), now, effects)
    this.#tellParentsWanted(effects)
  }

  /** One document's in a turn: each takes some milliseconds. */
  #settleNext(now: Instant, effects: EffectSink<FollowingEffect>): void {
    const [doc] = this.#unsettled
    if (doc === undefined) return
    this.#unsettled.delete(doc)
    const followed = this.#documents.get(doc)
    if (followed === undefined) return
    this.#handle(doc, followed, followed.follower.settle(now, effects), now, effects)
  }

  #linkOf(doc: DocumentKey): LinkId | undefined {
    return this.#documents.get(doc)?.follower.upstream.link
  }

  #nameWorker(doc: DocumentKey): WorkerReplicaId {
    const id = this.#nextWorker++ as WorkerReplicaId
    this.#workers.set(id, doc)
    return id
  }

  #tellParentsWanted(effects: EffectSink<FollowingEffect>): void {
    const count = this.#troubles.wantsAnother || this.#parents.isOneGoing ? 2 : 1
    if (count === this.#parentsWanted) return
    this.#parentsWanted = count
    effects.push({ kind: 'want-parents', count })
  }

  #close(link: LinkId, now: Instant, effects: EffectSink<FollowingEffect>): void {
    this.#parents.close(link)
    this.#relays.closed(link)
    this.#wantVariantsOf(this.#parents.first, now, effects)
    for (const [doc, followed] of this.#documents) {
      const { upstream } = followed.follower
      if (upstream.link !== link) continue
      upstream.detach()
      followed.channel = undefined
      this.#interrupted(doc, followed, now)
      this.#attach(followed, now, effects)
      this.#deadlines.set(doc, followed.follower.wakeAt)
    }
  }

  /** A new parent serves who has none, who would leave theirs, and who has one that goes. */
  #moveToNew(link: LinkId, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const parent = this.#parents.get(link)
    if (parent === undefined) return
    if (this.#parents.first === parent) {
      this.#wantVariantsOf(parent, now, effects)
      for (const [doc, followed] of this.#documents) {
        const serving = this.#parents.get(followed.follower.upstream.link)
        if (serving?.isGoing !== false) this.#moveTo(doc, parent, now, effects)
      }
      return
    }
    for (const doc of this.#troubles.waiting) {
      if (this.get(doc)?.upstream.isLive === false) this.#moveTo(doc, parent, now, effects)
    }
  }

  /** The parent goes away: what it serves moves before, if there is another one. */
  #handOver(from: Parent, now: Instant, effects: EffectSink<FollowingEffect>): void {
    from.isGoing = true
    const { first } = this.#parents
    if (first === undefined || first.isGoing) return
    this.#wantVariantsOf(first, now, effects)
    for (const doc of this.#documents.keys()) {
      if (this.#linkOf(doc) === from.link) this.#moveTo(doc, first, now, effects)
    }
  }

  /** What is well again needs no parent of its own. */
  #moveToFirst(doc: DocumentKey, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const { first } = this.#parents
    if (first !== undefined && this.#linkOf(doc) !== first.link) {
      this.#moveTo(doc, first, now, effects)
    }
  }

  /** The document goes on over this link, from what it holds. */
  #moveTo(
    doc: DocumentKey,
    parent: Parent,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    const followed = this.#documents.get(doc)
    if (followed === undefined) return
    this.#unroute(followed)
    followed.follower.upstream.leave(effects)
    followed.follower.upstream.attach(parent.link, now, effects)
    this.#deadlines.set(doc, followed.follower.wakeAt)
  }

  /** A document that no parent serves is asked of one, of the first that did not fail it. */
  #attach({ follower }: Followed, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const { doc } = follower.upstream
    const link =
      this.#troubles.other(doc, this.#parents.links, undefined) ?? this.#parents.first?.link
    if (link !== undefined) follower.upstream.attach(link, now, effects)
  }

  #wantVariantsOf(
    parent: Parent | undefined,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    if (this.#wanted.parent === parent?.link) return
    this.#wanted.attach(parent?.link)
    this.#wanted.pump(now, effects)
  }

  #take(link: LinkId, bytes: Uint8Array, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const parent = this.#parents.get(link)
    if (parent === undefined) return
    try {
      const frame = decodeLinkFrame(bytes)
      if (frame !== undefined) this.#route(parent, frame, now, effects)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      effects.push({ kind: 'link-close', link, code: error.code, message: error.message })
    }
  }

  #route(
    parent: Parent,
    frame: LinkFrame,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    const { link } = parent
    switch (frame.kind) {
      case 'variant':
      case 'no-variant':
        if (link === this.#wanted.parent) this.#wanted.receive(frame, now, effects)
        return
      case 'replay':
      case 'replay-ended':
        if (this.#relays.take(frame, link)) return
        break
      case 'signal':
        if (frame.signal === 'hand-over') this.#handOver(parent, now, effects)
        break
      default:
    }
    const doc = docOf(frame, parent)
    const followed = doc === undefined ? undefined : this.#documents.get(doc)
    // What was under way when a document was left, or moved, is of no use.
    if (doc === undefined || followed?.follower.upstream.link !== link) return
    if (frame.kind === 'welcome') this.#welcomed(doc, followed, parent, frame.channel)
    this.#handle(doc, followed, followed.follower.receive(frame, now, effects), now, effects)
  }

  #handle(
    doc: DocumentKey,
    followed: Followed,
    events: readonly FollowerEvent[],
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    const { follower } = followed
    for (const event of events) {
      if (event.kind === 'joined') followed.interruptedSince = undefined
      if (event.kind === 'stale') {
        const since = (now - event.ageMs * 1000) as Instant
        followed.parentStaleSince = event.stale ? since : undefined
        this.#tell(doc, { kind: 'staleness' })
      } else {
        this.#tell(doc, event)
      }
      if (event.kind === 'ceiling') {
        // Also who was told before: with the new ceiling the children begin anew.
        followed.interruptedSince ??= followed.parentStaleSince ?? now
        this.#tell(doc, { kind: 'staleness' })
      }
      if (event.kind === 'joined') {
        this.#signals.joined(doc, now, effects)
        this.#tell(doc, { kind: 'staleness' })
      }
    }
    // Told of the end, the role has let the document go.
    if (this.#documents.get(doc) !== followed) return
    if (follower.upstream.link === undefined) {
      this.#unroute(followed)
      this.#attach(followed, now, effects)
    }
    if (follower.upstream.isWaiting) this.#interrupted(doc, followed, now)
    this.#deadlines.set(doc, follower.wakeAt)
    if (follower.mustSettle) this.#unsettled.add(doc)
    else this.#unsettled.delete(doc)
  }

  /** The parent begins anew: it says again if it is stale, and calls the document by this channel. */
  #welcomed(doc: DocumentKey, followed: Followed, parent: Parent, channel: number): void {
    this.#unroute(followed)
    parent.channels.set(channel, doc)
    followed.channel = { parent, channel }
    followed.parentStaleSince = undefined
  }

  /** What comes on the document's channel is nobody's. */
  #unroute(followed: Followed): void {
    followed.channel?.parent.channels.delete(followed.channel.channel)
    followed.channel = undefined
  }

  #interrupted(doc: DocumentKey, followed: Followed, now: Instant): void {
    if (followed.interruptedSince !== undefined) return
    followed.interruptedSince = followed.parentStaleSince ?? now
    followed.parentStaleSince = undefined
    this.#tell(doc, { kind: 'staleness' })
  }
}

/** The document that a frame of this parent is about. */
function docOf(frame: LinkFrame, parent: Parent): DocumentKey | undefined {
  if ('doc' in frame) return frame.doc
  return 'channel' in frame ? parent.channels.get(frame.channel) : undefined
}
