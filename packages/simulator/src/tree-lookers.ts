/*
 * Somebody looks at the tree of a document, at some node, while all goes wrong and when nothing does any more. Each
 * look is told once, names a node once for each one above it, and in the end is the tree as the nodes have it.
 */
import { type Instant, instant } from '@fanfold/kernel'
import { type DocumentKey, limits, type TreeEntry } from '@fanfold/protocol'
import { type TreeTold, treeWithinMs } from '@fanfold/replication'
import type { RunningNodes } from './node-gauges.ts'
import type { Problems } from './problems.ts'
import type { TreeNode } from './tree-node.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Hops for which there is time, up the tree and down again. */
const hopsMax = 18
/** Bytes of an entry, about. */
const entryBytes = 75
/** Documents that are looked at in the end, all at once: fewer than a node answers about to one link at a time. */
const auditedMax = 4
/** How often it is seen whether all was told, ms. */
const seenEveryMs = 20
/** For how long a node may have to dial another one again once all is well, ms, and how often it is looked meanwhile. */
const redialMs = 15_000
const againMs = 500
/** For how long what was seen is told again, and a little more, ms. */
const keptMs = 300
/** Beyond what a look may take, until its answer has left the machine, ms. */
const slackMs = 50

/** A look under way. */
type Look = {
  readonly node: TreeNode
  readonly incarnation: number
  readonly doc: DocumentKey
  readonly told: (entries: readonly TreeEntry[]) => void
}

/** Nodes that follow a document: from which one, and whether that sends them what there is. */
type Having = ReadonlyMap<string, { readonly parent: string | undefined; readonly isLive: boolean }>

/** Those who look at trees. */
export class TreeLookers {
  readonly #clock: VirtualClock
  readonly #problems: Problems
  readonly #nodes: () => RunningNodes
  readonly #linkBytesPerSecond: number
  readonly #looks = new Map<number, Look>()
  #lastLook = 0

  constructor(options: {
    readonly clock: VirtualClock
    readonly problems: Problems
    readonly nodes: () => RunningNodes
    /** What lines between nodes carry at least, bytes per second. */
    readonly linkBytesPerSecond: number
  }) {
    this.#clock = options.clock
    this.#problems = options.problems
    this.#nodes = options.nodes
    this.#linkBytesPerSecond = options.linkBytesPerSecond
  }

  /** All nodes that may be looked at. */
  get nodes(): readonly TreeNode[] {
    const { authorities, proxies, edges } = this.#nodes()
    return [...authorities.map(({ node }) => node), ...proxies.keys(), ...edges.keys()]
  }

  /** Somebody looks at the node; at one that is not up nobody can. */
  look(node: TreeNode, doc: DocumentKey, told: Look['told'] = () => undefined): void {
    if (!node.isUp) return
    const look = ++this.#lastLook
    this.#looks.set(look, { node, incarnation: node.incarnation, doc, told })
    node.look({ kind: 'tree-asked', look, doc })
  }

  /** A machine of the node tells. */
  told(node: string, { look, entries }: TreeTold): void {
    const asked = this.#looks.get(look)
    if (asked?.node.name !== node) {
      this.#problems.add(`${node} tells of a tree that it was not asked about, or once more`)
      return
    }
    this.#looks.delete(look)
    asked.told(entries)
  }

