/*
 * An authority's links to the others. Looks at trees go over them, and which documents are in use for who stands by;
 * no document does. One that closes is how the others learn at once that a process is gone, which they would else
 * know by its silence.
 */
import { randomBytes } from 'node:crypto'
import { Prng } from '@fanfold/kernel'
import type { LinkId, LinkInput } from '@fanfold/protocol'
import { FleetLinks, type FleetPlace } from './fleet-links.ts'
import type { Log } from './logging.ts'
import type { Metrics } from './metrics.ts'
import type { RoleLinks } from './role-links.ts'

/** Authorities that one keeps links to at most: those that come next by name. Of others their silence tells. */
const peersMax = 32

/** Links to other authorities. */
export class PeerLinks {
  readonly #place: FleetPlace
  readonly #fleet: FleetLinks
  /** Links that were dialled for this, until they are closed. */
  readonly #own = new Set<LinkId>()

  constructor(options: {
    readonly place: FleetPlace
    readonly links: () => Pick<RoleLinks, 'dial' | 'perform'>
    readonly log: Log
    readonly metrics: Metrics
    /** Shared state is in doubt: the process must end. */
    readonly fail: (error: unknown) => void
  }) {
    const { place, links, log, metrics, fail } = options
    this.#place = place
    this.#fleet = new FleetLinks({
      ...place,
      links: {
        dial: address => {
          const link = links().dial(address)
          if (link !== undefined) this.#own.add(link)
          return link
        },
        perform: effect => links().perform(effect),
      },
      what: 'peer',
      // Nobody has documents from here by these links.
      report: () => undefined,
      cutOff: () => undefined,
      prng: new Prng(randomBytes(8).toString('hex')),
      log,
      metrics,
      fail,
    })
    place.fleet.onPlaced(() => this.#want())
  }

  /** Sees what happens on links before the role does; false where that is not for the role. */
  notice(input: LinkInput): boolean {
    if (!this.#own.has(input.link)) return true
    if (input.kind === 'link-closed') this.#own.delete(input.link)
    return this.#fleet.notice(input)
  }

  /** Authorities that are dialled, and how that goes. */
  get dialled(): FleetLinks['nodes'] {
    return this.#fleet.nodes
  }

  close(): void {
    this.#fleet.close()
  }

  #want(): void {
    const { fleet } = this.#place
    this.#fleet.want({ kind: 'want-nodes', nodes: fleet.peersOf('authority', peersMax) })
  }
}
