import { plainCodec, type ReplicaWorkerInput, type WarmDocument } from '@fanfold/document'
import {
  assert,
  between,
  Deadlines,
  type Duration,
  type EffectSink,
  earliest,
  type Instant,
  type Prng,
} from '@fanfold/kernel'
import {
  type DocumentKey,
  decodeLinkFrame,
  type LinkFrame,
  type LinkId,
  type LinkInput,
  ProtocolError,
} from '@fanfold/protocol'
import { AskedParents } from './asked-parents.ts'
import { AskedReplays, type Relay } from './asked-replays.ts'
import { AssemblyBudget } from './assembly-budget.ts'
import { Followed } from './followed.ts'
import { type FollowedStanding, standingOf } from './followed-standing.ts'
import { Follower, type FollowerEvent } from './follower.ts'
import type { FollowerNode } from './follower-node.ts'
import type { FollowingEvent } from './following-event.ts'
import { type FollowingOptions, followerNode } from './following-options.ts'
import { firstOf, Lingering } from './lingering.ts'
import { nextToAsk } from './next-to-ask.ts'
import type { FollowingEffect, RouteInput } from './parent-effect.ts'
import { ParentSignals } from './parent-signals.ts'
import { ParentVariants } from './parent-variants.ts'
import { answerTaken, docOf, isOfReplay, isOfSnapshot, type Parent, tellTaken } from './parents.ts'
import { PiecePacker } from './piece-packer.ts'
import { PlannedMoves } from './planned-moves.ts'
import { refusal } from './refusal.ts'
import type { RequestOutcome } from './request-outcomes.ts'
import { type ConnectedParents, ServingParents } from './serving-parents.ts'
import { defaultVariantLimits } from './wanted-variants.ts'
import { type VerifiedDocument, WarmCheck } from './warm-check.ts'
import { WorkerNames } from './worker-names.ts'

/** Documents of each kind whose time has come, in one turn. */
const duePerTurnMax = 512

/** Where effects go. */
type Effects = EffectSink<FollowingEffect>

/** What a parent has answered, and whether it will as long as it stands where it does. */
type Refused = {
  readonly frame: Extract<LinkFrame, { kind: 'refused' | 'ended' }>
  readonly isForGood: boolean
}

/** When a parent that stands below this node is asked again, ms: nodes find out where they are meanwhile. */
const misplacedRetryMs = 250

/** As if the parent, which stands where it can serve nothing to this node, had said so. */
const misplaced = (doc: DocumentKey, problem: string): Refused => ({
  frame: refusal(doc, 'FANFOLD_NO_PARENT', `the parent is of no use: ${problem}`, misplacedRetryMs),
  isForGood: true,
})

/**
 * Everything a node follows from its parents.
 *
 * The rim dials; of several parents that are connected the best one for a document serves it: the first
 * one, or the first one on the document's route. When it goes, documents resume over the next one from what
 * they hold, and are stale until they are joined again; when it says before that it goes, they move while it
 * is still there. A document to which a parent is of no use is served by another one until that has been well
 * for a while.
 */
export class Following {
  /** How the node packs pieces: those that came packed are served as they came. */
  readonly packer: PiecePacker
  /** Edge variants; what becomes of those that are wanted goes to `tellVariant`. */
  readonly variants: ParentVariants
  /** What parents were asked for of logs; what comes of those that are passed on goes to `relay`. */
  readonly replays: AskedReplays = new AskedReplays()
  readonly #parents: ServingParents
  readonly #node: FollowerNode
  readonly #prng: Prng
  readonly #tell: (doc: DocumentKey, event: FollowingEvent) => void
  readonly #documents = new Map<DocumentKey, Followed>()
  readonly #deadlines = new Deadlines<DocumentKey>()
  readonly #lingering: Lingering
  /** Documents with something to do in a turn of their own, the longest waiting first. */
  readonly #unsettled = new Set<DocumentKey>()
  readonly #asked: AskedParents
  readonly #budget: AssemblyBudget
  readonly #signals: ParentSignals
  readonly #relay: Relay
  readonly #tellTree: NonNullable<FollowingOptions['tellTree']>
  readonly #tellCrowd: NonNullable<FollowingOptions['tellCrowd']>
  readonly #wallClockMs: (() => number) | undefined
  readonly #guard: (doc: DocumentKey, step: () => void) => void
  readonly #workers = new WorkerNames()
  #lastNow = 0 as Instant

