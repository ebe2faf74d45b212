import { after, type Instant, instant, milliseconds } from '@fanfold/kernel'
import {
  type FanOutChild,
  FanOutCollapse,
  type FanOutOptions,
  joinVerdict,
} from '../src/fan-out-budget.ts'
import { JoinWalk } from '../src/join-walk.ts'
import { Rendezvous } from '../src/rendezvous.ts'

/** One document's tree below its regional proxy, made of verdicts alone. */
export class FanOutTree {
  readonly root = 'proxy-0'
  /** The most asks that anybody needed to join. */
  asksTaken = 0
  readonly #options: FanOutOptions
  readonly #recruits: Rendezvous
  /** Children of each node that has some, oldest first. */
  readonly #children = new Map<string, string[]>([[this.root, []]])
  readonly #parents = new Map<string, string>()
  readonly #collapses = new Map<string, FanOutCollapse>()
  #now: Instant = instant(0)

  constructor(proxyCount: number, options: FanOutOptions) {
    this.#options = options
    this.#recruits = new Rendezvous(
      Array.from({ length: proxyCount }, (_, index) => ({ name: `proxy-${index}`, weight: 1 })),
    )
  }

  /** The most children that any node has. */
  get widest(): number {
    return Math.max(...[...this.#children.values()].map(children => children.length))
  }

  /** Proxies in the tree. */
  get proxyCount(): number {
    return 1 + [...this.#parents.keys()].filter(isProxy).length
  }

  /** Edges in the tree, each with the number of nodes between it and the root, and the root. */
  get depths(): number[] {
    const edges = [...this.#parents.keys()].filter(node => !isProxy(node))
    return edges.map(edge => this.#pathOf(this.#parents.get(edge) ?? this.root).length)
  }

  /** A node joins, wherever it is sent; false when nobody took it. */
  join(node: string, at: string = this.root): boolean {
    const walk = new JoinWalk([at])
    for (let place = walk.next(); place !== undefined; place = walk.next()) {
      this.asksTaken = Math.max(this.asksTaken, walk.askedCount)
      if (!this.#enter(place)) continue
      const verdict = joinVerdict(
        {
          joiner: { node, isProxy: isProxy(node) },
          children: this.#childrenOf(place),
          path: this.#pathOf(place),
          recruits: () => this.#recruits.owners(place, 100),
          isOverBytes: false,
        },
        this.#options,
      )
      if (verdict.kind === 'redirect') {
        walk.redirected(verdict.to)
      } else if (verdict.kind !== 'refuse') {
        this.#attach(node, place)
        return verdict.kind === 'take' || this.join(verdict.moved, node)
      }
    }
    return false
  }

  /** A node goes; proxies without children go too. */
  leave(node: string): void {
    const parent = this.#detach(node)
    if (parent === undefined || parent === this.root) return
    if (this.#children.get(parent)?.length === 0) {
      this.#children.delete(parent)
      this.leave(parent)
    }
  }

  /** Time passes, and tiers that have cooled collapse. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.#now = after(this.#now, milliseconds(1_000))
      for (const node of [...this.#children.keys()]) this.#collapse(node)
    }
  }

  #collapse(node: string): void {
    if (!this.#children.has(node)) return
    const collapse = this.#collapses.get(node) ?? new FanOutCollapse(this.#options)
    this.#collapses.set(node, collapse)
    const cooled = collapse.look(this.#childrenOf(node), this.#now)
    if (cooled === undefined) return
    for (const child of [...(this.#children.get(cooled) ?? [])]) {
      this.leave(child)
      this.join(child, node)
    }
  }

  /** A proxy that is asked and not in the tree yet joins it first. */
  #enter(place: string): boolean {
    if (this.#children.has(place)) return true
    this.#children.set(place, [])
    if (this.join(place)) return true
    this.#children.delete(place)
    return false
  }

  #attach(node: string, parent: string): void {
    this.#detach(node)
    this.#parents.set(node, parent)
    this.#children.get(parent)?.push(node)
  }

  #detach(node: string): string | undefined {
    const parent = this.#parents.get(node)
    if (parent === undefined) return undefined
    this.#parents.delete(node)
    const children = this.#children.get(parent) ?? []
    children.splice(children.indexOf(node), 1)
    return parent
  }

  #pathOf(node: string): string[] {
    const path: string[] = []
    for (let at: string | undefined = node; at !== undefined; at = this.#parents.get(at)) {
      path.unshift(at)
      if (path.length > 1_000) throw new Error(`${node} is in a loop`)
    }
    return path
  }

  #childrenOf(node: string): FanOutChild[] {
    return (this.#children.get(node) ?? []).map(child => ({
      node: child,
      isProxy: isProxy(child),
      isMovable: true,
      childCount: this.#children.get(child)?.length ?? 0,
      edgesBelow: this.#edgesBelow(child),
    }))
  }

  #edgesBelow(node: string): number {
    if (!isProxy(node)) return 1
    let count = 0
    for (const child of this.#children.get(node) ?? []) count += this.#edgesBelow(child)
    return count
  }
}

const isProxy = (node: string): boolean => node.startsWith('proxy-')
