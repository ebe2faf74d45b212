/*
 * What a proxy knows of the trees of documents below it: who has a document from it and what is below those, so that
 * none has more children than it may. What is decided is topology's (fan-out-budget.ts); here it is asked, and told
 * to those whom it concerns.
 */
import {
  after,
  Deadlines,
  type EffectSink,
  earliest,
  type Instant,
  milliseconds,
  SmallMap,
} from '@fanfold/kernel'
import {
  type DocumentKey,
  encodeLinkFrame,
  type LinkId,
  type PeerIdentity,
  type SignalKind,
  type TreePlace,
} from '@fanfold/protocol'
import type { JoinRequest } from '@fanfold/replication'
import {
  alternativesOf,
  ByteBudget,
  type FanOutChild,
  FanOutCollapse,
  type FleetTree,
  joinVerdict,
  ReliefPatience,
  reliefOf,
} from '@fanfold/topology'
import { noPlace, type ProxyDocument, refuseJoin } from './proxy-document.ts'
import type { ProxyEffect } from './proxy-effect.ts'
import { SentBytes } from './sent-bytes.ts'

/** How often it is looked whether a tier is of no use any more. */
const lookEvery = milliseconds(1_000)
/** Documents that are looked at in one turn. */
const looksPerTurnMax = 512
/** An edge that was told to go elsewhere, and is still here after so long, counts again. */
const movingMax = milliseconds(10_000)
/** For so long whoever asks is sent to the parent, after that wanted this node's children. */
const dissolvingFor = milliseconds(5_000)

/** Documents of which children are sent on at a time because too many bytes are sent, and children of each. */
const relievedMax = { documents: 16, children: 64 } as const

/** What becomes of a child that asks for a document. */
export type Admission = {
  /** It is served here, if only until it is served elsewhere. */
  readonly isTaken: boolean
  /** Nodes that it is to ask, best first. */
  readonly sendTo: readonly string[] | undefined
}

/** It is served here. */
export const takenHere: Admission = { isTaken: true, sendTo: undefined }

type Below = { children: number; edges: number }

type Tree = {
  /** What children say of what is below them. */
  readonly below: SmallMap<LinkId, Below>
  /** Children that were told to go elsewhere, and until when they do not count. */
  readonly moving: SmallMap<LinkId, Instant>
  readonly collapse: FanOutCollapse
  /** How long it has more children than it may, as the region had no room for them. */
  readonly patience: ReliefPatience
  dissolvingUntil: Instant | undefined
  /** The path that children were told last. */
  path: string
}

/** The trees of the documents that a proxy follows. */
export class DocumentTrees {
  readonly #options: FleetTree
  readonly #peerAt: (link: LinkId) => PeerIdentity | undefined
  readonly #trees = new Map<DocumentKey, Tree>()
  /** When each document that has a tier below is looked at. */
  readonly #looks = new Deadlines<DocumentKey>()
  readonly #sent = new SentBytes()
  readonly #bytes: ByteBudget

  constructor(options: FleetTree, peerAt: (link: LinkId) => PeerIdentity | undefined) {
    this.#options = options
    this.#bytes = new ByteBudget(options.fanOut)
    this.#peerAt = peerAt
  }

  /** True while the node sends as many bytes as it may. */
  get isOverBytes(): boolean {
    return this.#bytes.isOver
  }

  /** Where the node stands, for a child. */
  placeFor(document: ProxyDocument, link: LinkId): TreePlace | undefined {
    const path = this.#pathTo(document.doc)
    const children = this.#childrenOf(document)
    const child = this.#peerAt(link)?.node
    return { path, others: child === undefined ? [] : alternativesOf(child, { path, children }) }
  }

