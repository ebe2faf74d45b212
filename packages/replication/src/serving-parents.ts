/*
 * Which parent serves which document. The first one that stays serves all but those to which it was of
 * no use; those are served by another one until they have been well for a while. Who moves goes on from
 * what it holds, so nothing is lost by it and little is sent.
 *
 * When a parent comes or goes, all its documents move; so many in a turn that it stays short. Who waits
 * for its turn is where it was: what it sends over a link that is gone meanwhile is lost, and said again.
 */
import type { EffectSink, Instant } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'
import type { Followed } from './followed.ts'
import type { FollowingEffect } from './parent-effect.ts'
import { type Parent, Parents } from './parents.ts'
import type { Remedy, Trouble } from './repair.ts'
import { Troubles } from './troubles.ts'
import type { UpstreamLimits } from './upstream-limits.ts'

/** Documents that move in one turn: about 15 us each. */
const movesPerTurnMax = 512

/** The parents of a node, and the documents that each of them serves. */
export class ServingParents {
  readonly #parents = new Parents()
  readonly #troubles: Troubles
  readonly #documents: ReadonlyMap<DocumentKey, Followed>
  readonly #moved: (followed: Followed) => void
  readonly #interrupted: (followed: Followed) => void
  /** Documents whose parent has come or gone, in the order in which they have their turns. */
  readonly #unplaced = new Set<Followed>()
  /** Parents that the driver was told to connect to. */
  #wanted: 1 | 2 = 1

  constructor(options: {
    readonly limits: UpstreamLimits
    readonly documents: ReadonlyMap<DocumentKey, Followed>
    /** The document's stream was attached to a link. */
    readonly moved: (followed: Followed) => void
    /** The parent that served the document is gone. */
    readonly interrupted: (followed: Followed) => void
  }) {
    this.#troubles = new Troubles(options.limits)
    this.#documents = options.documents
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

  /** The parent that serves what has no reason to be served by another. */
  get first(): Parent | undefined {
    return this.#parents.first
  }

  /** The parent at the other end of the link. */
  get(link: LinkId): Parent | undefined {
    return this.#parents.get(link)
  }

  /** The link over which the document is served; undefined while it waits to move from one that is gone. */
  linkOf(doc: DocumentKey): LinkId | undefined {
    return this.#parents.get(this.#documents.get(doc)?.follower.upstream.link)?.link
  }

  /** Says what is done about trouble with a document's stream. */
  repair(doc: DocumentKey, trouble: Trouble, now: Instant): Remedy {
    return this.#troubles.struck(doc, trouble, this.#parents.links, now)
  }

  /** A new parent serves who has none, who would leave theirs, and who has one that goes. */
  open(link: LinkId, now: Instant, effects: EffectSink<FollowingEffect>): void {
    this.#parents.open(link)
    const parent = this.#parents.get(link)
    if (parent === undefined) return
    if (this.#parents.first === parent) {
      for (const followed of this.#documents.values()) this.#unplaced.add(followed)
      this.#placeNext(now, effects)
      return
    }
    for (const doc of this.#troubles.waiting) {
      const followed = this.#documents.get(doc)
      if (followed?.follower.upstream.isLive === false) {
        this.#moveTo(followed, parent, now, effects)
      }
    }
  }

  /** What the parent served goes on over another link, or waits for one. */
  close(link: LinkId, now: Instant, effects: EffectSink<FollowingEffect>): void {
    this.#parents.close(link)
    this.#unplace(link)
    this.#placeNext(now, effects)
  }

  /** The parent goes away: what it serves moves before, if there is another one. */
  handOver(from: Parent, now: Instant, effects: EffectSink<FollowingEffect>): void {
    // Said again it says nothing new, and who is here was looked at.
    if (from.isGoing) return
    from.isGoing = true
    if (this.#parents.first?.isGoing !== false) return
    this.#unplace(from.link)
    this.#placeNext(now, effects)
  }

  /** A document that no parent serves is asked of one, of the first that did not fail it. */
  attach({ doc, follower }: Followed, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const { first, links } = this.#parents
    const link = this.#troubles.other(doc, links, undefined) ?? first?.link
    if (link !== undefined) follower.upstream.attach(link, now, effects)
  }

  /** The document is not followed any more. */
  forget(followed: Followed): void {
    this.#troubles.forget(followed.doc)
    this.#unplaced.delete(followed)
  }

  /** True while documents wait for their turn to move: `tick` is to be called in the next turn. */
  get areMoving(): boolean {
    return this.#unplaced.size > 0
  }

  wakeAt(): Instant | undefined {
    return this.#troubles.wakeAt()
  }

  /** What is well again needs no parent of its own. */
  tick(now: Instant, effects: EffectSink<FollowingEffect>): void {
    this.#placeNext(now, effects)
    const isLive = (doc: DocumentKey): boolean =>
      this.#documents.get(doc)?.follower.upstream.isLive === true
    for (const doc of this.#troubles.over(now, isLive)) {
      const followed = this.#documents.get(doc)
      const { first } = this.#parents
      const isElsewhere = first !== undefined && this.linkOf(doc) !== first.link
      if (followed !== undefined && isElsewhere) this.#moveTo(followed, first, now, effects)
    }
  }

  /** What the link serves is to be served by another one. */
  #unplace(link: LinkId): void {
    for (const followed of this.#documents.values()) {
      if (followed.follower.upstream.link === link) this.#unplaced.add(followed)
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

  /** The document goes where it belongs, if it is not served by a parent that stays. */
  #place(followed: Followed, now: Instant, effects: EffectSink<FollowingEffect>): void {
    const { upstream } = followed.follower
    const serving = this.#parents.get(upstream.link)
    if (serving !== undefined) {
      const { first } = this.#parents
      const isBetter = serving.isGoing && first?.isGoing === false
      if (isBetter) this.#moveTo(followed, first, now, effects)
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

  /** Tells the driver how many parents are wanted, when that has changed. */
  tellWanted(effects: EffectSink<FollowingEffect>): void {
    const count = this.#troubles.wantsAnother || this.#parents.isOneGoing ? 2 : 1
    if (count === this.#wanted) return
    this.#wanted = count
    effects.push({ kind: 'want-parents', count })
  }

  /** The document goes on over this link, from what it holds. */
  #moveTo(
    followed: Followed,
    parent: Parent,
    now: Instant,
    effects: EffectSink<FollowingEffect>,
  ): void {
    const { upstream } = followed.follower
    followed.unroute()
    upstream.leave(effects)
    upstream.attach(parent.link, now, effects)
    this.#moved(followed)
  }
}