  constructor(options: FollowingOptions) {
    const { sha256, prng, limits, variantLimits = defaultVariantLimits } = options
    this.packer = new PiecePacker(options.codec ?? plainCodec)
    this.#prng = prng
    this.#lingering = new Lingering(options.lingerMs)
    this.#tell = options.tell
    this.#relay = options.relay ?? (() => undefined)
    this.#tellTree = options.tellTree ?? (() => undefined)
    this.#tellCrowd = options.tellCrowd ?? (() => undefined)
    this.#wallClockMs = options.wallClockMs
    this.#guard = options.guard ?? ((_doc, step) => step())
    this.#asked = new AskedParents(limits.upstream.answerMaxMs, link =>
      this.#count(link, 'timeout'),
    )
    this.#budget = new AssemblyBudget(options.assemblyLimits)
    this.#signals = new ParentSignals(doc => this.#parents.linkOf(doc))
    this.#node = followerNode(options, {
      packer: this.packer,
      workerNames: this.#workers,
      repair: (doc, trouble, now) => this.#parents.repair(doc, trouble, now),
      replays: this.replays,
      asked: this.#asked,
      budget: this.#budget,
      due: doc => this.#unsettled.add(doc),
    })
    this.#parents = new ServingParents({
      limits: limits.upstream,
      routes: options.routes,
      isRelayed: doc => this.replays.isRelayed(doc),
      documents: this.#documents,
      moves: new PlannedMoves({
        node: this.#node.upstream,
        prng: prng.fork('moves'),
        haveOf: doc => this.#documents.get(doc)?.follower.upstream.goesOnFrom,
      }),
      moved: followed => this.#deadlines.set(followed.doc, followed.follower.wakeAt),
      interrupted: followed => this.#interrupted(followed, this.#lastNow),
    })
    this.variants = new ParentVariants({
      sha256,
      prng: prng.fork('variants'),
      limits: variantLimits,
      answerMaxMs: limits.upstream.answerMaxMs,
      tell: options.tellVariant,
    })
  }

  /** The parents that are connected, and what may be had from them. */
  get parents(): ConnectedParents {
    return this.#parents
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

  /** Where a document is had from, and how far; undefined for one that is not followed. */
  standingOf(doc: DocumentKey, now: Instant = this.#lastNow): FollowedStanding | undefined {
    const followed = this.#documents.get(doc)
    return followed && standingOf(followed, this.#parents.nodeOf(doc), now)
  }

  /** How long what is held of the document may have been old; undefined while it is fresh. */
  staleFor(doc: DocumentKey, now: Instant): Duration | undefined {
    const since = this.#documents.get(doc)?.staleSince
    return since === undefined ? undefined : between(since, now)
  }

  /** Verifies what was kept of a document over a restart, so that it may be followed from there. */
  check(doc: DocumentKey, document: WarmDocument): WarmCheck {
    const { upstream, limits } = this.#node
    return new WarmCheck({ doc, document, sha256: upstream.sha256, ring: limits.ring })
  }

  /** Follows a document from now on; with `warm`, from what was kept of it. */
  follow(doc: DocumentKey, now: Instant, effects: Effects, warm?: VerifiedDocument): Follower {
    assert(!this.#documents.has(doc), `${doc} is not followed yet`)
    const follower = new Follower({ doc, prng: this.#prng.fork(doc), node: this.#node })
    const followed = new Followed(doc, follower)
    this.#documents.set(doc, followed)
    if (warm !== undefined) {
      follower.warm(warm, now)
      followed.interrupt(now)
    }
    this.#parents.attach(followed, now, effects)
    this.#parents.tellWanted(effects)
    this.#deadlines.set(doc, follower.wakeAt)
    return follower
  }

  /** Somebody below wants the document: it stays. */
  keep(doc: DocumentKey): void {
    this.#lingering.keep(doc)
  }

  /** Nobody below wants the document now: it is unused unless somebody does soon, or before `until`. */
  release(doc: DocumentKey, now: Instant, until: Instant = now): void {
    this.#lingering.release(doc, now, until)
  }

  /** The role lets the document go: the parent is told, what is held goes. */
  unfollow(doc: DocumentKey, effects: Effects): void {
    const followed = this.#documents.get(doc)
    if (followed === undefined) return
    followed.unroute()
    followed.follower.leave(effects)
    this.#documents.delete(doc)
    this.#deadlines.set(doc, undefined)
    this.#lingering.keep(doc)
    this.#unsettled.delete(doc)
    this.#signals.forget(doc)
    this.#parents.forget(followed, effects)
    this.#parents.tellWanted(effects)
  }

  /** So many viewers have the document here and below: the parent is told, once a second at most. */
  presence(doc: DocumentKey, count: number, now: Instant, effects: Effects): void {
    this.#signals.tell({ doc, signal: 'presence', value: count }, now, effects)
  }

  /** So many nodes have the document from this one, and so many edges below it: the parent is told likewise. */
  below(
    doc: DocumentKey,
    { children, edges }: { readonly children: number; readonly edges: number },
    now: Instant,
    effects: Effects,
  ): void {
    this.#signals.tell({ doc, signal: 'children', value: children }, now, effects)
    this.#signals.tell({ doc, signal: 'edges', value: edges }, now, effects)
  }

  /** So many ms after its commit the document is here: the parent is told, once a second at most. */
  lag(doc: DocumentKey, ms: number, now: Instant, effects: Effects): void {
    this.#signals.tell({ doc, signal: 'lag', value: ms }, now, effects)
  }

  /** Takes what happened to parents; a bad frame on the link to one closes it. */
  receive(input: LinkInput | RouteInput, now: Instant, effects: Effects): void {
    this.#lastNow = now
    switch (input.kind) {
      case 'link-opened':
        this.#parents.open(input.link, input.peer.node, now, effects)
        this.#asked.retain(this.#parents.links)
        this.variants.serve(this.#parents.variantLinks, now, effects)
        break
      case 'link-frame':
        this.#take(input.link, input.frame, now, effects)
        break
      case 'link-congested':
      case 'link-drained':
        // What goes up to a parent is too little to fill a link.
        break
      case 'link-closed':
        this.#count(input.link, 'lost', this.#asked.underWayCount(input.link))
        this.#parents.close(input.link, now, effects)
        this.#asked.retain(this.#parents.links)
        this.replays.closed(input.link, this.#relay)
        this.variants.serve(this.#parents.variantLinks, now, effects)
        break
      case 'routes-changed':
        this.#parents.reroute(now, effects)
        break
      case 'node-unreachable':
        this.#parents.lost(input.node, now, effects)
    }
    this.#parents.tellWanted(effects)
  }

  /** Takes an answer of the worker. */
  receiveWorker(input: ReplicaWorkerInput, now: Instant, effects: Effects): void {
    this.#lastNow = now
    const doc = this.#workers.docOf(input.replica)
    const followed = doc === undefined ? undefined : this.#documents.get(doc)
    if (doc === undefined || followed === undefined) return
    this.#step(followed, follower => follower.receiveWorker(input, now, effects), now, effects)
    this.#parents.tellWanted(effects)
  }

  wakeAt(): Instant | undefined {
    const isDue = this.#unsettled.size > 0 || this.variants.isDue || this.#parents.areMoving
    const mayAsk = this.#asked.isDue || this.#budget.next !== undefined
    if (isDue || mayAsk) return this.#lastNow
    let due = earliest(this.#deadlines.wakeAt(), this.#lingering.wakeAt())
    due = earliest(due, earliest(this.#parents.wakeAt(), this.#signals.wakeAt()))
    return earliest(due, this.variants.wakeAt())
  }

  tick(now: Instant, effects: Effects): void {
    this.#lastNow = now
    for (const doc of firstOf(this.#deadlines.due(now), duePerTurnMax)) {
      const followed = this.#documents.get(doc)
      if (followed === undefined) continue
      this.#step(followed, follower => follower.tick(now, effects), now, effects)
    }
    for (const doc of nextToAsk(this.#asked, this.#budget, duePerTurnMax)) {
      const followed = this.#documents.get(doc)
      followed?.follower.upstream.askNow(now, effects)
      this.#parents.askBeside(doc, now, effects)
      this.#deadlines.set(doc, followed?.follower.wakeAt)
    }
    this.#settleNext(now, effects)
    for (const doc of firstOf(this.#lingering.due(now), duePerTurnMax))
      this.#tell(doc, { kind: 'unused' })
    this.#parents.tick(now, effects)
    this.#signals.tick(now, effects)
    this.variants.tick(now, effects)
    this.#parents.tellWanted(effects)
  }

  /** The replica did not hold what it should: everything of the document is fetched again. */
  restart(doc: DocumentKey, now: Instant, effects: Effects, reason?: 'broken' | 'diverged'): void {
    const followed = this.#documents.get(doc)
    if (followed === undefined) return
    // What is shown until then is not what it should be, and who is shown it is told.
    if (reason === 'diverged') this.#interrupted(followed, now)
    this.#step(followed, follower => follower.restart(now, effects, reason), now, effects)
    this.#parents.tellWanted(effects)
  }

  /** One document's in a turn: each takes some milliseconds. */
  #settleNext(now: Instant, effects: Effects): void {
    const [doc] = this.#unsettled
    if (doc === undefined) return
    this.#unsettled.delete(doc)
    const followed = this.#documents.get(doc)
    if (followed === undefined) return
    this.#step(followed, follower => follower.settle(now, effects), now, effects)
  }

  #take(link: LinkId, bytes: Uint8Array, now: Instant, effects: Effects): void {
    const parent = this.#parents.get(link)
    if (parent === undefined) return
    try {
      const frame = decodeLinkFrame(bytes)
      if (frame === undefined) return
      this.#asked.heard(link, frame, now)
      this.#route(parent, frame, now, effects)
      if (isOfSnapshot(frame)) tellTaken(parent, bytes.length, effects)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      effects.push({ kind: 'link-close', link, code: error.code, message: error.message })
    }
  }

  #route(parent: Parent, frame: LinkFrame, now: Instant, effects: Effects): void {
    const { link } = parent
    let doc = docOf(frame, parent)
    switch (frame.kind) {
      case 'variant':
      case 'no-variant':
        this.variants.receive(frame, link, now, effects)
        return
      case 'request-tree':
      case 'tree':
        this.#tellTree(link, frame)
        return
      case 'crowd-answer':
        this.#tellCrowd(link, frame)
        return
      case 'request-taken':
        answerTaken(parent, frame.number, effects)
        return
      case 'left':
        this.#asked.left(link, frame.doc)
        return
      case 'replay':
      case 'replay-ended': {
        const owner = this.replays.ownerOf(frame, link)
        if (owner?.kind === 'relay') this.#relay(frame)
        if (owner?.kind !== 'own') return
        doc = owner.doc
        break
      }
      case 'signal':
        if (frame.signal === 'dissolve' && doc !== undefined) {
          const isServing = this.#documents.get(doc)?.follower.upstream.link === link
          if (isServing) this.#tell(doc, { kind: 'dissolve' })
          return
        }
        if (frame.signal !== 'hand-over') break
        this.#parents.handOver(parent, now, effects)
        this.variants.serve(this.#parents.variantLinks, now, effects)
        return
      default:
    }
    const followed = doc === undefined ? undefined : this.#documents.get(doc)
    const isServing = followed?.follower.upstream.link === link
    // What was under way when a document was left, or moved, is of no use.
    if (followed === undefined) return
    if (!isOfReplay(frame) && this.#asked.isLeaving(link, followed.doc)) return
    if (!isServing && !this.#parents.isAskedBeside(followed, link)) return
    this.#parents.requests.heard(parent.node, frame)
    if (frame.kind === 'redirect') {
      this.#parents.redirected(followed, { from: parent, to: frame.to }, now, effects)
      return
    }
    const problem = this.#parents.placed(followed, parent, frame)
    if (problem !== undefined) {
      // The parent does not know yet that what it sends is not taken.
      this.#asked.tellLeave(link, followed.doc, effects)
      this.#refused(followed, parent, misplaced(followed.doc, problem), now, effects)
      return
    }
    if (frame.kind === 'refused' || frame.kind === 'ended') {
      this.#refused(followed, parent, { frame, isForGood: false }, now, effects)
      return
    }
    if (!isServing) {
      const isTaken = frame.kind === 'welcome'
      if (!isTaken || !this.#parents.goOver(followed, parent, now, effects)) return
    }
    if (frame.kind === 'welcome') followed.welcome(parent, frame.channel)
    this.#step(followed, follower => follower.receive(frame, now, effects), now, effects)
    const isPlaced = frame.kind === 'welcome' || frame.kind === 'path'
    if (isPlaced && this.#parents.areTiered && this.#documents.get(followed.doc) === followed) {
      this.#tell(followed.doc, { kind: 'placed' })
    }
  }

  /** The parent gives nothing of the document: another one may, where it was one that was named. */
  #refused(
    followed: Followed,
    parent: Parent,
    { frame, isForGood }: Refused,
    now: Instant,
    effects: Effects,
  ): void {
    const { node, link } = parent
    if (followed.follower.upstream.link !== link) {
      const { code } = frame
      const retryAfterMs = 'retryAfterMs' in frame ? frame.retryAfterMs : 0
      this.#parents.refusedBeside(followed, parent, { code, retryAfterMs, isForGood }, now, effects)
      return
    }
    this.#step(followed, follower => follower.receive(frame, now, effects), now, effects)
    if (this.#documents.get(followed.doc) !== followed) return
    this.#parents.refused(followed, { node, isForGood }, now, effects)
  }

  /** Something is done for one document, and the role is told what comes of it. */
  #step(
    followed: Followed,
    step: (follower: Follower) => readonly FollowerEvent[],
    now: Instant,
    effects: Effects,
  ): void {
    this.#guard(followed.doc, () => this.#handle(followed, step(followed.follower), now, effects))
  }

  #handle(
    followed: Followed,
    events: readonly FollowerEvent[],
    now: Instant,
    effects: Effects,
  ): void {
    const { doc, follower } = followed
    for (const event of events) this.#handleOne(followed, event, now, effects)
    // Told of the end, the role has let the document go.
    if (this.#documents.get(doc) !== followed) return
    if (follower.upstream.link === undefined) {
      followed.unroute()
      this.#parents.attach(followed, now, effects)
    }
    if (follower.upstream.isWaiting) this.#interrupted(followed, now)
    this.#deadlines.set(doc, follower.wakeAt)
    if (follower.mustSettle) this.#unsettled.add(doc)
    else this.#unsettled.delete(doc)
  }

  #handleOne(followed: Followed, event: FollowerEvent, now: Instant, effects: Effects): void {
    const { doc } = followed
    switch (event.kind) {
      case 'records':
        followed.took(event.records, this.#wallClockMs?.(), now)
        this.#tell(doc, event)
        return
      case 'stale':
        followed.parentIs(event.stale, event.ageMs, now)
        this.#tell(doc, { kind: 'staleness' })
        return
      case 'ceiling':
        this.#tell(doc, event)
        // Also who was told before: with the new ceiling the children begin anew.
        followed.giveUp(now)
        this.#tell(doc, { kind: 'staleness' })
        return
      case 'joined':
        followed.join()
        this.#tell(doc, event)
        this.#signals.joined(doc, now, effects)
        this.#tell(doc, { kind: 'staleness' })
        return
      default:
        this.#tell(doc, event)
    }
  }

  #count(link: LinkId, outcome: RequestOutcome, times?: number): void {
    const parent = this.#parents.get(link)
    if (parent !== undefined) this.#parents.requests.count(parent.node, outcome, times)
  }

  #interrupted(followed: Followed, now: Instant): void {
    if (followed.interrupt(now)) this.#tell(followed.doc, { kind: 'staleness' })
  }
}
