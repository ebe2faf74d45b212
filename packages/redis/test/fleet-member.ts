/* A node's part in a fleet, driven in real time over a coordinator on Redis, as a process drives it. */

import { type Instant, instant, Prng } from '@fanfold/kernel'
import {
  allTenants,
  Cluster,
  type ClusterEffect,
  type ClusterFact,
  type ClusterInput,
  type Coordinator,
} from '@fanfold/topology'
import type { Test } from 'tap'
import { createRedisCoordinator } from '../src/redis-coordinator.ts'
import type { CoordinatorOptions } from './coordinator-rig.ts'

const members = { heartbeatMs: 200, memberDeadAfterMs: 3_000, membersMax: 100 }

const nowOf = (): Instant => instant(performance.now() * 1_000)

/** A member that lives as long as its test. */
export class FleetMember {
  readonly cluster: Cluster
  /** All that it did, in order. */
  readonly effects: ClusterEffect[] = []
  readonly #coordinator: Coordinator
  #timer: NodeJS.Timeout | undefined

  constructor(t: Test, node: string, options: CoordinatorOptions) {
    this.cluster = new Cluster({
      self: {
        node,
        incarnation: `${node.charCodeAt(0)}`.padStart(32, '0'),
        region: 'eu',
        roles: ['authority'],
        address: `ws://${node}:9600`,
        publicAddress: undefined,
        weight: 1,
        ceiling: 255,
        version: '0.1.0',
        protocol: 1,
        fingerprint: '0'.repeat(64),
        isHotStandby: false,
        isDraining: false,
        tenants: allTenants,
        cutOffFrom: [],
      },
      members,
      renewedForMs: 2_000,
      startedAt: nowOf(),
      prng: new Prng(node),
    })
    this.#coordinator = createRedisCoordinator({
      nodeId: node,
      onFatal: error => t.fail('nothing is fatal', { error }),
      ...options,
      receive: input => this.give(input),
    })
    t.teardown(async () => {
      clearTimeout(this.#timer)
      await this.#coordinator.close()
      clearTimeout(this.#timer)
    })
    this.#step(() => undefined)
  }

  /** Facts that it told, by name. */
  get events(): ClusterFact['event'][] {
    return this.effects.flatMap(effect =>
      effect.kind === 'cluster-note' ? [effect.fact.event] : [],
    )
  }

  /** Nodes that it takes to be alive. */
  get alive(): string {
    const nodes = [...(this.cluster.placement?.members ?? [])].map(({ node }) => node)
    return nodes.toSorted().join(' ')
  }

  /** Nodes that it ever took to have gone. */
  get left(): string[] {
    const changes = this.effects.flatMap(effect =>
      effect.kind === 'view-changed' ? effect.members : [],
    )
    return changes.flatMap(change => (change.kind === 'member-left' ? [change.member.node] : []))
  }

  /** Where a tenant is placed, as it knows. */
  placedOn(subject: string): string | undefined {
    const entries = [...(this.cluster.placement?.entries ?? [])]
    return entries.find(entry => entry.subject === subject)?.node
  }

  /** Something happens to it. */
  give(input: ClusterInput): void {
    this.#step((now, effects) => this.cluster.receive(input, now, effects))
  }

  #step(take: (now: Instant, effects: ClusterEffect[]) => void): void {
    const effects: ClusterEffect[] = []
    const now = nowOf()
    take(now, effects)
    this.cluster.tick(now, effects)
    this.effects.push(...effects)
    for (const effect of effects) {
      switch (effect.kind) {
        case 'coordinator-watch':
        case 'coordinator-announce':
        case 'coordinator-withdraw':
        case 'coordinator-place':
          this.#coordinator.perform(effect)
      }
    }
    clearTimeout(this.#timer)
    const wakeAt = this.cluster.wakeAt()
    if (wakeAt === undefined) return
    const delayMs = Math.max(1, Math.ceil((wakeAt - nowOf()) / 1_000))
    this.#timer = setTimeout(() => this.#step(() => undefined), delayMs)
  }
}