  /** Looks at the trees of these documents or the first few of them, at these nodes, when they are as they will be. */
  audit(docs: readonly (readonly [doc: DocumentKey, at: TreeNode])[]): void {
    // Who looks meanwhile is told what they see, some of which may be as old as they are.
    this.#runUntilTold()
    this.#clock.runUntil(instant(this.#clock.now + keptMs * 1_000))
    const until: Instant = instant(this.#clock.now + redialMs * 1_000)
    let left = docs.slice(0, auditedMax)
    // Who dials the owner again has no link to it for a while, and nothing else waits for that one; and who is asked over
    // a link that is full has no answer then.
    while (left.length > 0) {
      const isLast = this.#clock.now >= until
      left = this.#auditOnce(left, isLast)
      if (left.length > 0) this.#clock.runUntil(instant(this.#clock.now + againMs * 1_000))
    }
  }

  /** Looks once; returns those to look at again: too little was told, which is a problem only the last time. */
  #auditOnce(
    docs: readonly (readonly [doc: DocumentKey, at: TreeNode])[],
    isLast: boolean,
  ): (readonly [doc: DocumentKey, at: TreeNode])[] {
    const again: (readonly [doc: DocumentKey, at: TreeNode])[] = []
    // Who moves, and moves back while it is looked, has moved all the same.
    const seen = docs.map(([doc, node]) => ({ doc, node, states: [this.#having(doc)] }))
    for (const { doc, node, states } of seen) {
      // Where nobody wants anything the rest of a node that dials for a while is not waited for: it can ask nobody.
      if (this.#isAlone(node)) continue
      this.look(node, doc, entries => {
        const problem = this.#differs(doc, entries, node, [...states, this.#having(doc)])
        if (problem === undefined) return
        const isShort = entries.length === 1 || !this.#isWhole(doc, entries, node)
        if (isShort && !isLast) again.push([doc, node])
        else this.#problems.add(`the tree of ${doc} at ${node.name}: ${problem}`)
      })
    }
    this.#runUntilTold(() => {
      for (const { doc, states } of seen) states.push(this.#having(doc))
    })
    for (const { node, incarnation, doc } of this.#looks.values()) {
      if (!isSame(node, incarnation)) continue
      this.#problems.add(`${node.name} has never told of the tree of ${doc}`)
    }
    this.#looks.clear()
    return again
  }

  /** Until all that look were told, or it is too late for that; those at nodes that ended are told nothing. */
  #runUntilTold(onSeen: () => void = () => undefined): void {
    const until: Instant = instant(this.#clock.now + (treeWithinMs + slackMs) * 1_000)
    const isAny = (): boolean =>
      [...this.#looks.values()].some(({ node, incarnation }) => isSame(node, incarnation))
    while (isAny() && this.#clock.now < until) {
      this.#clock.runUntil(instant(this.#clock.now + seenEveryMs * 1_000))
      onSeen()
    }
  }

  /** Whether the node is a proxy or an edge without a link to any parent. */
  #isAlone(node: TreeNode): boolean {
    const { proxies, edges } = this.#nodes()
    const running = proxies.get(node) ?? edges.get(node)
    return running?.machine.hasParent === false
  }

  /** Who has the document or is to have it, by what the nodes say. */
  #having(doc: DocumentKey): Having {
    const { proxies, edges } = this.#nodes()
    const having = new Map<string, { parent: string | undefined; isLive: boolean }>()
    for (const [{ name }, { machine }] of [...proxies, ...edges]) {
      const standing = machine.standingOf(doc)
      if (standing !== undefined) having.set(name, standing)
    }
    return having
  }

  /** How long an answer that tells of all is on its way from the top to the node, on lines that carry little, ms. */
  #answerMs(asked: TreeNode, having: Having | undefined): number {
    let hops = 0
    let at = having?.get(asked.name)?.parent
    for (; at !== undefined && hops < hopsMax; at = having?.get(at)?.parent) hops++
    const bytes = (having?.size ?? 0) * entryBytes
    return (hops * bytes * 1_000) / this.#linkBytesPerSecond
  }

  #ownerOf(doc: DocumentKey): string {
    const owners = this.nodes.map(({ member }) => member?.view.placement?.ownerNameOf(doc))
    return owners.find(name => name !== undefined) ?? 'authority'
  }

  /** Whether what is told begins at the top. */
  #isWhole(doc: DocumentKey, [top]: readonly TreeEntry[], asked: TreeNode): boolean {
    return top !== undefined && (top.node || asked.name) === this.#ownerOf(doc)
  }

