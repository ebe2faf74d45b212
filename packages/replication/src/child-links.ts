import { type EffectSink, toHex } from '@fanfold/kernel'
import {
  type DocumentKey,
  decodeLinkFrame,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type LinkInput,
  limits,
  type PeerIdentity,
  ProtocolError,
  type SignalKind,
  type SignedVariant,
} from '@fanfold/protocol'
import type { ChildLinksOwner } from './child-links-owner.ts'
import { regionStreamsExtra } from './region-streams.ts'
import { replayEnded } from './replays.ts'
import { RoomyLinks } from './roomy-links.ts'
import {
  defaultTransferLimits,
  LinkAllowance,
  type TransferLimits,
  TurnAllowance,
} from './transfer-allowance.ts'

type ChildLink = {
  readonly peer: PeerIdentity
  /** Names of variants that the child waits for. */
  readonly variantsAsked: Set<string>
  /** Documents the child has asked for and not left. */
  readonly docs: Set<DocumentKey>
  readonly allowance: LinkAllowance
  isCongested: boolean
}

/** What children say of documents. */
const fromChildren: ReadonlySet<SignalKind> = new Set(['presence', 'lag', 'children', 'edges'])

/** Documents that one child may ask for on one link. */
const documentsPerLinkMax = 1_000_000
/** Documents that one turn looks at for something to send. */
const looksPerTurnMax = 256
/** Documents that one turn tells that a child is gone: about 3 us each. */
const leavesPerTurnMax = 2_048

/**
 * The links of a role's children, and whose turn it is: finds the document that each frame is about,
 * and sends what waits document by document.
 */
export class ChildLinks {
  readonly #owner: ChildLinksOwner
  readonly #limits: TransferLimits
  /** What snapshots may take of this turn. */
  readonly #turn: TurnAllowance
  readonly #links = new Map<LinkId, ChildLink>()
  /** Links that are gone, with the documents that have not heard of it: what they send there is lost. */
  readonly #gone = new Map<LinkId, Set<DocumentKey>>()
  /** What the children call each document that the role serves. */
  readonly #channels = new Map<number, DocumentKey>()
  /** Documents with more for a child than it was sent yet: they go on in the next turns. */
  readonly #busy = new Set<DocumentKey>()
  readonly #roomy = new RoomyLinks()
  #isRoomFirst = false
  #nextChannel = 1

  constructor(owner: ChildLinksOwner, limits: TransferLimits = defaultTransferLimits) {
    this.#owner = owner
    this.#limits = limits
    this.#turn = new TurnAllowance(limits.workBytesPerTurnMax, owner.now)
  }

  /** Links of children that are open. */
  get count(): number {
    return this.#links.size
  }

  /** Streams of documents to children, over all links. */
  get streamCount(): number {
    let count = 0
    for (const { docs } of this.#links.values()) count += docs.size
    return count
  }

  /** Streams of a document to nodes of a region, beyond the first one, in regions of which a proxy is a child. */
  get regionStreamsExtra(): number {
    return regionStreamsExtra(this.#links.values())
  }

  /** Documents that the child at the other end of the link has asked for and not left. */
  documentsOf(link: LinkId): number {
    return this.#links.get(link)?.docs.size ?? 0
  }

  /** The node at the other end of the link; undefined for no child's. */
  peerAt(link: LinkId): PeerIdentity | undefined {
    return this.#links.get(link)?.peer
  }

  /** The child was refused the document for want of room: it has not asked for it until it asks again. */
  forget(link: LinkId, doc: DocumentKey): void {
    this.#links.get(link)?.docs.delete(doc)
  }

  /** True for a link of a child. */
  has(link: LinkId): boolean {
    return this.#links.has(link)
  }

  /** Names a document that the role serves from now on; a name is never used again. */
  assignChannel(doc: DocumentKey): number {
    const channel = this.#nextChannel++
    this.#channels.set(channel, doc)
    return channel
  }

  /** The role serves the document no more. */
  releaseChannel(channel: number): void {
    const doc = this.#channels.get(channel)
    if (doc === undefined) return
    this.#channels.delete(channel)
    this.#busy.delete(doc)
  }

  /**
   * The document has more for a child than it was sent: it goes on in a turn to come. That it has not is found out there:
   * a child may have made room since it was last flushed.
   */
  hasMore(doc: DocumentKey): void {
    this.#busy.add(doc)
  }

  /** True when `flushNext` is to be called in the next turn. */
  get hasBusy(): boolean {
    const isBusy = this.#busy.size > 0 || this.#roomy.areAny || this.#gone.size > 0
    return isBusy || this.#owner.replays?.hasMore === true
  }

  /**
   * Sends the next of what is waiting, and no more than one document's, one that waited for room on a
   * link, and one replay's: a link that was told to be drained has many, and can say that it is full
   * again before the turn of the next one. Most of those may have nothing to send: only so many are
   * looked at.
   *
   * @param effects where the owner appends what it sends
   */
  flushNext(effects: EffectSink<LinkEffect> & { readonly length: number }): void {
    this.#turn.refill()
    this.#leaveNext()
    this.#owner.replays?.sendNext(effects)
    // Each is the first in every other turn: what a turn may do for snapshots is soon done.
    this.#isRoomFirst = !this.#isRoomFirst
    if (this.#isRoomFirst) this.#flushRoomy()
    this.#flushBusy(effects)
    if (!this.#isRoomFirst && !this.#turn.isSpent) this.#flushRoomy()
  }

  #flushBusy(effects: EffectSink<LinkEffect> & { readonly length: number }): void {
    const effectsBefore = effects.length
    let left = Math.min(this.#busy.size, looksPerTurnMax)
    // One iterator for the whole turn: a new one passes over everything that was deleted before.
    for (const doc of this.#busy) {
      if (left-- === 0) return
      this.#busy.delete(doc)
      this.#owner.flush(doc)
      if (effects.length > effectsBefore) return
    }
  }

  /** A document that has waited for room on a link goes on. */
  #flushRoomy(): void {
    this.#roomy.flushNext(channel => {
      const doc = this.#channels.get(channel)
      if (doc === undefined) return false
      this.#owner.flush(doc)
      return this.#busy.has(doc)
    })
  }

  /** Takes what happened on a link of a child; a bad frame closes it. */
  receive(input: LinkInput, effects: EffectSink<LinkEffect>): void {
    switch (input.kind) {
      case 'link-opened':
        this.#links.set(input.link, {
          peer: input.peer,
          variantsAsked: new Set(),
          docs: new Set(),
          allowance: new LinkAllowance(this.#turn, this.#limits),
          isCongested: false,
        })
        return
      case 'link-frame':
        this.#take(input.link, input.frame, effects)
        return
      case 'link-congested':
        this.#setCongested(input.link, true)
        return
      case 'link-drained':
        this.#setCongested(input.link, false)
        return
      case 'link-closed':
        this.#close(input.link)
    }
  }

