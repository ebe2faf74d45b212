import type { Prng } from '@fanfold/kernel'
import type { ErrorCode, LinkInput } from '@fanfold/protocol'
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
import type { Metrics } from './metrics.ts'
import type { RoleLinks } from './role-links.ts'

/** What the links of a role to other nodes are made of. */
export type FleetLinksOptions = {
  readonly fleet: FleetView
  readonly links: Pick<RoleLinks, 'dial' | 'perform'>
  /** What the nodes are to this one, for its log. */
  readonly what: 'parent' | 'peer'
  readonly prng: Prng
  readonly log: Log
  readonly metrics: Metrics
  /** Tells the role. */
  readonly report: (input: RouteInput) => void
  /** A node that was connected, or should have been, is not: it may be dead. */
  readonly lost: (node: string) => void
  /** These nodes are alive and cannot be reached from here, and no others. */
  readonly cutOff: (nodes: readonly string[]) => void
  /** Shared state is in doubt: the process must end. */
  readonly fail: (error: unknown) => void
}

/** What the reason begins with when a link is refused as the nodes are set differently. */
const differs: ErrorCode = 'FANFOLD_VIEW_DIFFERS'

/** Events of the log, by what a node is to this one. */
const words = {
  parent: { connected: 'link.parent-connected', lost: 'link.parent-lost' },
  peer: { connected: 'link.peer-connected', lost: 'link.peer-lost' },
} as const

/** What a role needs of the fleet that its process is part of. */
export type FleetPlace = Pick<FleetLinksOptions, 'fleet' | 'lost' | 'cutOff'>

/** Keeps the links of a role to the nodes that its documents are had from, by who serves what. */
export class FleetLinks {
  readonly #options: FleetLinksOptions
  readonly #dialler: NodeDialler
  readonly #driver: MachineDriver<NodeDiallerInput, NodeDiallerEffect>

  constructor(options: FleetLinksOptions) {
    const { fleet, prng, report, fail } = options
    this.#options = options
    this.#dialler = new NodeDialler({
      whereIs: fleet.whereIs,
      isIt: fleet.isIt,
      breaker: linkBreakerOptions,
      lingerMs: nodeLingerMsDefault,
      prng,
    })
    this.#driver = new MachineDriver<NodeDiallerInput, NodeDiallerEffect>({
      machine: this.#dialler,
      perform: effect => this.#perform(effect),
      fail,
    })
    fleet.onPlaced(() => {
      report({ kind: 'routes-changed' })
      this.#driver.submit({ kind: 'addresses-changed' })
    })
  }

  /** Nodes that are dialled, and how that goes. */
  get nodes(): NodeDialler['nodes'] {
    return this.#dialler.nodes
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
    const wasStranger = this.#dialler.isStranger(link)
    if (kind === 'link-opened' || kind === 'link-closed') this.#driver.submit(input)
    return !wasStranger && !this.#dialler.isStranger(link)
  }

  /** Dials no more; links that are there stay. */
  close(): void {
    this.#driver.close()
  }

  #perform(effect: NodeDiallerEffect): void {
    const { links, what, report, log, lost, cutOff } = this.#options
    switch (effect.kind) {
      case 'dial-node': {
        const { node, address } = effect
        this.#driver.submit({ kind: 'node-dialled', node, link: links.dial(address) })
        return
      }
      case 'link-close':
        links.perform(effect)
        return
      case 'node-unreachable':
        report(effect)
        return
      case 'cut-off-changed':
        cutOff(effect.nodes)
        return
      case 'node-noted': {
        const { node, reason } = effect
        if (effect.event === 'node-connected') {
          log.info({ event: words[what].connected, peer: node }, `${what} connected`)
          return
        }
        // Of a peer that is set otherwise more is said, and seldom, where that is found.
        const isTold = reason.startsWith(differs)
        const level = isTold ? 'debug' : 'warn'
        log[level]({ event: words[what].lost, peer: node, reason }, `no link to ${what}`)
        if (effect.event === 'node-not-reached') {
          this.#options.metrics.labelled('link_requests_total', node, 'unreachable').inc()
        }
        lost(node)
      }
    }
  }
}
