/*
 * Which parent serves which document: the best one that is connected, but for those documents to which it was
 * of no use; those are served by another one until they have been well for a while. Who moves goes on from
 * what it holds, so nothing is lost by it and little is sent.
 *
 * When a parent comes or goes, all its documents move; so many in a turn that it stays short. Who waits
 * for its turn is where it was: what it sends over a link that is gone meanwhile is lost, and said again. Who
 * is served by a parent that is there is so until the other one has taken it (planned-moves.ts).
 */
import {
  after,
  Deadlines,
  type EffectSink,
  earliest,
  type Instant,
  milliseconds,
} from '@fanfold/kernel'
import type { DocumentKey, ErrorCode, LinkFrame, LinkId } from '@fanfold/protocol'
import type { Followed } from './followed.ts'
import { AnyParent, type ParentChoice } from './parent-choice.ts'
import type { FollowingEffect } from './parent-effect.ts'
import { type Parent, Parents } from './parents.ts'
import type { PlannedMoves } from './planned-moves.ts'
import type { Remedy, Trouble } from './repair.ts'
import { RequestOutcomes } from './request-outcomes.ts'
import { RoutedParents, type Routes, type Tiers } from './routed-parents.ts'
import { Troubles } from './troubles.ts'
import type { UpstreamLimits } from './upstream-limits.ts'

/** Documents that move in one turn: about 15 us each. */
const movesPerTurnMax = 512
/** For so long the node connects to who has a document that it does not follow, after each question about it. */
const askedFor = milliseconds(5_000)
/** Documents of which that is so at a time; for others it is asked whoever is connected. */
const askedMax = 4_096

/** The parents that are connected, and what may be had from them. */
export type ConnectedParents = Pick<
  ServingParents,
  'count' | 'get' | 'isAbove' | 'linkOf' | 'linkToAsk' | 'mayBeHad' | 'nodeOf' | 'requests'
>

/** The parents of a node, and the documents that each of them serves. */
export class ServingParents {
  /** What came of asking them. */
  readonly requests: RequestOutcomes = new RequestOutcomes()
  readonly #parents = new Parents()
  readonly #troubles: Troubles
  readonly #choice: ParentChoice
  readonly #tiers: Tiers | undefined
  readonly #moves: PlannedMoves
  readonly #documents: ReadonlyMap<DocumentKey, Followed>
  readonly #isRelayed: (doc: DocumentKey) => boolean
  readonly #moved: (followed: Followed) => void
  readonly #interrupted: (followed: Followed) => void
  /** Documents whose parent may be another one now, in the order in which they have their turns. */
  readonly #unplaced = new Set<Followed>()
  /** Documents that are asked about and not followed, and until when it is connected to who has them. */
  readonly #asked = new Deadlines<DocumentKey>()