  /**
   * Answers those of the links that wait for the variant: with it, or that it cannot be had now. A
   * link that is full is told the latter, and asks again: what is kept for it stays bounded.
   */
  answerVariant(
    hash: Uint8Array,
    links: Iterable<LinkId>,
    variant: SignedVariant | undefined,
    effects: EffectSink<LinkEffect>,
  ): void {
    const name = toHex(hash)
    const none = encodeLinkFrame({ kind: 'no-variant', hash })
    const frame = variant && encodeLinkFrame({ kind: 'variant', variant })
    for (const link of links) {
      const child = this.#links.get(link)
      if (child === undefined || !child.variantsAsked.delete(name)) continue
      const answer = child.isCongested ? none : (frame ?? none)
      effects.push({ kind: 'link-send', link, frame: answer })
    }
  }

  #close(link: LinkId): void {
    const child = this.#links.get(link)
    if (child === undefined) return
    this.#links.delete(link)
    this.#roomy.delete(child)
    this.#owner.replays?.close(link)
    this.#gone.set(link, child.docs)
    this.#leaveNext()
  }

  /** Some of the documents hear that their child is gone. */
  #leaveNext(): void {
    let left = leavesPerTurnMax
    for (const [link, docs] of this.#gone) {
      for (const doc of docs) {
        if (left-- === 0) return
        docs.delete(doc)
        this.#leave(doc, link)
      }
      this.#gone.delete(link)
    }
  }

  /** The link's unsent bytes went over or under their limit. */
  #setCongested(link: LinkId, isCongested: boolean): void {
    const child = this.#links.get(link)
    if (child === undefined) return
    child.isCongested = isCongested
    if (!isCongested) this.#owner.replays?.drained(link)
    for (const doc of child.docs) {
      this.#owner.downstream(doc)?.setCongested(link, isCongested)
      if (!isCongested) this.#busy.add(doc)
    }
    this.#roomy.add(child)
  }

  #take(link: LinkId, bytes: Uint8Array, effects: EffectSink<LinkEffect>): void {
    const child = this.#links.get(link)
    if (child === undefined) return
    try {
      const frame = decodeLinkFrame(bytes)
      if (frame !== undefined) this.#route(link, child, frame, effects)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      effects.push({ kind: 'link-close', link, code: error.code, message: error.message })
    }
  }

  #route(link: LinkId, child: ChildLink, frame: LinkFrame, effects: EffectSink<LinkEffect>): void {
    switch (frame.kind) {
      case 'join':
        this.#join(link, child, frame)
        return
      case 'leave':
        if (child.docs.delete(frame.doc)) this.#leave(frame.doc, link)
        effects.push({
          kind: 'link-send',
          link,
          frame: encodeLinkFrame({ kind: 'left', doc: frame.doc }),
        })
        return
      case 'credit': {
        const doc = this.#channels.get(frame.channel)
        if (doc === undefined) return
        this.#owner.downstream(doc)?.credit(link, frame.bytes)
        this.#busy.add(doc)
        return
      }
      case 'request-pieces': {
        const doc = this.#channels.get(frame.channel)
        if (doc === undefined) return
        this.#owner.downstream(doc)?.resend(link, frame.indexes, effects)
        this.#roomy.add(child)
        this.#busy.add(doc)
        return
      }
      case 'pieces-taken':
        child.allowance.taken(frame.bytes, frame.answers)
        this.#roomy.add(child)
        return
      case 'request-replay':
        this.#requestReplay(link, child, frame, effects)
        return
      case 'replay-credit':
        this.#owner.replays?.credit(link, frame.replay, frame.bytes)
        return
      case 'leave-replay':
        this.#owner.replays?.leave(link, frame.replay)
        return
      case 'signal':
        this.#takeSignal(link, child, frame)
        return
      case 'request-state-hash':
        // Of what it has not joined a child is told nothing.
        if (!child.docs.has(frame.doc)) return
        this.#owner.downstream(frame.doc)?.askHash(link)
        this.#busy.add(frame.doc)
        return
      case 'request-variant':
        this.#requestVariant(link, child, frame.hash, effects)
        return
      case 'request-tree':
        this.#requestTree(link, child, frame, effects)
        return
      case 'tree':
        this.#owner.tree?.(link, frame)
        return
      case 'crowd':
        if (child.docs.has(frame.doc)) this.#owner.crowd?.(link, frame)
        return
      case 'ping':
        return
      default:
        throw new ProtocolError('FANFOLD_BAD_FRAME', `a child does not send ${frame.kind}`)
    }
  }

  #join(link: LinkId, child: ChildLink, frame: Extract<LinkFrame, { kind: 'join' }>): void {
    const { doc, have, credit, take, codecs, isMovable = false } = frame
    if (child.docs.size >= documentsPerLinkMax && !child.docs.has(doc)) {
      throw new ProtocolError('FANFOLD_OVERLOADED', `${documentsPerLinkMax} documents on a link`)
    }
    this.#owner.downstream(doc)?.askedAgain(link)
    this.#roomy.add(child)
    child.docs.add(doc)
    this.#owner.join(doc, {
      link,
      ceiling: child.peer.ceiling,
      have,
      credit,
      take,
      codecs,
      isMovable,
      // The link may drain while the join waits for its answer.
      get isCongested() {
        return child.isCongested
      },
      allowance: child.allowance,
    })
  }

  #requestReplay(
    link: LinkId,
    child: ChildLink,
    frame: Extract<LinkFrame, { kind: 'request-replay' }>,
    effects: EffectSink<LinkEffect>,
  ): void {
    const { doc, replay, have, credit } = frame
    const { replays } = this.#owner
    if (replays === undefined) {
      const message = 'this node replays no logs'
      effects.push(replayEnded(link, replay, { code: 'FANFOLD_NO_PARENT', message }))
      return
    }
    const { ceiling } = child.peer
    // The link may drain, and fill again, while the replay goes on.
    const isCongested = (): boolean => child.isCongested
    replays.request(doc, { link, replay, ceiling, have, credit, isCongested }, effects)
  }

  /** What is said of a document that the child has left meanwhile is worth nothing. */
  #takeSignal(link: LinkId, child: ChildLink, frame: Extract<LinkFrame, { kind: 'signal' }>): void {
    const { signal, doc, value } = frame
    const { inUse } = this.#owner
    if (signal === 'in-use' && inUse !== undefined) {
      if (doc !== undefined) inUse(link, doc, value)
      return
    }
    if (!fromChildren.has(signal)) {
      throw new ProtocolError('FANFOLD_BAD_FRAME', `a child does not signal ${signal}`)
    }
    if (doc !== undefined && child.docs.has(doc)) this.#owner.signal(link, signal, doc, value)
  }

  #requestVariant(
    link: LinkId,
    child: ChildLink,
    hash: Uint8Array,
    effects: EffectSink<LinkEffect>,
  ): void {
    const name = toHex(hash)
    // Asked twice is answered once.
    if (child.variantsAsked.has(name)) return
    if (child.isCongested || child.variantsAsked.size >= limits.variantsAskedMax.value) {
      const frame = encodeLinkFrame({ kind: 'no-variant', hash })
      effects.push({ kind: 'link-send', link, frame })
      return
    }
    child.variantsAsked.add(name)
    this.#owner.variant(hash, link)
  }

  /** A link that is full is told that there is no answer now. */
  #requestTree(
    link: LinkId,
    child: ChildLink,
    frame: Extract<LinkFrame, { kind: 'request-tree' }>,
    effects: EffectSink<LinkEffect>,
  ): void {
    const { tree } = this.#owner
    if (tree !== undefined && !child.isCongested) {
      tree(link, frame)
      return
    }
    const none = encodeLinkFrame({ kind: 'tree', number: frame.number, entries: [] })
    effects.push({ kind: 'link-send', link, frame: none })
  }

  #leave(doc: DocumentKey, link: LinkId): void {
    this.#owner.downstream(doc)?.leave(link)
    this.#owner.left(doc, link)
  }
}
