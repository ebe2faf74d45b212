/*
 * One process's part in the fleet of a world: the machine that a node has for it, its coordinator, and what the
 * roles of the process are told.
 */
import { between, type Duration, type Instant, milliseconds, type Prng } from '@fanfold/kernel'
import { protocolVersion } from '@fanfold/protocol'
import {
  allTenants,
  Cluster,
  type ClusterEffect,
  type ClusterInput,
  type CoordinationSpace,
  defaultFanOutOptions,
  defaultMembersOptions,
  type FanOutOptions,
  FleetView,
  type NodeRole,
  type OwnMember,
  renewedForMsOf,
} from '@fanfold/topology'
import type { Membership } from './membership.ts'
import type { NodeDriver } from './node-driver.ts'
import type { NodeFact, NodeMaker } from './node-maker.ts'
import type { ProbeOutcome } from './node-probe.ts'
import { SimulatedCoordinator } from './simulated-coordinator.ts'
import type { TreeNode } from './tree-node.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** How long the last word of a process has to arrive, ms. */
const lastWordMs = 100

/** What a process has said the others have heard by then, be it that they were about to give it up. */
const longSure: Duration = milliseconds(1_000)

/** What a part in a fleet is made of. */
export type FleetMemberOptions = {
  readonly node: TreeNode
  readonly role: NodeRole
  readonly clock: VirtualClock
  readonly prng: Prng
  readonly space: CoordinationSpace
  readonly maker: NodeMaker
  /** Nodes that have one document from a proxy. */
  readonly treeChildrenMax: number
  /** Bytes per second that a proxy sends of documents. */
  readonly treeBytesPerSecondMax: number
  /** It follows what it is next to take over. */
  readonly isHotStandby: boolean
  /** Whether the node reaches the space when it starts. */
  readonly isAway: boolean
  /** Looks whether a node listens. */
  readonly probe: (node: string, tell: (outcome: ProbeOutcome) => void) => void
  readonly note: (fact: NodeFact) => void
  /** A node was taken for dead because nothing was heard of it. */
  readonly gaveUp: (node: string) => void
}

/** Tiers that are of no use any more go soon: worlds are short. */
const fanOut: FanOutOptions = { ...defaultFanOutOptions, collapseAfterMs: 2_000 }

/** A process's part in the fleet. */
export class FleetMember implements Membership {
  readonly view: FleetView
  readonly #machine: Cluster
  readonly #driver: NodeDriver<ClusterInput, ClusterEffect>
  readonly #coordinator: SimulatedCoordinator
  readonly #options: FleetMemberOptions
  /** By its own clock; undefined while it is not sure that the others see it. */
  #sureSince: Instant | undefined

  constructor(options: FleetMemberOptions) {
    const { node, role, clock, prng, space, maker, isAway } = options
    const { identity, processor, incarnation } = node
    this.#options = options
    const place = { node: node.name, region: identity.region, roles: [role] }
    this.view = new FleetView(place, {
      ...fanOut,
      childrenMax: options.treeChildrenMax,
      bytesPerSecondMax: options.treeBytesPerSecondMax,
    })
    const self: OwnMember = {
      node: node.name,
      incarnation: incarnationOf(node.name, incarnation),
      region: identity.region,
      roles: [role],
      address: `ws://${node.name}:9600`,
      publicAddress: undefined,
      weight: 1,
      ceiling: identity.ceiling,
      version: '0',
      protocol: protocolVersion,
      fingerprint: '0'.repeat(64),
      isHotStandby: options.isHotStandby,
      isDraining: false,
      tenants: allTenants,
      cutOffFrom: [],
    }
    this.#machine = new Cluster({
      self,
      members: defaultMembersOptions,
      renewedForMs: renewedForMsOf(defaultMembersOptions),
      startedAt: node.time.now,
      prng: prng.fork('cluster'),
    })
    this.#driver = maker.drive<ClusterInput, ClusterEffect>(node, this.#machine, effect =>
      this.#perform(effect),
    )
    this.#coordinator = new SimulatedCoordinator({
      clock,
      prng: prng.fork('coordinator'),
      space,
      receive: input => processor.do(() => this.#driver.receive(input)),
    })
    this.setAway(isAway)
    const load = { documents: 0, viewers: 0, children: 0, bytesPerSecond: 0 }
    this.#driver.receive({ kind: 'load-measured', load })
  }

  get isSettled(): boolean {
    return !this.#machine.isFrozen && this.view.owners.stall === undefined
  }

  get isLongSure(): boolean {
    const { time, processor } = this.#options.node
    if (this.#sureSince === undefined || processor.isDelaying) return false
    return this.#machine.isSure(time.now) && between(this.#sureSince, time.now) >= longSure
  }

  lost(node: string): void {
    this.#later({ kind: 'peer-lost', node })
  }

  cutOff(nodes: readonly string[]): void {
    const { role, note } = this.#options
    // Nobody is sent to an edge for documents.
    if (role !== 'proxy') return
    note({ event: nodes.length > 0 ? 'cut off from a node' : 'cut off from nobody' })
    this.#later({ kind: 'self-changed', changes: { cutOffFrom: nodes } })
  }

  setAway(isAway: boolean): void {
    this.#coordinator.setAway(isAway)
  }

  drain(): void {
    this.#driver.receive({ kind: 'self-changed', changes: { isDraining: true } })
  }

  leave(): void {
    this.#driver.receive({ kind: 'leave' })
    this.#driver.stop()
    // What it said last is still on its way.
    this.#options.clock.in(milliseconds(lastWordMs), () => this.#coordinator.stop())
  }

  stop(): void {
    this.#driver.stop()
    this.#coordinator.stop()
  }

  /** What other parts of the process say: the machine may be amid a turn. */
  #later(input: ClusterInput): void {
    const { clock, node } = this.#options
    const { processor } = node
    clock.at(clock.now, () => processor.do(() => this.#driver.receive(input)))
  }

  #perform(effect: ClusterEffect): void {
    const { probe, note, gaveUp } = this.#options
    switch (effect.kind) {
      case 'coordinator-watch':
      case 'coordinator-announce':
      case 'coordinator-withdraw':
      case 'coordinator-place':
        this.#coordinator.perform(effect)
        return
      case 'view-changed':
        for (const change of effect.members) {
          const why = change.kind === 'member-left' ? change.why : undefined
          note({ event: change.kind, ...(why !== undefined && { reason: why }) })
          if (change.kind === 'member-left' && why === 'silent') gaveUp(change.member.node)
        }
        this.view.placed(effect.placement)
        return
      case 'certainty-changed':
        note({ event: effect.isSure ? 'node is sure' : 'node is not sure' })
        this.#sureSince = effect.isSure ? this.#options.node.time.now : undefined
        this.view.certain(effect.isSure)
        return
      case 'dial-member': {
        const { node, incarnation } = effect
        const { processor } = this.#options.node
        probe(node, outcome =>
          processor.do(() =>
            this.#driver.receive({ kind: 'member-dialled', node, incarnation, outcome }),
          ),
        )
        return
      }
      case 'node-refused':
        note({ event: effect.kind })
        return
      case 'placement-answered':
        // Nobody places anything here.
        return
      case 'cluster-note':
        note({ event: effect.fact.event })
    }
  }
}

/** Of a process: 32 hexadecimal digits, which name the node and count its lives. */
function incarnationOf(node: string, life: number): string {
  let name = ''
  for (let index = 0; index < node.length; index++) name += node.charCodeAt(index).toString(16)
  return `${name}${life.toString(16).padStart(4, '0')}`.padStart(32, '0')
}
