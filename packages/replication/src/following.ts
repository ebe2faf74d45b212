import { plainCodec, type SnapshotCodec } from '@fanfold/document'
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
  type ErrorCode,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type LinkInput,
  ProtocolError,
  type SignedVariant,
} from '@fanfold/protocol'
import { Follower, type FollowerLimits } from './follower.ts'
import { HeldVariants } from './held-variants.ts'
import { PiecePacker } from './piece-packer.ts'
import type { ResyncReason, UpstreamEvent } from './upstream-event.ts'
import {
  defaultVariantLimits,
  type TellVariant,
  type VariantLimits,
  WantedVariants,
} from './wanted-variants.ts'

/** What a followed document tells the role that follows it. */
export type FollowingEvent =
  | UpstreamEvent
  /** The parent is gone, or has come back: how old what is held may be. */
  | { readonly kind: 'staleness' }
  /** Nobody below has wanted the document for a while: the role lets it go. */
  | { readonly kind: 'unused' }

/** What a role notes of the streams that it follows, for logs and metrics. */
export type FollowingFact =
  | { readonly event: 'resync'; readonly doc: DocumentKey; readonly reason: ResyncReason }
  | {
      readonly event: 'upstream-refused'
      readonly doc: DocumentKey
      readonly code: ErrorCode
      readonly message: string
    }

type Followed = {
  readonly follower: Follower
  /** Since when the stream is interrupted; undefined while it is joined, and before it ever was. */
  interruptedSince: Instant | undefined
  /** Since when the parent itself is stale, as it says. */
  parentStaleSince: Instant | undefined
}

/**
 * Everything a node follows from its parent, over one link at a time.
 *
 * The rim dials; of several parents that are connected the first one serves and the others wait. When
 * it goes, all documents resume over the next one from what they hold, and are stale until they are
 * joined again.
 */
