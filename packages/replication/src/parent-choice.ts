/*
 * From which of the parents that are connected a document may be had, and to whom to connect for it.
 *
 * Either all documents are had from any parent, the first one that stays; or each has a route of its own.
 */
import type { EffectSink, Instant } from '@fanfold/kernel'
import type { DocumentKey, LinkId } from '@fanfold/protocol'
import type { ParentEffect } from './parent-effect.ts'
import type { Parent, Parents } from './parents.ts'
import type { Troubles } from './troubles.ts'

/** Where each document may be had. */
export interface ParentChoice {
  /** Links over which the document may be had, the best first; those to parents that go away last. */
  linksFor(doc: DocumentKey): readonly LinkId[]
  /** True when there is such a link, or there may be one soon. */
  mayBeHad(doc: DocumentKey): boolean
  /** Links over which definitions may be had, the best first. */
  readonly variantLinks: readonly LinkId[]
  /** The document is followed, and served by this parent; said whenever that, or its trouble, is otherwise. */
  want(doc: DocumentKey, serving: Parent | undefined): void
  /** The document is followed no more. */
  forget(doc: DocumentKey): void
  /** A connection to the node is open. */
  opened(node: string): void
  /** There is no connection to the node, or nobody was reached there. False when that is nothing new. */
  lost(node: string, now: Instant): boolean
  /** True for a node of which nothing is to be had now. */
  isDown(node: string): boolean
  /** True when who serves the document may be another one, now that the parent has come, or the node gone. */
  isConcerned(doc: DocumentKey, of: Parent | Pick<Parent, 'node'>): boolean
  /** Tells the driver whom to connect to, when that has changed. */
  tellWanted(effects: EffectSink<ParentEffect>): void
}

/** All documents are had from the first parent that stays. */
export class AnyParent implements ParentChoice {
  readonly #parents: Parents
  readonly #troubles: Troubles
  /** Parents that the driver was told to connect to. */
  #wanted: 1 | 2 = 1

  constructor(parents: Parents, troubles: Troubles) {
    this.#parents = parents
    this.#troubles = troubles
  }

  linksFor(_doc: DocumentKey): readonly LinkId[] {
    return this.#parents.links
  }

  mayBeHad(_doc: DocumentKey): boolean {
    return this.#parents.count > 0
  }

  get variantLinks(): readonly LinkId[] {
    return this.#parents.links.slice(0, 1)
  }

  // Whoever is connected serves, so nothing is kept of documents and of nodes.
  want(_doc: DocumentKey, _serving: Parent | undefined): void {}
  forget(_doc: DocumentKey): void {}
  opened(_node: string): void {}

  lost(_node: string): boolean {
    return false
  }

  isDown(_node: string): boolean {
    return false
  }

  isConcerned(_doc: DocumentKey, of: Parent | Pick<Parent, 'node'>): boolean {
    return 'link' in of && of.link === this.#parents.links[0]
  }

  tellWanted(effects: EffectSink<ParentEffect>): void {
    const count = this.#troubles.wantsAnother || this.#parents.isOneGoing ? 2 : 1
    if (count === this.#wanted) return
    this.#wanted = count
    effects.push({ kind: 'want-parents', count })
  }
}
