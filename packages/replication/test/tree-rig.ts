/*
 * A tree of nodes that do nothing but look at it: links with a delay between machines that are asked about trees.
 */
import { type Instant, instant } from '@fanfold/kernel'
import {
  decodeLinkFrame,
  encodeLinkFrame,
  type LinkEffect,
  type LinkFrame,
  type LinkId,
  type PeerIdentity,
  type TreeEntry,
  type TreeRole,
} from '@fanfold/protocol'
import { type OwnStanding, type TreeChild, TreeLooks, type TreeTold } from '../src/tree-looks.ts'
import { doc } from './build-stream.ts'

type Link = {
  readonly id: LinkId
  readonly child: string
  readonly parent: string
  isOpen: boolean
}

type Effect = LinkEffect | TreeTold

type Event = {
  readonly at: Instant
  readonly to: string
  readonly link: Link
  readonly frame: Uint8Array
}

/** What a node says of itself, unless a test says otherwise. */
export const ownStanding = (overrides: Partial<OwnStanding> = {}): OwnStanding => ({
  epoch: 1,
  seq: 7,
  viewers: 0,
  children: 0,
  isLive: true,
  recentRecords: 0,
  recentBytes: 0,
  ...overrides,
})

/** Nodes and their links. */
export class TreeRig {
  /** How long a frame is on its way, ms. */
  delayMs = 5
  /** Nodes that take nothing in. */
  readonly mute = new Set<string>()
  /** Nodes that have no parent and may have one soon. */
  readonly searching = new Set<string>()
  /** Edges that a node has below it, as its parent was told. */
  readonly edgesBelow = new Map<string, number>()
  readonly standings = new Map<string, OwnStanding>()
  /** Frames that were delivered, with who has sent them. */
  readonly sent: { readonly from: string; readonly frame: LinkFrame }[] = []
  readonly #nodes = new Map<string, { readonly looks: TreeLooks; readonly peer: PeerIdentity }>()
  readonly #links: Link[] = []
  readonly #told = new Map<
    number,
    { readonly entries: readonly TreeEntry[]; readonly at: number }
  >()
  #events: Event[] = []
  #now: Instant = instant(0)
  #lastLook = 0

  /** A node, with its link to the one above it. */
  add(name: string, role: TreeRole, above?: string): TreeLooks {
    const looks = new TreeLooks({
      role,
      standingOf: () => this.standings.get(name) ?? ownStanding(),
      childrenOf: () => this.childrenOf(name),
      above: () => this.#above(name)?.id ?? (this.searching.has(name) ? 'later' : 'nobody'),
      servedBy: () => this.#above(name)?.id,
    })
    const peer = { node: name, incarnation: '1', region: 'eu', roles: [role], ceiling: 0 }
    this.#nodes.set(name, { looks, peer })
    if (above !== undefined) this.connect(name, above)
    return looks
  }