export class Following {
  /** How the node packs pieces: those that came packed are served as they came. */
  readonly packer: PiecePacker
  readonly #isSnapshotDisabled: boolean
  readonly #sha256: Sha256
  readonly #prng: Prng
  readonly #limits: FollowerLimits
  readonly #tell: (doc: DocumentKey, event: FollowingEvent) => void
  readonly #documents = new Map<DocumentKey, Followed>()
  readonly #deadlines = new Deadlines<DocumentKey>()
  /** When each document that was released is unused. */
  readonly #lingering = new Deadlines<DocumentKey>()
  readonly #lingerMs: number
  /** Documents with more waiting to be applied than may. */
  readonly #unsettled = new Set<DocumentKey>()
  /** Links to parents, in the order in which they opened; the first one serves. */
  #parents: LinkId[] = []
  /** What the serving parent calls its documents. */
  readonly #channels = new Map<number, DocumentKey>()
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
  }) {
    const { sha256, prng, limits, variantLimits = defaultVariantLimits } = options
    this.packer = new PiecePacker(options.codec ?? plainCodec)
    this.#isSnapshotDisabled = options.isSnapshotDisabled ?? false
    this.#sha256 = sha256
    this.#prng = prng
    this.#limits = limits
    this.#lingerMs = options.lingerMs
    this.#tell = options.tell
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
    return this.#parents.length > 0
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
    return this.#parents.includes(link)
  }

  /** Follows a document from now on. */
  follow(doc: DocumentKey, now: Instant, effects: EffectSink<LinkEffect>): Follower {
    assert(!this.#documents.has(doc), `${doc} is not followed yet`)
    const follower = new Follower({
      doc,
      sha256: this.#sha256,
      prng: this.#prng.fork(doc),
      limits: this.#limits,
      packer: this.packer,
      isSnapshotDisabled: this.#isSnapshotDisabled,
    })
    this.#documents.set(doc, {
      follower,
      interruptedSince: undefined,
      parentStaleSince: undefined,
    })
    const [parent] = this.#parents
    if (parent !== undefined) follower.upstream.attach(parent, now, effects)
    this.#deadlines.set(doc, follower.upstream.wakeAt)
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
  unfollow(doc: DocumentKey, effects: EffectSink<LinkEffect>): void {
    const followed = this.#documents.get(doc)
    if (followed === undefined) return
    const { channel } = followed.follower.upstream
    if (channel !== undefined) this.#channels.delete(channel)
    followed.follower.upstream.leave(effects)
    this.#documents.delete(doc)
    this.#deadlines.set(doc, undefined)
    this.#lingering.set(doc, undefined)
    this.#unsettled.delete(doc)
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

  /** Takes what happened on a link to a parent; a bad frame closes it. */
  receive(input: LinkInput, now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#lastNow = now
    switch (input.kind) {
      case 'link-opened':
        this.#parents.push(input.link)
        if (this.#parents.length === 1) this.#attachAll(input.link, now, effects)
        return
      case 'link-frame':
        if (input.link === this.#parents[0]) this.#take(input.link, input.frame, now, effects)
        return
      case 'link-congested':
      case 'link-drained':
        // What goes up to a parent is too little to fill a link.
        return
      case 'link-closed':
        this.#close(input.link, now, effects)
    }
  }

  wakeAt(): Instant | undefined {
    if (this.#unsettled.size > 0 || this.#wanted.isPumpDue) return this.#lastNow
    const due = earliest(this.#deadlines.wakeAt(), this.#lingering.wakeAt())
    return earliest(due, this.#wanted.wakeAt())
  }

  tick(now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#lastNow = now
    for (const doc of this.#deadlines.due(now)) {
      const followed = this.#documents.get(doc)
      if (followed === undefined) continue
      this.#handle(doc, followed, followed.follower.tick(now, effects), now)
    }
    for (const doc of [...this.#unsettled]) {
      const followed = this.#documents.get(doc)
      if (followed === undefined) this.#unsettled.delete(doc)
      else this.#handle(doc, followed, followed.follower.settle(now, effects), now)
    }
    for (const doc of this.#lingering.due(now)) this.#tell(doc, { kind: 'unused' })
    this.#wanted.tick(now, effects)
  }

  /** The replica did not hold what it should: everything of the document is fetched again. */
  restart(doc: DocumentKey, now: Instant, effects: EffectSink<LinkEffect>): void {
    const followed = this.#documents.get(doc)
    if (followed === undefined) return
    this.#handle(doc, followed, followed.follower.upstream.restart('broken', now, effects), now)
  }

  #close(link: LinkId, now: Instant, effects: EffectSink<LinkEffect>): void {
    const served = this.#parents[0] === link
    this.#parents = this.#parents.filter(parent => parent !== link)
    if (!served) return
    this.#channels.clear()
    for (const [doc, followed] of this.#documents) {
      followed.follower.upstream.detach()
      this.#deadlines.set(doc, undefined)
      this.#interrupted(doc, followed, now)
    }
    this.#attachAll(this.#parents[0], now, effects)
  }

  #take(link: LinkId, bytes: Uint8Array, now: Instant, effects: EffectSink<LinkEffect>): void {
    try {
      const frame = decodeLinkFrame(bytes)
      if (frame !== undefined) this.#route(frame, now, effects)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      effects.push({ kind: 'link-close', link, code: error.code, message: error.message })
    }
  }

  /** Everything goes on over this link to a parent, or waits for one. */
  #attachAll(link: LinkId | undefined, now: Instant, effects: EffectSink<LinkEffect>): void {
    this.#wanted.attach(link)
    this.#wanted.pump(now, effects)
    if (link === undefined) return
    for (const [doc, { follower }] of this.#documents) {
      follower.upstream.attach(link, now, effects)
      this.#deadlines.set(doc, follower.upstream.wakeAt)
    }
  }

  #route(frame: LinkFrame, now: Instant, effects: EffectSink<LinkEffect>): void {
    if (frame.kind === 'variant' || frame.kind === 'no-variant') {
      this.#wanted.receive(frame, now, effects)
      return
    }
    const doc =
      'doc' in frame
        ? frame.doc
        : 'channel' in frame
          ? this.#channels.get(frame.channel)
          : undefined
    const followed = doc === undefined ? undefined : this.#documents.get(doc)
    // What was under way when a document was left is of no use.
    if (doc === undefined || followed === undefined) return
    if (frame.kind === 'welcome') this.#welcomed(doc, followed, frame.channel)
    this.#handle(doc, followed, followed.follower.receive(frame, now, effects), now)
  }

  #handle(
    doc: DocumentKey,
    followed: Followed,
    events: readonly UpstreamEvent[],
    now: Instant,
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
      if (event.kind === 'joined') this.#tell(doc, { kind: 'staleness' })
    }
    // Told of the end, the role has let the document go.
    if (this.#documents.get(doc) !== followed) return
    if (follower.upstream.isWaiting) this.#interrupted(doc, followed, now)
    this.#deadlines.set(doc, follower.upstream.wakeAt)
    if (follower.mustSettle) this.#unsettled.add(doc)
    else this.#unsettled.delete(doc)
  }

  /** The parent begins anew: it says again if it is stale, and calls the document by this channel. */
  #welcomed(doc: DocumentKey, followed: Followed, channel: number): void {
    const before = followed.follower.upstream.channel
    if (before !== undefined) this.#channels.delete(before)
    this.#channels.set(channel, doc)
    followed.parentStaleSince = undefined
  }

  #interrupted(doc: DocumentKey, followed: Followed, now: Instant): void {
    if (followed.interruptedSince !== undefined) return
    followed.interruptedSince = followed.parentStaleSince ?? now
    followed.parentStaleSince = undefined
    this.#tell(doc, { kind: 'staleness' })
  }
}