  #differs(
    doc: DocumentKey,
    entries: readonly TreeEntry[],
    asked: TreeNode,
    states: readonly Having[],
  ): string | undefined {
    // Nobody has time to look to the end of a chain that is so long.
    if (hopsOf(entries, asked) >= hopsMax) return undefined
    if (this.#answerMs(asked, states[0]) >= treeWithinMs / 2) return undefined
    const nameOf = (entry: TreeEntry | undefined): string => entry?.node || asked.name
    const [top] = entries
    // Where nobody has the document, nobody need have a link to whom it would be had from.
    if (entries.length === 1 && states.every(({ size }) => size === 0)) return undefined
    if (!this.#isWhole(doc, entries, asked)) {
      return `${nameOf(top)} is on top, not ${this.#ownerOf(doc)}`
    }
    const rooms = evenRooms(entries)
    for (const [at, entry] of entries.entries()) {
      const { standing, above } = entry
      const name = nameOf(entry)
      const parents = states.map(having => having.get(name)?.parent)
      // Who has moved in the meantime may have been below others on its way, or gone from whom the look came through.
      const hasMoved = parents.some(parent => parent !== parents[0])
      if (standing === undefined && hasMoved) continue
      if (standing === undefined) return `${name} does not answer`
      const room = rooms[at] ?? 0
      if (standing.notAsked > 0 && room > standing.children) {
        return `${standing.notAsked} below ${name} are not asked`
      }
      const told = above === undefined ? undefined : nameOf(entries[above])
      if (!hasMoved && parents[0] !== told)
        return `${name} is below ${told}, and has it from ${parents}`
    }
    const lacking = new Map(entries.map(entry => [nameOf(entry), entry.standing?.notAsked ?? 0]))
    const missing = [...(states[0] ?? [])].find(
      ([name, { isLive }]) =>
        isLive && !lacking.has(name) && hasStayed(name, states) && !isCutOff(name, states, lacking),
    )
    return missing === undefined ? undefined : `${missing[0]} has it and is not there`
  }
}

/** Whether the node is the one that it was. */
const isSame = (node: TreeNode, incarnation: number): boolean =>
  node.isUp && node.incarnation === incarnation

/**
 * Whether the node and all above it had the document from the same nodes, as they get it; who moves meanwhile may be
 * missed, and so may those below one whom the log is read to.
 */
function hasStayed(node: string, states: readonly Having[]): boolean {
  const [first] = states
  const seen = new Set<string>()
  let at: string | undefined = node
  // Who is on top follows nobody.
  while (at !== undefined && first?.has(at) === true && !seen.has(at)) {
    seen.add(at)
    const name: string = at
    const parent: string | undefined = first.get(name)?.parent
    const isThere = (having: Having): boolean => having.get(name)?.isLive === true
    if (!states.every(having => isThere(having) && having.get(name)?.parent === parent)) {
      return false
    }
    at = parent
  }
  return true
}

/**
 * How many entries each may fill where all proxies are given alike: in a tree that is named by hand nobody says how many
 * are below it, and little of a deep branch has room.
 */
function evenRooms(entries: readonly TreeEntry[]): readonly number[] {
  const rooms: number[] = []
  const proxies = entries.map(() => 0)
  for (const { above, role } of entries) {
    if (above !== undefined && role === 'proxy') proxies[above] = (proxies[above] ?? 0) + 1
  }
  for (const { above, role } of entries) {
    if (above === undefined) rooms.push(limits.treeEntriesMax.value)
    else {
      const left = (rooms[above] ?? 0) - 1 - (entries[above]?.standing?.children ?? 0)
      const share = left / Math.max(1, proxies[above] ?? 0)
      rooms.push(role === 'proxy' ? 1 + Math.max(0, Math.floor(share)) : 1)
    }
  }
  return rooms
}

/** Whether the node is below one who has not asked all that are below it. */
function isCutOff(
  node: string,
  [first]: readonly Having[],
  lacking: ReadonlyMap<string, number>,
): boolean {
  let at: string | undefined = node
  // A node that has stayed follows one who has, up to the top.
  while (at !== undefined && !lacking.has(at)) at = first?.get(at)?.parent
  return at !== undefined && (lacking.get(at) ?? 0) > 0
}

/** Hops from the node that was asked to the top, and from there to who is farthest below. */
function hopsOf(entries: readonly TreeEntry[], asked: TreeNode): number {
  const depths: number[] = []
  for (const { above } of entries) depths.push(above === undefined ? 0 : (depths[above] ?? 0) + 1)
  const own = entries.findIndex(({ node }) => node === asked.name || node === '')
  return (depths[own] ?? 0) + Math.max(0, ...depths)
}
