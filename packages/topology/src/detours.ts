/*
 * Where documents are had from in place of where their routes say, because a node that was full has named others.
 *
 *   the route's best, full ──▶ one it names, full too ──▶ one that this names: it takes us
 *
 * One node at a time is asked: the route of a document that was sent on is that one node. When it takes us, it stays
 * the route until it is lost; then the nodes come that it named for that, the one above it first. When nobody is left
 * the document is asked where its route says, and not as one that can be sent on: there it is taken or refused.
 */
import { after, Deadlines, earliest, type Instant, milliseconds } from '@fanfold/kernel'
import type { DocumentKey, TreePlace } from '@fanfold/protocol'
import { type FanOutOptions, pathProblem } from './fan-out-budget.ts'
import { JoinWalk } from './join-walk.ts'

/** A node that was named and has not taken us after so long is passed over. */
const answerMax = milliseconds(3_000)
/**
 * So long after the last node has sent us on nobody is asked again who was before: nodes that are full, and take us until
 * we are served elsewhere, would send us round and round.
 */
const walkFor = milliseconds(10_000)
/** Refusals of a node that was named, after which it is passed over: it may have to get the document first. */
const refusalsMax = 2

/** The path from a tier below a region's proxy: the owner, that proxy, the tier. */
const tierPathMin = 3

type Detour = {
  /** The node that has the document for us, or is asked for it. */
  readonly at: string
  /** Who serves us meanwhile; undefined for nobody. */
  readonly home: string | undefined
  isTaken: boolean
  refusals: number
  /** Who comes after it when it is lost, best first. */
  others: readonly string[]
}

/** The detours of one role of a node. */
export class Detours {
  readonly #base: (doc: DocumentKey) => readonly string[]
  readonly #self: string
  readonly #options: Pick<FanOutOptions, 'tiersMax'>
  readonly #detours = new Map<DocumentKey, Detour>()
  /** Who was asked lately, and who comes next. */
  readonly #walks = new Map<DocumentKey, JoinWalk>()
  /** Documents of which everybody who was named has been asked in vain. */
  readonly #stuck = new Set<DocumentKey>()
  /** The nodes above, as the parent of each document has said. */
  readonly #paths = new Map<DocumentKey, readonly string[]>()
  /** When who is asked has not answered. */
  readonly #answers = new Deadlines<DocumentKey>()
  /** When who was asked is forgotten. */
  readonly #walksEnd = new Deadlines<DocumentKey>()

  /** @param base where documents are had from as a rule, the best first */
  constructor(options: {
    readonly base: (doc: DocumentKey) => readonly string[]
    readonly self: string
    readonly options: Pick<FanOutOptions, 'tiersMax'>
  }) {
    this.#base = options.base
    this.#self = options.self
    this.#options = options.options
  }

  /** Documents that are had elsewhere. */
  get count(): number {
    return this.#detours.size
  }

  /** Nodes to ask for the document, the best first. */
  routeOf(doc: DocumentKey): readonly string[] {
    const detour = this.#detours.get(doc)
    return detour === undefined ? this.#base(doc) : [detour.at]
  }

  /** The nodes above, from the authority on; empty while nobody has said. */
  pathOf(doc: DocumentKey): readonly string[] {
    return this.#paths.get(doc) ?? []
  }

  /** Whether the next node that is asked may send us on. */
  isMovable(doc: DocumentKey): boolean {
    return !this.#stuck.has(doc)
  }

