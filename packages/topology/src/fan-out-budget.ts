/*
 * How many children a node has of one document, and where it sends those for whom it has no room.
 *
 * A parent with room takes whoever comes. One without sends an edge on, to the least loaded of its proxy
 * children or to a proxy of the region that is not in the tree yet; it takes a proxy by moving one of its
 * edges below it. So a tier comes into being where a document is hot, and no node has more than its budget.
 * Where little is left below a proxy child, for long enough, its children come up again and it goes.
 *
 * Loops: a node knows its path, all the nodes above it, from the welcome of its parent. It takes nobody who is on
 * it, and leaves a parent whose path it is on itself, which two who join each other at once find out so.
 */
import { after, assert, type Instant, milliseconds } from '@fanfold/kernel'

/** A child of one document. */
export type FanOutChild = {
  readonly node: string
  /** It can have children of its own. */
  readonly isProxy: boolean
  /** It goes elsewhere when it is told to. */
  readonly isMovable: boolean
  /** Children that it has of the document, as it last said. */
  readonly childCount: number
  /** Edges below it in all its tiers, as it last said; 1 for an edge itself. */
  readonly edgesBelow: number
}

/** Bounds of a tree. */
export type FanOutOptions = {
  /** Children that a node has of one document. */
  readonly childrenMax: number
  /** What a node sends of all documents to other nodes, bytes per second. */
  readonly bytesPerSecondMax: number
  /** Nodes between the authority and an edge, and the authority; who would be deeper is refused. */
  readonly tiersMax: number
  /** A tier goes when what would be left fits into this share of `childrenMax`, 0 … 1. */
  readonly collapseShare: number
  /** And only when that was so for so long, ms. */
  readonly collapseAfterMs: number
}

/** What holds unless an operator says otherwise. */
export const defaultFanOutOptions: FanOutOptions = {
  childrenMax: 32,
  // A gigabit per second.
  bytesPerSecondMax: 125_000_000,
  tiersMax: 8,
  collapseShare: 0.5,
  collapseAfterMs: 30_000,
}

/** What was in vain is tried again after twice as long, so many times in a row; after that no longer still. */
export const doublingsMax = 5

/** Places that a redirect names. */
const redirectsMax = 3

/** What becomes of one who wants to join. */
export type FanOutVerdict =
  | { readonly kind: 'take' }
  /** Room is made: the edge of this name moves below the new child. */
  | { readonly kind: 'take-and-move'; readonly moved: string }
  /** Nodes to ask instead, best first; at least one. */
  | { readonly kind: 'redirect'; readonly to: readonly string[] }
  | { readonly kind: 'refuse'; readonly reason: 'loop' | 'too-deep' | 'full' }

/** Who wants to join, and what there is. */
export type FanOutQuestion = {
  readonly joiner: { readonly node: string; readonly isProxy: boolean }
  /** Oldest first. */
  readonly children: readonly FanOutChild[]
  /** The nodes above, from the authority on, and this one. */
  readonly path: readonly string[]
  /**
   * Proxies of the region that are alive, in an order of this node's own for the document: full parents
   * beside each other are not to recruit the same ones.
   */
  readonly recruits: () => readonly string[]
  /** The node sends as many bytes as it may. */
  readonly isOverBytes: boolean
}

/** Whether one who wants to join is taken, or where it is sent. */
export function joinVerdict(question: FanOutQuestion, options: FanOutOptions): FanOutVerdict {
  const { joiner, children, path, isOverBytes } = question
  if (path.includes(joiner.node)) return { kind: 'refuse', reason: 'loop' }
  // A proxy on the last tier could have nobody below it.
  const tiers = path.length + (joiner.isProxy ? 1 : 0)
  if (tiers > options.tiersMax) return { kind: 'refuse', reason: 'too-deep' }
  if (children.some(({ node }) => node === joiner.node)) return { kind: 'take' }
  if (children.length < options.childrenMax && !isOverBytes) return { kind: 'take' }
  const moved = joiner.isProxy ? lastEdge(children) : undefined
  if (moved !== undefined) return { kind: 'take-and-move', moved }
  const to = placesFor(question, options).slice(0, redirectsMax)
  return to.length > 0 ? { kind: 'redirect', to } : { kind: 'refuse', reason: 'full' }
}

/** Where one who is not taken may go, best first. */
function placesFor(question: FanOutQuestion, options: FanOutOptions): string[] {
  const roomy = roomyProxies(question.children, options)
  if (roomy.length > 0) return roomy
  const fresh = question.joiner.isProxy ? [] : freshProxies(question, options)
  const full = question.children.filter(({ isProxy }) => isProxy).toSorted(byLoad)
  const taken = new Set([question.joiner.node])
  return [...fresh, ...full.map(({ node }) => node)].filter(node => !taken.has(node))
}

/** Proxies below that can have one child more, the one with the least load first. */
const roomyProxies = (children: readonly FanOutChild[], { childrenMax }: FanOutOptions): string[] =>
  children
    .filter(child => child.isProxy && child.childCount < childrenMax)
    .toSorted(byLoad)
    .map(({ node }) => node)