  /** Whether the child is taken. Otherwise it is told where it may go, or that it may go nowhere. */
  admit(
    document: ProxyDocument,
    request: JoinRequest,
    now: Instant,
    effects: EffectSink<ProxyEffect>,
  ): Admission {
    const { doc } = document
    const { link, isMovable, have } = request
    const peer = this.#peerAt(link)
    // What another role of this process asks for is not asked for by another node.
    if (peer === undefined || peer.node === this.#options.self) return takenHere
    const path = this.#pathTo(doc)
    const tree = this.#treeOf(doc)
    tree.moving.delete(link)
    const joiner = { node: peer.node, isProxy: this.#options.isProxy(peer.node) }
    const above = this.#tierAbove(doc)
    const isDissolving = tree.dissolvingUntil !== undefined && now < tree.dissolvingUntil
    if (isDissolving && isMovable && above !== undefined && above !== joiner.node) {
      return { isTaken: false, sendTo: [above] }
    }
    const { fanOut } = this.#options
    const verdict = joinVerdict(
      {
        joiner,
        children: this.#childrenOf(document, now),
        path,
        recruits: () => this.#recruitsFor(doc),
        isOverBytes: this.#bytes.isOver,
      },
      fanOut,
    )
    switch (verdict.kind) {
      case 'take':
        return takenHere
      case 'take-and-move':
        this.#move(document, verdict.moved, [joiner.node], now, effects)
        return takenHere
      case 'redirect':
        // Who has asked everybody is taken, as is who can go nowhere: late is better than not at all.
        if (!isMovable) return takenHere
        // Who goes on from what it has is led on first: where it is sent that may not be at hand.
        if (have !== undefined) tree.moving.set(link, after(now, movingMax))
        return { isTaken: have !== undefined, sendTo: verdict.to }
      case 'refuse':
        if (verdict.reason === 'full') return takenHere
        refuseJoin(doc, request, noPlace(verdict.reason), effects)
        return { isTaken: false, sendTo: undefined }
    }
  }

  /** A child says what is below it; false for a signal that says something else. */
  signalled(doc: DocumentKey, link: LinkId, signal: SignalKind, value: number): boolean {
    if (signal !== 'children' && signal !== 'edges') return false
    const tree = this.#treeOf(doc)
    const below = tree.below.get(link) ?? { children: 0, edges: 0 }
    below[signal] = value
    tree.below.set(link, below)
    return true
  }

  /** A child has left the document. */
  left(doc: DocumentKey, link: LinkId): void {
    const tree = this.#trees.get(doc)
    tree?.below.delete(link)
    tree?.moving.delete(link)
  }

  /** Edges below the child, as it last said. */
  edgesBelow(doc: DocumentKey, link: LinkId): number {
    return this.#trees.get(doc)?.below.get(link)?.edges ?? 0
  }

  /** How many nodes have the document from here, and how many edges below. */
  belowOf(document: ProxyDocument): { readonly children: number; readonly edges: number } {
    const children = this.#childrenOf(document)
    const edges = children.reduce((sum, { edgesBelow }) => sum + edgesBelow, 0)
    return { children: children.length, edges: Math.min(edges, Number.MAX_SAFE_INTEGER) }
  }

  /** The parent stands elsewhere, or may: children are told what is above them now. */
  placed(document: ProxyDocument, effects: EffectSink<ProxyEffect>): void {
    const tree = this.#treeOf(document.doc)
    const path = this.#pathTo(document.doc)
    const text = path.join(' ')
    if (tree.path === text) return
    tree.path = text
    document.downstream.tellPath(path, effects)
  }

  /** The parent has room for this node's children: they are sent there, and so is whoever comes next. */
  dissolve(document: ProxyDocument, now: Instant, effects: EffectSink<ProxyEffect>): void {
    const { doc, downstream } = document
    const above = this.#tierAbove(doc)
    if (above === undefined) return
    this.#treeOf(doc).dissolvingUntil = after(now, dissolvingFor)
    for (const { link, isMovable } of downstream.children()) {
      // Another role of this process has it from here, wherever the document comes from.
      const isOwn = this.#peerAt(link)?.node === this.#options.self
      if (isMovable && !isOwn) downstream.redirect(link, [above], effects)
    }
  }

  /**
   * Something below the document has changed: it is looked at while there is a tier that may go, or more children than
   * there may be.
   */
  note(document: ProxyDocument, now: Instant): void {
    const { doc } = document
    if (this.#looks.get(doc) !== undefined) return
    const children = this.#childrenOf(document)
    const isTooMuch = children.length > this.#options.fanOut.childrenMax
    if (isTooMuch || children.some(child => child.isProxy)) {
      this.#looks.set(doc, after(now, lookEvery))
    }
  }

  /** The frames among these effects, from this one on, were sent to children of the document. */
  sent(doc: DocumentKey, effects: readonly ProxyEffect[], from: number, now: Instant): void {
    let bytes = 0
    for (let index = from; index < effects.length; index++) {
      const effect = effects[index]
      if (effect?.kind !== 'link-send') continue
      // What another role of this process has leaves no machine.
      if (this.#peerAt(effect.link)?.node !== this.#options.self) bytes += effect.frame.length
    }
    this.#sent.sent(doc, bytes, now)
  }

  /** The document is not followed any more. */
  forget(doc: DocumentKey): void {
    this.#trees.delete(doc)
    this.#looks.set(doc, undefined)
  }

  wakeAt(): Instant | undefined {
    return earliest(this.#looks.wakeAt(), this.#sent.wakeAt())
  }

  /** Tiers that are of no use any more are told so, and where there is too much to do children are sent on. */
  tick(
    documents: ReadonlyMap<DocumentKey, ProxyDocument>,
    now: Instant,
    effects: EffectSink<ProxyEffect>,
  ): void {
    const bytesPerSecond = this.#sent.measure(now)
    const excess = bytesPerSecond === undefined ? 0 : this.#bytes.measured(bytesPerSecond, now)
    if (excess > 0) this.#sendLess(excess, documents, now, effects)
    let left = looksPerTurnMax
    for (const doc of this.#looks.due(now)) {
      if (--left <= 0) this.#looks.set(doc, after(now, lookEvery))
      if (left <= 0) return
      const document = documents.get(doc)
      if (document === undefined) continue
      const children = this.#childrenOf(document, now)
      const { collapse, patience } = this.#treeOf(doc)
      const tooMany = children.length - this.#options.fanOut.childrenMax
      if (patience.isDue(tooMany > 0, now)) this.#relieve(document, tooMany, now, effects)
      const ofEach = this.#sent.rateOf(doc) / Math.max(1, children.length)
      const hasRoomFor = (count: number): boolean => this.#bytes.hasRoomFor(count * ofEach)
      const cooled = collapse.look(children, now, hasRoomFor)
      const link = cooled === undefined ? undefined : this.#linkOf(document, cooled)
      if (link !== undefined) {
        const frame = encodeLinkFrame({ kind: 'signal', signal: 'dissolve', doc, value: 0 })
        effects.push({ kind: 'link-signal', link, key: `dissolve:${doc}`, frame })
      }
      this.note(document, now)
    }
  }

  /** So much is to be sent by others: children go where most is sent. */
  #sendLess(
    bytesPerSecond: number,
    documents: ReadonlyMap<DocumentKey, ProxyDocument>,
    now: Instant,
    effects: EffectSink<ProxyEffect>,
  ): void {
    let left = bytesPerSecond
    for (const doc of this.#sent.most(relievedMax.documents)) {
      const document = documents.get(doc)
      const count = document === undefined ? 0 : this.#childrenOf(document, now).length
      if (document === undefined || count === 0) continue
      const ofEach = this.#sent.rateOf(doc) / count
      const most = Math.min(Math.ceil(left / ofEach), relievedMax.children)
      left -= ofEach * this.#relieve(document, most, now, effects)
      if (left <= 0) return
    }
  }

  /** So many children go to others that have room, or as many as those are: how many did. */
  #relieve(
    document: ProxyDocument,
    count: number,
    now: Instant,
    effects: EffectSink<ProxyEffect>,
  ): number {
    const { doc } = document
    const children = this.#childrenOf(document, now)
    const path = this.#pathTo(doc)
    const recruits = (): readonly string[] => this.#recruitsFor(doc)
    const moves = reliefOf(count, { children, path, recruits }, this.#options.fanOut)
    for (const { moved, to } of moves) this.#move(document, moved, to, now, effects)
    return moves.length
  }

  #move(
    document: ProxyDocument,
    moved: string,
    to: readonly string[],
    now: Instant,
    effects: EffectSink<ProxyEffect>,
  ): void {
    const link = this.#linkOf(document, moved)
    if (link === undefined) return
    this.#treeOf(document.doc).moving.set(link, after(now, movingMax))
    document.downstream.redirect(link, to, effects)
  }

  #linkOf(document: ProxyDocument, node: string): LinkId | undefined {
    // Of two links of a node the one that came last is not about to be gone.
    const links = [...document.downstream.children()].map(({ link }) => link)
    return links.findLast(link => this.#peerAt(link)?.node === node)
  }

  /** The proxy that this node has the document from; undefined where that is its owner, who serves a region once. */
  #tierAbove(doc: DocumentKey): string | undefined {
    const path = this.#options.pathOf(doc)
    return path.length > 1 ? path.at(-1) : undefined
  }

  /** The nodes above and this one. */
  #pathTo(doc: DocumentKey): readonly string[] {
    return [...this.#options.pathOf(doc), this.#options.self]
  }

  #recruitsFor(doc: DocumentKey): readonly string[] {
    const { fanOut } = this.#options
    return this.#options.recruitsFor(doc, fanOut.childrenMax + fanOut.tiersMax)
  }

  /** The children; at `now` without those that are about to go. */
  #childrenOf(document: ProxyDocument, now?: Instant): FanOutChild[] {
    const tree = this.#trees.get(document.doc)
    const found: FanOutChild[] = []
    for (const { link, isMovable } of document.downstream.children()) {
      const peer = this.#peerAt(link)
      const until = tree?.moving.get(link)
      const isGoing = now !== undefined && until !== undefined && now < until
      if (peer === undefined || isGoing) continue
      const below = tree?.below.get(link)
      const isProxy = this.#options.isProxy(peer.node)
      found.push({
        node: peer.node,
        isProxy,
        isMovable: isMovable && peer.node !== this.#options.self,
        childCount: below?.children ?? 0,
        edgesBelow: isProxy ? (below?.edges ?? 0) : 1,
      })
    }
    return found
  }

  #treeOf(doc: DocumentKey): Tree {
    let tree = this.#trees.get(doc)
    if (tree === undefined) {
      tree = {
        below: new SmallMap(),
        moving: new SmallMap(),
        collapse: new FanOutCollapse(this.#options.fanOut),
        patience: new ReliefPatience(),
        dissolvingUntil: undefined,
        path: '',
      }
      this.#trees.set(doc, tree)
    }
    return tree
  }
}