  /**
   * The node `from` has named others, best first.
   *
   * @param from serves us meanwhile with `isServed`
   * @param isDown of which nothing is to be had now
   */
  redirected(
    doc: DocumentKey,
    named: { readonly from: string; readonly to: readonly string[]; readonly isServed: boolean },
    isDown: (node: string) => boolean,
    now: Instant,
  ): void {
    const { from, to, isServed } = named
    const before = this.#detours.get(doc)
    const walk = this.#walkOf(doc, from, now)
    walk.redirected(to.filter(node => node !== this.#self && !isDown(node)))
    const isAsked = before?.at === from && !before.isTaken
    this.#goOn(doc, walk, isServed ? from : isAsked ? before.home : undefined, now)
  }

  /** The node has taken us. What is wrong with where it stands, if anything is. */
  welcomed(
    doc: DocumentKey,
    node: string,
    place: TreePlace | undefined,
  ): ReturnType<typeof pathProblem> {
    const path = place?.path ?? []
    const problem = this.#problemOf(path)
    // Who serves us meanwhile stands where it stood.
    if (problem !== undefined) return problem
    this.pathChanged(doc, path)
    this.#stuck.delete(doc)
    const detour = this.#detours.get(doc)
    if (detour?.at !== node) return undefined
    this.#answers.set(doc, undefined)
    // The owner, and the region's proxy: after those, and beside them, the route says who comes.
    if (path.length < tierPathMin) this.#detours.delete(doc)
    detour.isTaken = true
    detour.refusals = 0
    detour.others = place?.others ?? []
    return undefined
  }

  /** Who serves us stands elsewhere. What is wrong with that, if anything is. */
  pathChanged(doc: DocumentKey, path: readonly string[]): ReturnType<typeof pathProblem> {
    const problem = this.#problemOf(path)
    if (problem === undefined && path.length > 0) this.#paths.set(doc, this.#above(path))
    else this.#paths.delete(doc)
    return problem
  }

  /** The node gives us nothing, now or, with `isForGood`, as it stands. True when another one is to be asked. */
  refused(doc: DocumentKey, node: string, isForGood: boolean, now: Instant): boolean {
    const detour = this.#detours.get(doc)
    if (detour?.at !== node) return false
    if (!isForGood && ++detour.refusals < refusalsMax) return false
    // What is lost was found once: whoever is there may have room now.
    if (detour.isTaken) this.#endWalk(doc)
    const walk = this.#walkOf(doc, node, now)
    walk.redirected(detour.others.filter(other => other !== this.#self))
    this.#goOn(doc, walk, detour.isTaken ? undefined : detour.home, now)
    return true
  }

  /** The node is not there: what was to be had from it is had elsewhere. False when that is nothing. */
  lost(node: string, now: Instant): boolean {
    let isAny = false
    for (const [doc, { at }] of this.#detours) {
      if (at === node && this.refused(doc, node, true, now)) isAny = true
    }
    return isAny
  }

  /** The document is not followed any more. */
  forget(doc: DocumentKey): void {
    this.#detours.delete(doc)
    this.#stuck.delete(doc)
    this.#paths.delete(doc)
    this.#answers.set(doc, undefined)
    this.#endWalk(doc)
  }

  wakeAt(): Instant | undefined {
    return earliest(this.#answers.wakeAt(), this.#walksEnd.wakeAt())
  }

  /** Documents that have other routes now: who was asked has not taken us in time. */
  due(now: Instant): DocumentKey[] {
    for (const doc of this.#walksEnd.due(now)) this.#walks.delete(doc)
    return [...this.#answers.due(now)].filter(doc => {
      const at = this.#detours.get(doc)?.at
      return at !== undefined && this.refused(doc, at, true, now)
    })
  }

  /** A parent in this process is this node too. */
  #above(path: readonly string[]): readonly string[] {
    return path.at(-1) === this.#self ? path.slice(0, -1) : path
  }

  #problemOf(path: readonly string[]): ReturnType<typeof pathProblem> {
    return pathProblem(this.#above(path), this.#self, this.#options)
  }

  #goOn(doc: DocumentKey, walk: JoinWalk, home: string | undefined, now: Instant): void {
    const at = walk.next()
    if (at !== undefined) {
      this.#detours.set(doc, { at, home, isTaken: false, refusals: 0, others: [] })
      this.#answers.set(doc, after(now, answerMax))
      return
    }
    this.#answers.set(doc, undefined)
    if (home !== undefined && !this.#base(doc).includes(home)) {
      this.#detours.set(doc, { at: home, home, isTaken: true, refusals: 0, others: [] })
      return
    }
    this.#detours.delete(doc)
    if (home === undefined) this.#stuck.add(doc)
  }

  /** The walk that the document is on, which has come to this node. */
  #walkOf(doc: DocumentKey, at: string, now: Instant): JoinWalk {
    const walk = this.#walks.get(doc) ?? new JoinWalk([])
    walk.visited(at)
    this.#walks.set(doc, walk)
    this.#walksEnd.set(doc, after(now, walkFor))
    return walk
  }

  #endWalk(doc: DocumentKey): void {
    this.#walks.delete(doc)
    this.#walksEnd.set(doc, undefined)
  }
}