  constructor(options: {
    readonly limits: UpstreamLimits
    /** From which nodes each document may be had; from any parent when not said. */
    readonly routes?: Routes | undefined
    readonly documents: ReadonlyMap<DocumentKey, Followed>
    readonly moves: PlannedMoves
    /** Whether what is asked about the document is still on its way. */
    readonly isRelayed: (doc: DocumentKey) => boolean
    /** The document's stream was attached to a link. */
    readonly moved: (followed: Followed) => void
    /** The parent that served the document is gone. */
    readonly interrupted: (followed: Followed) => void
  }) {
    const { limits, routes } = options
    this.#troubles = new Troubles(limits)
    this.#choice =
      routes === undefined
        ? new AnyParent(this.#parents, this.#troubles)
        : new RoutedParents(routes, this.#parents, this.#troubles)
    this.#tiers = routes?.tiers
    this.#documents = options.documents
    this.#moves = options.moves
    this.#isRelayed = options.isRelayed
    this.#moved = options.moved
    this.#interrupted = options.interrupted
  }

  /** Parents connected. */
  get count(): number {
    return this.#parents.count
  }

  /** The links to them. */
  get links(): readonly LinkId[] {
    return this.#parents.links
  }

  /** Links over which definitions may be had, the best first. */
  get variantLinks(): readonly LinkId[] {
    return this.#choice.variantLinks
  }

  /** True when a parent is connected from which the document may be had, or may be soon. */
  mayBeHad(doc: DocumentKey): boolean {
    return this.#choice.mayBeHad(doc)
  }

  /**
   * The link of the parent that is to be asked about the document, followed or not; undefined while none is
   * connected, which may be otherwise when it is asked about again.
   */
  linkToAsk(
    doc: DocumentKey,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): LinkId | undefined {
    if (!this.#documents.has(doc)) {
      if (this.#asked.get(doc) !== undefined || this.#asked.count < askedMax)
        this.#wantFor(doc, now)
      this.tellWanted(effects)
    }
    return this.linkOf(doc) ?? this.#choice.linksFor(doc)[0]
  }

  /** The parent at the other end of the link. */
  get(link: LinkId): Parent | undefined {
    return this.#parents.get(link)
  }

  /** The link over which the document is served; undefined while it waits to move from one that is gone. */
  linkOf(doc: DocumentKey): LinkId | undefined {
    return this.#parents.get(this.#documents.get(doc)?.follower.upstream.link)?.link
  }

  /** The node that serves the document. */
  nodeOf(doc: DocumentKey): string | undefined {
    return this.#parents.get(this.#documents.get(doc)?.follower.upstream.link)?.node
  }

  /** True for a node that serves the document, or is asked to beside the one that does. */
  isAbove(doc: DocumentKey, node: string): boolean {
    return this.nodeOf(doc) === node || this.#parents.get(this.#moves.askedAt(doc))?.node === node
  }

  /** Says what is done about trouble with a document's stream. */
  repair(doc: DocumentKey, trouble: Trouble, now: Instant): Remedy {
    const struck = this.#troubles.struck(doc, trouble, this.#choice.linksFor(doc), now)
    const isOfParent = trouble.reason !== 'gap' && trouble.reason !== 'ceiling'
    const node = this.#parents.get(trouble.link)?.node
    // A tier that is of no use is left as one that is lost.
    const isLeft =
      isOfParent && node !== undefined && this.#tiers?.refused(doc, node, true, now) === true
    const remedy = isLeft ? 'elsewhere' : struck
    this.#choice.want(doc, this.#parents.get(trouble.link))
    return remedy
  }

  /** A new parent serves who has none, who would leave theirs, and to whom it is a better one. */
  open(link: LinkId, node: string, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const parent = this.#parents.open(link, node)
    this.#choice.opened(node)
    this.#unplaceConcerned(parent)
    for (const doc of this.#troubles.waiting) {
      const followed = this.#documents.get(doc)
      if (followed === undefined || this.linkOf(doc) === undefined) continue
      const isUseful = this.#choice.linksFor(doc).includes(link)
      if (isUseful && !followed.follower.upstream.isLive) {
        this.#moveTo(followed, parent, now, effects)
      }
    }
    this.#placeNext(now, effects)
  }

  /** What the parent served goes on over another link, or waits for one. */
  close(link: LinkId, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const parent = this.#parents.get(link)
    if (parent === undefined) return
    this.#parents.close(link)
    this.#unplace(link)
    this.#moves.closed(link)
    this.lost(parent.node, now, effects)
  }

  /** Nobody was reached at the node: what would be had from it is had elsewhere until it is connected. */
  lost(node: string, now: Instant, effects: EffectSink<FollowingEffect>): void {
    // Said again it says nothing new, and who is here was looked at.
    if (this.#choice.lost(node, now)) this.#unplaceConcerned({ node })
    this.#placeNext(now, effects)
  }

  /** Documents may have other routes than before. */
  reroute(now: Instant, effects: EffectSink<FollowingEffect>): void {
    for (const followed of this.#documents.values()) this.#unplaced.add(followed)
    this.#placeNext(now, effects)
  }

  /** The parent goes away: what it serves moves before, if there is another one. */
  handOver(from: Parent, now: Instant, effects: EffectSink<FollowingEffect>): void {
    // Said again it says nothing new, and who is here was looked at.
    if (from.isGoing) return
    this.#parents.leaves(from)
    this.#tiers?.lost(from.node, now)
    this.#unplace(from.link)
    this.#placeNext(now, effects)
  }

  /** The parent names others from which the document is to be had. */
  redirected(
    followed: Followed,
    named: { readonly from: Parent; readonly to: readonly string[] },
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    const { upstream } = followed.follower
    const { from, to } = named
    const isServed = upstream.isServed && upstream.link === from.link
    const isDown = (node: string): boolean => this.#choice.isDown(node)
    if (this.isAskedBeside(followed, from.link)) this.#moves.putOff(followed.doc, 0, now)
    this.#tiers?.redirected(followed.doc, { from: from.node, to, isServed }, isDown, now)
    this.#lookAgain(followed, now, effects)
  }

  /** True where trees form themselves. */
  get areTiered(): boolean {
    return this.#tiers !== undefined
  }

  /** What is wrong with where the parent stands in the document's tree, if the frame says so and anything is. */
  placed({ doc }: Followed, { node }: Parent, frame: LinkFrame): string | undefined {
    if (frame.kind === 'welcome') return this.#tiers?.welcomed(doc, node, frame.place)
    return frame.kind === 'path' ? this.#tiers?.pathChanged(doc, frame.path) : undefined
  }

  /** The node gives nothing of the document, now or, with `isForGood`, as it stands. */
  refused(
    followed: Followed,
    by: { readonly node: string; readonly isForGood: boolean },
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    if (this.#tiers?.refused(followed.doc, by.node, by.isForGood, now) !== true) return
    this.#lookAgain(followed, now, effects)
  }

  /** A parent that is asked beside the one that serves gives nothing: that one goes on. */
  refusedBeside(
    followed: Followed,
    by: Parent,
    answer: {
      readonly code: ErrorCode
      readonly retryAfterMs: number
      readonly isForGood: boolean
    },
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    const { doc } = followed
    if (answer.code === 'FANFOLD_NO_TAIL') {
      const isOfUse = this.#moves.tailMissed(doc, now, effects)
      if (!isOfUse) this.#moveAtOnce(followed, by, now, effects)
      return
    }
    this.#moves.putOff(doc, answer.retryAfterMs, now)
    this.refused(followed, { node: by.node, isForGood: answer.isForGood }, now, effects)
  }

  /**
   * A parent that is asked beside the one that serves takes the document: that one is left. False when what is held
   * may not be gone on from any more, and the new parent is asked for what there is.
   */
  goOver(
    followed: Followed,
    to: Parent,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): boolean {
    const { doc, follower } = followed
    if (follower.upstream.goesOnFrom === undefined) {
      this.#moveAtOnce(followed, to, now, effects)
      return false
    }
    this.#moves.taken(doc, now)
    followed.unroute()
    follower.upstream.goOver(to.link, effects)
    this.#choice.want(doc, to)
    return true
  }

  /** True for the link of a parent that is asked beside the one that serves. */
  isAskedBeside({ doc }: Followed, link: LinkId): boolean {
    return this.#moves.askedAt(doc) === link
  }

  /** It is the document's turn to be asked for beside. */
  askBeside(doc: DocumentKey, now: Instant, effects: EffectSink<FollowingEffect>): void {
    this.#moves.askNow(doc, now, effects)
  }

  /** The document has another route: who serves it does so until the new one is there. */
  #lookAgain(followed: Followed, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const { upstream } = followed.follower
    if (!upstream.isServed) {
      upstream.leave(effects)
      followed.unroute()
      this.#interrupted(followed)
    }
    this.#place(followed, now, effects)
  }

  /** A document that no parent serves is asked of the best one that did not fail it. */
  attach(followed: Followed, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const { doc, follower } = followed
    this.#moves.end(doc, effects)
    const links = this.#choice.linksFor(doc)
    const link = this.#troubles.best(doc, links) ?? links[0]
    if (link !== undefined) follower.upstream.attach(link, now, effects)
    this.#choice.want(doc, this.#parents.get(link))
  }

  /** The document is not followed any more. */
  forget(followed: Followed, effects: EffectSink<FollowingEffect>): void {
    this.#moves.end(followed.doc, effects)
    this.#troubles.forget(followed.doc)
    this.#tiers?.forget(followed.doc)
    this.#choice.forget(followed.doc)
    this.#unplaced.delete(followed)
  }

  /** True while documents wait for their turn to move: `tick` is to be called in the next turn. */
  get areMoving(): boolean {
    return this.#unplaced.size > 0
  }

  wakeAt(): Instant | undefined {
    const due = earliest(this.#troubles.wakeAt(), this.#asked.wakeAt())
    return earliest(earliest(due, this.#moves.wakeAt()), this.#tiers?.wakeAt())
  }

  /** What is well again needs no parent of its own. */
  tick(now: Instant, effects: EffectSink<FollowingEffect>): void {
    this.#placeNext(now, effects)
    const isWell = (doc: DocumentKey): boolean =>
      this.#documents.get(doc)?.follower.upstream.isWell === true
    for (const doc of this.#troubles.over(now, isWell)) {
      const followed = this.#documents.get(doc)
      if (followed !== undefined) this.#place(followed, now, effects)
    }
    for (const { doc, link } of this.#moves.due(now, effects)) {
      const followed = this.#documents.get(doc)
      const node = this.#parents.get(link)?.node
      if (followed === undefined || node === undefined) continue
      this.refused(followed, { node, isForGood: true }, now, effects)
    }
    for (const doc of this.#tiers?.due(now) ?? []) {
      const followed = this.#documents.get(doc)
      if (followed !== undefined) this.#lookAgain(followed, now, effects)
    }
    for (const doc of this.#asked.due(now)) {
      if (this.#documents.has(doc)) continue
      if (this.#isRelayed(doc)) this.#wantFor(doc, now)
      else this.#choice.forget(doc)
    }
  }

  /** The document is not followed, and wanted for a while. */
  #wantFor(doc: DocumentKey, now: Instant): void {
    this.#asked.set(doc, after(now, askedFor))
    this.#choice.want(doc, undefined)
  }

  /** What the link serves, or is to serve, is to be served by another one. */
  #unplace(link: LinkId): void {
    for (const doc of this.#moves.to(link)) {
      const followed = this.#documents.get(doc)
      if (followed !== undefined) this.#unplaced.add(followed)
    }
    for (const followed of this.#documents.values()) {
      if (followed.follower.upstream.link === link) this.#unplaced.add(followed)
    }
  }

  #unplaceConcerned(of: Parent | Pick<Parent, 'node'>): void {
    for (const followed of this.#documents.values()) {
      if (this.#choice.isConcerned(followed.doc, of)) this.#unplaced.add(followed)
    }
  }

  #placeNext(now: Instant, effects: EffectSink<FollowingEffect>): void {
    let left = Math.min(this.#unplaced.size, movesPerTurnMax)
    // One iterator for the whole turn: a new one passes over everything that was deleted before.
    for (const followed of this.#unplaced) {
      if (left-- === 0) return
      this.#unplaced.delete(followed)
      this.#place(followed, now, effects)
    }
  }

  /** The document goes where it belongs, if the parent that serves it is not the best one for it. */
  #place(followed: Followed, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const { doc } = followed
    const { upstream } = followed.follower
    const serving = this.#parents.get(upstream.link)
    if (serving !== undefined) {
      const better = this.#betterThan(serving, doc)
      if (better !== undefined) {
        this.#moveTo(followed, better, now, effects)
        return
      }
      this.#moves.end(doc, effects)
      this.#choice.want(doc, serving)
      return
    }
    if (upstream.link !== undefined) {
      upstream.detach()
      followed.unroute()
      this.#interrupted(followed)
    }
    this.attach(followed, now, effects)
    this.#moved(followed)
  }

  /**
   * A parent that stays and is better for the document than this one. Who is in trouble stays where it is, unless
   * that goes away or has the document no more.
   */
  #betterThan(serving: Parent, doc: DocumentKey): Parent | undefined {
    const isStaying = (link: LinkId): boolean => this.#parents.get(link)?.isGoing === false
    const links = this.#choice.linksFor(doc).filter(isStaying)
    const isHere = links.includes(serving.link)
    const mayMove = !isHere || !this.#troubles.has(doc)
    const best = mayMove ? (this.#troubles.best(doc, links) ?? links[0]) : undefined
    const rank = links.indexOf(serving.link)
    const isBetter = best !== undefined && (rank < 0 || links.indexOf(best) < rank)
    return isBetter ? this.#parents.get(best) : undefined
  }

  /** Tells the driver whom to connect to, when that has changed. */
  tellWanted(effects: EffectSink<FollowingEffect>): void {
    this.#choice.tellWanted(effects)
  }

  /** The document goes to this parent: once that has taken it, where it is served until then. */
  #moveTo(
    followed: Followed,
    parent: Parent,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    const { doc, follower } = followed
    const { upstream } = follower
    if (!upstream.isLive || upstream.goesOnFrom === undefined) {
      this.#moveAtOnce(followed, parent, now, effects)
      return
    }
    this.#choice.want(doc, this.#parents.get(upstream.link))
    this.#moves.begin(doc, parent.link, now, effects)
  }

  /** The document goes on over this link, from what it holds. */
  #moveAtOnce(
    followed: Followed,
    parent: Parent,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    const { doc, follower } = followed
    this.#moves.end(doc, effects)
    followed.unroute()
    follower.upstream.leave(effects)
    follower.upstream.attach(parent.link, now, effects)
    this.#choice.want(doc, parent)
    this.#moved(followed)
  }
}
