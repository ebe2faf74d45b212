/* A node's links to its parents, as many as it wants: kept by a dialler that nodes have, or by chance. */
import { type Duration, milliseconds, type Prng } from '@fanfold/kernel'
import type { LinkId, LinkInput } from '@fanfold/protocol'
import { ParentDialler, type ParentEffect } from '@fanfold/replication'
import type { LinkPeer, Network } from './network.ts'
import { spaceTimeOf } from './space-time.ts'
import type { Tally } from './tally.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** Keeps a node's links to its parents. */
export interface ParentLinks {
  /** Dials from now on. */
  start(): void
  /** To whom the node would be connected from now on. */
  want(effect: ParentEffect): void
  /** Sees what happens on links before the node does; false where that is not for the node. */
  notice(input: LinkInput): boolean
  /** Dials no more. */
  stop(): void
}

/** What it takes to keep links. */
export type ParentLinksOptions = {
  readonly clock: VirtualClock
  readonly prng: Prng
  readonly network: Network
  readonly child: LinkPeer
  /** In order of preference. */
  readonly parents: readonly LinkPeer[]
}

/** Links as a Node process keeps them. */
export function keepParentLinks({
  clock,
  prng,
  network,
  child,
  parents,
  tally,
}: ParentLinksOptions & { readonly tally: Tally }): ParentLinks {
  const byName = new Map(parents.map(parent => [parent.identity.node, parent]))
  const dialler = new ParentDialler({
    addresses: [...byName.keys()],
    links: {
      dial: address => {
        const parent = byName.get(address)
        return parent && network.connect(child, parent)
      },
      perform: effect => network.perform(effect),
    },
    prng,
    note: ({ event }) => tally.add(event),
    after: spaceTimeOf(clock).after,
  })
  return {
    start: () => dialler.start(),
    want: effect => {
      if (effect.kind === 'want-parents') dialler.want(effect.count)
    },
    notice: input => {
      dialler.notice(input)
      return true
    },
    stop: () => dialler.close(),
  }
}

/** How long a node waits at most before it dials again. */
const redialMax: Duration = milliseconds(300)

/** Links that are dialled some time after they were lost, to a parent that is up. */
export class ChanceLinks implements ParentLinks {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #network: Network
  readonly #child: LinkPeer
  readonly #parents: readonly LinkPeer[]
  readonly #links = new Map<LinkId, LinkPeer>()
  #wanted = 1
  #isWaiting = false
  #isStopped = false

  constructor(options: ParentLinksOptions) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#network = options.network
    this.#child = options.child
    this.#parents = options.parents
  }

  start(): void {
    this.#fill()
  }

  want(effect: ParentEffect): void {
    if (effect.kind !== 'want-parents') return
    this.#wanted = effect.count
    for (const link of [...this.#links.keys()].slice(effect.count)) {
      this.#links.delete(link)
      const message = 'another parent serves this node'
      this.#network.perform({ kind: 'link-close', link, code: 'FANFOLD_MOVED', message })
    }
    this.#fill()
  }

  notice(input: LinkInput): boolean {
    if (input.kind === 'link-closed' && this.#links.delete(input.link)) this.#later()
    return true
  }

  stop(): void {
    this.#isStopped = true
  }

  #later(): void {
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#clock.in(this.#prng.below(redialMax) as Duration, () => {
      this.#isWaiting = false
      this.#fill()
    })
  }

  #fill(): void {
    if (this.#isStopped || this.#isWaiting) return
    while (this.#links.size < this.#wanted) {
      const connected = new Set(this.#links.values())
      const free = this.#parents.filter(parent => !connected.has(parent))
      const parent = free.find(one => one.isUp) ?? free[0]
      if (parent === undefined) return
      this.#links.set(this.#network.connect(this.#child, parent), parent)
    }
  }
}