/** Proxies that are not here yet. Each finds its place by moving an edge, so there has to be one, and a tier for it. */
function freshProxies(
  { children, path, recruits }: Pick<FanOutQuestion, 'children' | 'path' | 'recruits'>,
  options: FanOutOptions,
): string[] {
  if (lastEdge(children) === undefined || path.length >= options.tiersMax) return []
  const here = new Set([...path, ...children.map(({ node }) => node)])
  return recruits().filter(node => !here.has(node))
}

/** An edge, and the nodes to which it is sent, best first. */
export type FanOutMove = { readonly moved: string; readonly to: readonly string[] }

/**
 * Which edges of a node that has too much to do go elsewhere, those that came last first; at most `count`, one child
 * stays, and none goes where there is no room.
 */
export function reliefOf(
  count: number,
  question: Pick<FanOutQuestion, 'children' | 'path' | 'recruits'>,
  options: FanOutOptions,
): FanOutMove[] {
  const { children } = question
  const edges = children.filter(({ isProxy, isMovable }) => isMovable && !isProxy).toReversed()
  const most = Math.min(count, children.length - 1, edges.length)
  if (most <= 0) return []
  const roomy = roomyProxies(children, options)
  const found = roomy.length > 0 ? roomy : freshProxies(question, options)
  const places = found.slice(0, redirectsMax)
  if (places.length === 0) return []
  return edges.slice(0, most).map(({ node }, index) => {
    // Not all of them to the same one first.
    const first = index % places.length
    return { moved: node, to: [...places.slice(first), ...places.slice(0, first)] }
  })
}

/** Of the edges that may be moved the one that came last, which has the least to lose. */
const lastEdge = (children: readonly FanOutChild[]): string | undefined =>
  children.findLast(({ isProxy, isMovable }) => isMovable && !isProxy)?.node

const byLoad = (one: FanOutChild, other: FanOutChild): number =>
  one.edgesBelow - other.edgesBelow ||
  one.childCount - other.childCount ||
  (one.node < other.node ? -1 : 1)

/** What is wrong with a path that a parent's welcome names; the child leaves such a parent. */
export function pathProblem(
  path: readonly string[],
  self: string,
  options: Pick<FanOutOptions, 'tiersMax'>,
): 'loop' | 'too-deep' | undefined {
  if (path.includes(self)) return 'loop'
  return path.length > options.tiersMax ? 'too-deep' : undefined
}

/**
 * Where a child goes when it loses this parent, named by the welcome so that it need not look for anything:
 * the node above first, then the least loaded of the proxies beside it.
 */
export function alternativesOf(
  child: string,
  { path, children }: Pick<FanOutQuestion, 'path' | 'children'>,
): string[] {
  const above = path.at(-2)
  const beside = children.filter(({ node, isProxy }) => isProxy && node !== child).toSorted(byLoad)
  const names = beside.slice(0, redirectsMax).map(({ node }) => node)
  return above === undefined ? names : [above, ...names]
}

/** Says when a tier below one node has cooled: one for each document that has proxies as children. */
export class FanOutCollapse {
  readonly #options: FanOutOptions
  #since: Instant | undefined
  /** Who was told last, and how often in a row: its children did not come. */
  #told: { readonly node: string; times: number } | undefined

  constructor(options: FanOutOptions) {
    const { childrenMax, collapseShare } = options
    assert(childrenMax >= 2, `a node has at least 2 children, got childrenMax ${childrenMax}`)
    assert(
      collapseShare > 0 && collapseShare < 1,
      `collapseShare is between 0 and 1, got ${collapseShare}`,
    )
    this.#options = options
  }

  /**
   * The proxy child whose children are to come up, when that was possible for long enough; one at a time, each
   * after a time of its own, and twice as long when it is told again in vain.
   *
   * @param hasRoomFor whether the node may send so many children more what they want
   */
  look(
    children: readonly FanOutChild[],
    now: Instant,
    hasRoomFor: (childCount: number) => boolean = () => true,
  ): string | undefined {
    const least = this.#least(children)
    if (least === undefined || !hasRoomFor(least.childCount)) {
      this.#since = undefined
      return undefined
    }
    const { node } = least
    if (this.#told?.node !== node) this.#told = undefined
    this.#since ??= now
    const waitMs = this.#options.collapseAfterMs * 2 ** (this.#told?.times ?? 0)
    if (now < after(this.#since, milliseconds(waitMs))) return undefined
    this.#since = undefined
    this.#told = { node, times: Math.min((this.#told?.times ?? 0) + 1, doublingsMax) }
    return node
  }

  /** The proxy with the fewest children, when those fit here with room to spare. */
  #least(children: readonly FanOutChild[]): FanOutChild | undefined {
    const { childrenMax, collapseShare } = this.#options
    const [least] = children
      .filter(({ isProxy }) => isProxy)
      .toSorted((one, other) => one.childCount - other.childCount || byLoad(one, other))
    if (least === undefined) return undefined
    const left = children.length - 1 + least.childCount
    return left <= childrenMax * collapseShare ? least : undefined
  }
}
