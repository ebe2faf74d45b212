/*
 * Each document is had from the nodes of its route, the best first.
 *
 *   route:    best   next   third   last
 *             down   down   up             wanted: best, next and third, and third serves
 *
 * Wanted are the nodes of a route up to the first one of which nothing bad is known. That one is to serve; those
 * before it are tried again and again by whoever dials, so that the document goes back to the best one when that
 * is there. A node is down when its connection was lost, or nobody was reached there, until it is connected.
 * Who serves a document is wanted as long as it does, whatever its route says: the link to the new parent is there
 * before the old one is left, and who moves goes on from what it holds.
 */
import type { EffectSink, Instant } from '@fanfold/kernel'
import type { DocumentKey, LinkId, TreePlace } from '@fanfold/protocol'
import type { ParentChoice } from './parent-choice.ts'
import type { ParentEffect } from './parent-effect.ts'
import type { Parent, Parents } from './parents.ts'
import type { Troubles } from './troubles.ts'

/** Who has which document. */
export type Routes = {
  /** Ids of the nodes from which the document may be had, the best first; few, each once. Empty while nobody is known. */
  routeOf(doc: DocumentKey): readonly string[]
  /** What is known of the trees of documents; undefined where nobody is sent on. */
  readonly tiers?: Tiers | undefined
}

/**
 * Where this node stands in the tree of each document, and where parents that are full send it. The routes follow from
 * it: whoever says something here looks at the document's route again.
 */
export type Tiers = {
  /** Whether the next node that is asked may send us on. */
  isMovable(doc: DocumentKey): boolean
  /** The node `from`, which serves us meanwhile with `isServed`, has named others, best first. */
  redirected(
    doc: DocumentKey,
    named: { readonly from: string; readonly to: readonly string[]; readonly isServed: boolean },
    isDown: (node: string) => boolean,
    now: Instant,
  ): void
  /** The node has taken us: what is wrong with where it stands, if anything is. */
  welcomed(doc: DocumentKey, node: string, place: TreePlace | undefined): string | undefined
  /** Who serves us stands elsewhere: what is wrong with that, if anything is. */
  pathChanged(doc: DocumentKey, path: readonly string[]): string | undefined
  /** The node gives us nothing, now or, with `isForGood`, as it stands. True when another one is to be asked. */
  refused(doc: DocumentKey, node: string, isForGood: boolean, now: Instant): boolean
  /** The node is not there: what was to be had from it is had elsewhere. False when that is nothing. */
  lost(node: string, now: Instant): boolean
  /** The document is not followed any more. */
  forget(doc: DocumentKey): void
  wakeAt(): Instant | undefined
  /** Documents that have other routes now, as nobody has answered in time. */
  due(now: Instant): readonly DocumentKey[]
}

/** Nodes that documents want, and how many do: most documents want the same as others. */
type Wish = { readonly nodes: readonly string[]; documents: number }

/** Each document is had from the nodes of its route. */
export class RoutedParents implements ParentChoice {
  readonly #routes: Routes
  readonly #parents: Parents
  readonly #troubles: Troubles
  readonly #down = new Set<string>()
  readonly #wishes = new Map<string, Wish>()
  readonly #wishOf = new Map<DocumentKey, Wish>()
  /** Nodes that the driver was told, and whether there may be others now. */
  #told: readonly string[] = []
  #isChanged = false

  constructor(routes: Routes, parents: Parents, troubles: Troubles) {
    this.#routes = routes
    this.#parents = parents
    this.#troubles = troubles
  }

  linksFor(doc: DocumentKey): readonly LinkId[] {
    const found = this.#routes.routeOf(doc).flatMap(node => this.#parents.at(node) ?? [])
    const staying = found.filter(({ isGoing }) => !isGoing)
    const going = found.filter(({ isGoing }) => isGoing)
    return [...staying, ...going].map(({ link }) => link)
  }

  mayBeHad(doc: DocumentKey): boolean {
    return this.#routes.routeOf(doc).some(node => !this.#down.has(node))
  }

  get variantLinks(): readonly LinkId[] {
    return this.#parents.links
  }

  want(doc: DocumentKey, serving: Parent | undefined): void {
    const route = this.#routes.routeOf(doc)
    const first = route.findIndex(node => this.#isUp(node))
    const isWhole = first < 0 || this.#troubles.isWaiting(doc)
    const nodes = isWhole ? route : route.slice(0, first + 1)
    const isServing = serving === undefined || nodes.includes(serving.node)
    this.#wish(doc, isServing ? nodes : [...nodes, serving.node])
  }

  forget(doc: DocumentKey): void {
    const wish = this.#wishOf.get(doc)
    if (wish === undefined) return
    this.#wishOf.delete(doc)
    wish.documents--
    if (wish.documents > 0) return
    this.#wishes.delete(nameOf(wish.nodes))
    this.#isChanged = true
  }

  opened(node: string): void {
    this.#down.delete(node)
  }

  isDown(node: string): boolean {
    return !this.#isUp(node)
  }

  lost(node: string, now: Instant): boolean {
    // A newer connection may have taken the place of the one that is lost.
    const isGone = this.#parents.at(node) === undefined && this.#isWanted(node)
    if (!isGone) return false
    // A document may have been sent back to it since it was lost.
    const isMoving = this.#routes.tiers?.lost(node, now) === true
    if (this.#down.has(node)) return isMoving
    this.#down.add(node)
    return true
  }

  isConcerned(doc: DocumentKey, of: Parent | Pick<Parent, 'node'>): boolean {
    // Any that is there may serve while better ones are not; who is not wanted is missed by nobody.
    const nodes = 'link' in of ? this.#routes.routeOf(doc) : this.#wishOf.get(doc)?.nodes
    return nodes?.includes(of.node) === true
  }

  tellWanted(effects: EffectSink<ParentEffect>): void {
    if (!this.#isChanged) return
    this.#isChanged = false
    const wanted = new Set([...this.#wishes.values()].flatMap(({ nodes }) => nodes))
    // What is known of who is not wanted may be wrong by the time that it is.
    for (const node of this.#down) if (!wanted.has(node)) this.#down.delete(node)
    const nodes = [...wanted].toSorted()
    const { length } = this.#told
    if (nodes.length === length && nodes.every((node, index) => node === this.#told[index])) return
    this.#told = nodes
    effects.push({ kind: 'want-nodes', nodes })
  }

  /** True for a node that is to serve, or does and does not go away. */
  #isUp(node: string): boolean {
    return !this.#down.has(node) && this.#parents.at(node)?.isGoing !== true
  }

  #isWanted(node: string): boolean {
    for (const { nodes } of this.#wishes.values()) if (nodes.includes(node)) return true
    return false
  }

  #wish(doc: DocumentKey, nodes: readonly string[]): void {
    const name = nameOf(nodes)
    let wish = this.#wishes.get(name)
    if (wish !== undefined && wish === this.#wishOf.get(doc)) return
    this.forget(doc)
    if (wish === undefined) {
      wish = { nodes, documents: 0 }
      this.#wishes.set(name, wish)
      this.#isChanged = true
    }
    wish.documents++
    this.#wishOf.set(doc, wish)
  }
}

/** A node's id has no space. */
const nameOf = (nodes: readonly string[]): string => nodes.join(' ')