  /** A link between two nodes opens. */
  connect(child: string, parent: string): void {
    const link = { id: (this.#links.length + 1) as LinkId, child, parent, isOpen: true }
    this.#links.push(link)
    const { peer } = this.#of(parent)
    this.#with(child, (looks, effects) =>
      looks.notice({ kind: 'link-opened', link: link.id, peer, dialled: true }, this.#now, effects),
    )
  }

  /** The link between two nodes closes, and both ends hear of it. */
  disconnect(child: string, parent: string): void {
    const link = this.#links.find(one => one.isOpen && one.child === child && one.parent === parent)
    if (link === undefined) throw new Error(`${child} is not connected to ${parent}`)
    link.isOpen = false
    for (const end of [child, parent]) {
      this.#with(end, (looks, effects) =>
        looks.notice({ kind: 'link-closed', link: link.id, reason: 'test' }, this.#now, effects),
      )
    }
  }

  /** Somebody looks at a node; the number of the look. */
  look(name: string): number {
    const look = ++this.#lastLook
    this.#with(name, (looks, effects) =>
      looks.ask({ kind: 'tree-asked', look, doc }, this.#now, effects),
    )
    return look
  }

  /** What was told of a look, and after how many ms from the start; undefined while nothing was. */
  told(look: number): { readonly entries: readonly TreeEntry[]; readonly at: number } | undefined {
    return this.#told.get(look)
  }

  /** What a node tells when somebody looks at it, as `name<above`, those that do not answer with a `?`. */
  seen(name: string): string[] {
    const look = this.look(name)
    this.run(5_500)
    return shown(this.#told.get(look)?.entries ?? [])
  }

  /** A node sends a frame to another over the link between them. */
  send(from: string, to: string, frame: LinkFrame): void {
    const link = this.#links.find(
      ({ child, parent }) => [child, parent].includes(from) && [child, parent].includes(to),
    )
    if (link === undefined) throw new Error(`${from} is not connected to ${to}`)
    this.#post(from, link, encodeLinkFrame(frame))
  }

  /** So much time goes by. */
  run(ms: number): void {
    const end = instant(this.#now + ms * 1_000)
    for (;;) {
      const next = this.#next()
      if (next === undefined || next.at > end) break
      this.#now = next.at
      next.act()
    }
    this.#now = end
  }

  /** What all nodes have under way or keep. */
  get left(): number {
    let count = this.#events.length
    for (const { looks } of this.#nodes.values()) count += looks.count
    return count
  }

  /** Nodes that have the document from this one. */
  childrenOf(name: string): TreeChild[] {
    return this.#links
      .filter(({ isOpen, parent }) => isOpen && parent === name)
      .map(({ id, child }) => ({
        link: id,
        peer: this.#of(child).peer,
        edgesBelow: this.edgesBelow.get(child) ?? 0,
      }))
  }

  #next(): { readonly at: Instant; readonly act: () => void } | undefined {
    let found: { readonly at: Instant; readonly act: () => void } | undefined
    for (const event of this.#events) {
      if (found === undefined || event.at < found.at) {
        found = { at: event.at, act: () => this.#deliver(event) }
      }
    }
    for (const [name, { looks }] of this.#nodes) {
      const wakeAt = looks.wakeAt()
      if (wakeAt === undefined || (found !== undefined && found.at <= wakeAt)) continue
      const at = wakeAt > this.#now ? wakeAt : this.#now
      found = {
        at,
        act: () => this.#with(name, (own, effects) => own.tick(this.#now, effects)),
      }
    }
    return found
  }

  #deliver(event: Event): void {
    this.#events = this.#events.filter(one => one !== event)
    const { to, link, frame } = event
    if (!link.isOpen || this.mute.has(to)) return
    const decoded = decodeLinkFrame(frame)
    if (decoded?.kind !== 'request-tree' && decoded?.kind !== 'tree') {
      throw new Error('a frame that is no look')
    }
    const from = link.child === to ? link.parent : link.child
    this.sent.push({ from, frame: decoded })
    this.#with(to, (looks, effects) => looks.receive(link.id, decoded, this.#now, effects))
  }

  #with(name: string, step: (looks: TreeLooks, effects: Effect[]) => void): void {
    const effects: Effect[] = []
    step(this.#of(name).looks, effects)
    for (const effect of effects) {
      if (effect.kind === 'tree-told') {
        this.#told.set(effect.look, { entries: effect.entries, at: this.#now / 1_000 })
      } else if (effect.kind === 'link-send') {
        const link = this.#links.find(({ id }) => id === effect.link)
        if (link !== undefined) this.#post(name, link, effect.frame)
      }
    }
  }

  #post(from: string, link: Link, frame: Uint8Array): void {
    const to = link.child === from ? link.parent : link.child
    const at = instant(this.#now + this.delayMs * 1_000)
    if (link.isOpen) this.#events.push({ at, to, link, frame })
  }

  #above(name: string): Link | undefined {
    return this.#links.find(({ isOpen, child }) => isOpen && child === name)
  }

  #of(name: string): { readonly looks: TreeLooks; readonly peer: PeerIdentity } {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`no node is ${name}`)
    return node
  }
}

/** Entries as texts: `name<above`, `me` for who tells, a `?` for who does not answer, `+n` for n that were not asked. */
export function shown(entries: readonly TreeEntry[]): string[] {
  const nameOf = (entry: TreeEntry | undefined): string => entry?.node || 'me'
  return entries.map(entry => {
    const above = entry.above === undefined ? '' : `<${nameOf(entries[entry.above])}`
    const notAsked = entry.standing?.notAsked ?? 0
    const left = entry.standing === undefined ? '?' : notAsked > 0 ? `+${notAsked}` : ''
    return `${nameOf(entry)}${above}${left}`
  })
}

/** Three tiers below an authority: a region with a tier of its own, and one with a proxy alone. */
export function threeTiers(): TreeRig {
  const rig = new TreeRig()
  rig.add('authority', 'authority')
  rig.add('proxy-1', 'proxy', 'authority')
  rig.add('proxy-2', 'proxy', 'authority')
  rig.add('tier', 'proxy', 'proxy-1')
  rig.add('edge-1', 'edge', 'proxy-1')
  rig.add('edge-2', 'edge', 'tier')
  rig.add('edge-3', 'edge', 'proxy-2')
  return rig
}
