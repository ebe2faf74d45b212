import { type Duration, milliseconds, type Prng } from '@fanfold/kernel'
import type { LinkId, LinkInput } from '@fanfold/protocol'
import type { LinkPeer, Network } from './network.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** How long a node waits at most before it dials again. */
const redialMax: Duration = milliseconds(300)

/**
 * Keeps a node's links to its parents, as many as it wants: the simulator's counterpart of a dialler.
 */
export class ParentLinks {
  readonly #clock: VirtualClock
  readonly #prng: Prng
  readonly #network: Network
  readonly #child: LinkPeer
  /** In order of preference. */
  readonly #parents: readonly LinkPeer[]
  readonly #links = new Map<LinkId, LinkPeer>()
  #wanted = 1
  #isWaiting = false
  #isStopped = false

  constructor(options: {
    readonly clock: VirtualClock
    readonly prng: Prng
    readonly network: Network
    readonly child: LinkPeer
    readonly parents: readonly LinkPeer[]
  }) {
    this.#clock = options.clock
    this.#prng = options.prng
    this.#network = options.network
    this.#child = options.child
    this.#parents = options.parents
  }

  /** Dials from now on. */
  start(): void {
    this.#fill()
  }

  /** So many links from now on; of too many the newest ones are closed. */
  want(count: number): void {
    this.#wanted = count
    for (const link of [...this.#links.keys()].slice(count)) {
      this.#links.delete(link)
      const message = 'another parent serves this node'
      this.#network.perform({ kind: 'link-close', link, code: 'FANFOLD_MOVED', message })
    }
    this.#fill()
  }

  /** Sees what happens on links before the node does. */
  notice(input: LinkInput): void {
    if (input.kind !== 'link-closed' || !this.#links.delete(input.link)) return
    this.#later()
  }

  /** Dials no more. */
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
