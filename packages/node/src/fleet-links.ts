import type { Prng } from '@fanfold/kernel'
import type { LinkId, LinkInput } from '@fanfold/protocol'
import type { ParentEffect, RouteInput } from '@fanfold/replication'
import {
  type FleetView,
  linkBreakerOptions,
  NodeDialler,
  type NodeDiallerEffect,
  type NodeDiallerInput,
  nodeLingerMsDefault,
} from '@fanfold/topology'
import type { Log } from './logging.ts'
import { MachineDriver } from './machine-driver.ts'
import type { RoleLinks } from './role-links.ts'

/** What the links of a role to other nodes are made of. */
export type FleetLinksOptions = {
  readonly fleet: FleetView
  readonly links: RoleLinks
  readonly prng: Prng
  readonly log: Log
  /** Tells the role. */
  readonly report: (input: RouteInput) => void
  /** A node that was connected, or should have been, is not: it may be dead. */
  readonly lost: (node: string) => void
  /** Shared state is in doubt: the process must end. */
  readonly fail: (error: unknown) => void
}

/** Keeps the links of a role to the nodes that its documents are had from, by who serves what. */
export class FleetLinks {
  readonly #options: FleetLinksOptions
  readonly #driver: MachineDriver<NodeDiallerInput, NodeDiallerEffect>
  /** The link that opens now. */
  #opening: LinkId | undefined
  /** Links to who is not the node that was dialled: they are closed, and the role never hears of them. */
  readonly #strangers = new Set<LinkId>()

  constructor(options: FleetLinksOptions) {
    const { fleet, prng, report, fail } = options
    this.#options = options
    this.#driver = new MachineDriver<NodeDiallerInput, NodeDiallerEffect>({
      machine: new NodeDialler({
        whereIs: fleet.whereIs,
        isIt: fleet.isIt,
        breaker: linkBreakerOptions,
        lingerMs: nodeLingerMsDefault,
        prng,
      }),
      perform: effect => this.#perform(effect),
      fail,
    })
    fleet.onPlaced(() => {
      report({ kind: 'routes-changed' })
      this.#driver.submit({ kind: 'addresses-changed' })
    })
  }

  /** Keeps links to these nodes from now on; what this process has itself is connected already. */
  want(effect: ParentEffect): void {
    if (effect.kind !== 'want-nodes') return
    const { node: self } = this.#options.fleet.self
    const nodes = effect.nodes.filter(node => node !== self)
    this.#driver.submit({ kind: 'want-nodes', nodes })
  }

  /** Sees what happens on links before the role does; false where that is not for the role. */
  notice(input: LinkInput): boolean {
    const { kind, link } = input
    if (kind === 'link-opened') {
      this.#opening = link
      this.#driver.submit(input)
      this.#opening = undefined
    } else if (kind === 'link-closed') {
      this.#driver.submit(input)
      return !this.#strangers.delete(link)
    }
    return !this.#strangers.has(link)
  }

  /** Dials no more; links that are there stay. */
  close(): void {
    this.#driver.close()
  }

  #perform(effect: NodeDiallerEffect): void {
    const { links, report, log, lost } = this.#options
    switch (effect.kind) {
      case 'dial-node': {
        const { node, address } = effect
        this.#driver.submit({ kind: 'node-dialled', node, link: links.dial(address) })
        return
      }
      case 'link-close':
        if (effect.link === this.#opening) this.#strangers.add(effect.link)
        links.perform(effect)
        return
      case 'node-unreachable':
        report(effect)
        return
      case 'node-noted': {
        const { node, reason } = effect
        if (effect.event === 'node-connected') {
          log.info({ event: 'link.parent-connected', peer: node }, 'parent connected')
          return
        }
        log.warn({ event: 'link.parent-lost', peer: node, reason }, 'no link to parent')
        lost(node)
      }
    }
  }
}
