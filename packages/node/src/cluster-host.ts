/*
 * A node's part in a fleet that forms itself: the machine, the Redis where members meet, and what the roles of
 * the process are told of it. It begins when the node listens, so that nobody dials it too early.
 */
import { randomBytes } from 'node:crypto'
import { Prng } from '@fanfold/kernel'
import { protocolVersion } from '@fanfold/protocol'
import { createRedisCoordinator } from '@fanfold/redis'
import {
  allTenants,
  Cluster,
  type ClusterEffect,
  type ClusterFact,
  type ClusterInput,
  type Coordinator,
  type FleetView,
  type Member,
  type MemberChange,
  type MemberLoad,
  renewedForMsOf,
  shortFingerprint,
  type TenantRules,
} from '@fanfold/topology'
import { monotonicClock } from './clock.ts'
import type { Config } from './config.ts'
import { dialMember } from './dial-member.ts'
import { membersOptionsOf } from './fleet-agreement.ts'
import type { Log } from './logging.ts'
import { MachineDriver } from './machine-driver.ts'
import type { Metrics } from './metrics.ts'
import { PlacementDesk } from './placement-desk.ts'
import { PlacementLog } from './placement-log.ts'
import { redisAddressOf } from './redis-check.ts'
import { Seldom } from './seldom.ts'
import { version } from './version.ts'

/** Bytes of an incarnation: 32 hexadecimal digits. */
const incarnationBytes = 16
/** What is said again and again, at each heartbeat of another node, is logged once in so long, ms. */
const againAfterMs = 60_000

/** How a node takes part. */
export type ClusterHostOptions = {
  readonly config: Config
  /** The Redis where members meet. */
  readonly redis: string
  readonly fleet: FleetView
  /** Of what this node is set to where all must be alike. */
  readonly fingerprint: string
  /** Where other nodes dial this one. */
  readonly address: string
  readonly ceiling: number
  readonly log: Log
  readonly metrics: Metrics
  /** How busy the node is now. */
  readonly load: () => MemberLoad
  /** Shared state is in doubt: the process must end. */
  readonly fail: (error: unknown) => void
}

/** The node is one that must not run. */
export class NodeRefusedError extends Error {
  override readonly name = 'NodeRefusedError'
  readonly code: 'FANFOLD_NODE_CLONED'

  constructor(code: NodeRefusedError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** A node's part in the fleet. */
export class ClusterHost {
  /** Where operators' placements are asked for. */
  readonly desk: PlacementDesk
  readonly #options: ClusterHostOptions
  readonly #machine: Cluster
  readonly #driver: MachineDriver<ClusterInput, ClusterEffect>
  readonly #coordinator: Coordinator
  readonly #measuring: NodeJS.Timeout
  readonly #placementLog: PlacementLog
  readonly #seldom = new Seldom(againAfterMs, () => performance.now())
  #isLeaving = false

  constructor(options: ClusterHostOptions) {
    const { config, redis, fleet, fingerprint, address, ceiling, fail, log, metrics } = options
    const members = membersOptionsOf(config)
    this.#options = options
    this.#placementLog = new PlacementLog(log, metrics)
    const incarnation = randomBytes(incarnationBytes).toString('hex')
    this.#machine = new Cluster({
      self: {
        ...fleet.self,
        incarnation,
        address,
        publicAddress: undefined,
        weight: config.weight,
        ceiling,
        version,
        protocol: protocolVersion,
        fingerprint,
        isHotStandby: config.hotStandby,
        isDraining: false,
        tenants: tenantsOf(config),
        cutOffFrom: [],
      },
      members,
      renewedForMs: renewedForMsOf(members),
      startedAt: monotonicClock(),
      prng: new Prng(incarnation),
    })
    this.#driver = new MachineDriver<ClusterInput, ClusterEffect>({
      machine: this.#machine,
      perform: effect => this.#perform(effect),
      fail,
    })
    this.desk = new PlacementDesk({
      submit: input => this.#driver.submit(input),
      placement: () => this.#machine.placement,
      log,
    })
    this.#coordinator = createRedisCoordinator({
      address: redisAddressOf(config, redis),
      nodeId: fleet.self.node,
      keyPrefix: config.redis.keyPrefix,
      receive: input => this.#driver.submit(input),
      onFatal: fail,
    })
    const measure = (): void => this.#driver.submit({ kind: 'load-measured', load: options.load() })
    this.#measuring = setInterval(measure, members.heartbeatMs)
    measure()
  }

  /** How old what is known of the others is, ms, and whether nothing is decided by it now. */
  get state(): { readonly knownForMs: number | undefined; readonly isFrozen: boolean } {
    const { isFrozen } = this.#machine
    return { knownForMs: this.#machine.knownForMs(monotonicClock()), isFrozen }
  }

  /** Nodes that may not have heard yet of all that is placed as far as this node knows, itself included. */
  get behind(): readonly Member[] {
    return this.#machine.behind
  }

  /** Takes the tenants of another configuration, from when the others have heard of it. */
  reconfigure(config: Config): void {
    this.#driver.submit({ kind: 'self-changed', changes: { tenants: tenantsOf(config) } })
  }

  /** A connection to the node closed, or none came up: it may be dead. */
  peerLost(node: string): void {
    this.#driver.submit({ kind: 'peer-lost', node })
  }

  /** These nodes are alive and cannot be reached from here: another proxy of the region is to pull from them. */
  cutOff(nodes: readonly string[]): void {
    const line = { event: 'fleet.cut-off', members: nodes }
    const { log } = this.#options
    if (nodes.length > 0) log.warn(line, 'nodes that are alive cannot be reached from here')
    else log.info(line, 'all nodes that are alive can be reached from here again')
    this.#driver.submit({ kind: 'self-changed', changes: { cutOffFrom: nodes } })
  }

  /** The node is about to go: others take what is its own, where they can. */
  drain(): void {
    this.#driver.submit({ kind: 'self-changed', changes: { isDraining: true } })
  }

  /** The node goes, and says so to all. */
  async close(): Promise<void> {
    if (this.#isLeaving) return
    this.#isLeaving = true
    clearInterval(this.#measuring)
    this.#driver.submit({ kind: 'leave' })
    this.#driver.close()
    this.desk.close()
    await this.#coordinator.close()
  }

  #perform(effect: ClusterEffect): void {
    const { fleet, fail } = this.#options
    switch (effect.kind) {
      case 'coordinator-watch':
      case 'coordinator-announce':
      case 'coordinator-withdraw':
      case 'coordinator-place':
        this.#coordinator.perform(effect)
        return
      case 'view-changed':
        for (const change of effect.members) this.#noteMember(change)
        this.#placementLog.changed(effect)
        fleet.placed(effect.placement)
        this.#options.metrics.plain('members').set(fleet.members.length)
        this.#options.metrics.plain('members_differing').set(fleet.differing.length)
        if (effect.before === undefined) this.#options.metrics.plain('coordinator_up').set(1)
        return
      case 'certainty-changed':
        fleet.certain(effect.isSure)
        return
      case 'dial-member': {
        const { node, incarnation } = effect
        void dialMember(effect.address).then(outcome =>
          this.#driver.submit({ kind: 'member-dialled', node, incarnation, outcome }),
        )
        return
      }
      case 'node-refused':
        fail(new NodeRefusedError(effect.code, effect.message))
        return
      case 'placement-answered':
        this.desk.answered(effect)
        return
      case 'cluster-note':
        this.#note(effect.fact)
    }
  }

  #noteMember(change: MemberChange): void {
    const { log } = this.#options
    switch (change.kind) {
      case 'member-joined':
      case 'member-restarted': {
        const { node: member, region: memberRegion, roles, address } = change.member
        const fields = { member, memberRegion, roles, address }
        log.info({ event: `fleet.${change.kind}`, ...fields }, 'node in the fleet')
        return
      }
      case 'member-left': {
        const { member, why } = change
        log.warn({ event: 'fleet.member-left', member: member.node, why }, 'node left the fleet')
        return
      }
      case 'member-changed': {
        const { node: member, tenants } = change.member
        const { allow, deny } = tenants
        if (JSON.stringify(tenants) === JSON.stringify(change.before.tenants)) return
        const line = { event: 'fleet.member-tenants', member, allow, deny }
        log.info(line, 'node takes other tenants than before')
        return
      }
      default:
    }
  }

  #note(fact: ClusterFact): void {
    const { log, metrics } = this.#options
    const { event, ...fields } = fact
    // The line's own `node` is the one that says it.
    const { node: member, ...others } = { node: undefined, ...fields }
    const line = { event: `fleet.${event}`, member, ...others }
    switch (event) {
      case 'coordinator-lost':
        metrics.plain('coordinator_up').set(0)
        log.error(line, 'where members meet is not reached: the tree stays as it is')
        return
      case 'coordinator-found':
        metrics.plain('coordinator_up').set(1)
        log.info(line, 'where members meet is reached again')
        return
      case 'view-thawed':
        log.info(line, 'what is known of the fleet is good again')
        return
      case 'self-agrees':
        log.info(line, 'this node is set as the fleet is again')
        return
      case 'self-differs':
        log.error(
          { ...line, ...shownPrints(fact) },
          'this node is set otherwise than the fleet, and has no part in it: set it as the others are, and restart it',
        )
        return
      case 'member-differs':
        log.error(
          { ...line, ...shownPrints(fact) },
          'a node is set otherwise than the fleet, and has no part in it: set it as the others are, and restart it',
        )
        return
      case 'view-frozen':
        log.warn(line, 'what is known of the fleet may be old: nobody is taken for dead')
        return
      default:
        if (this.#seldom.isDue(JSON.stringify(line))) log.error(line, 'trouble in the fleet')
    }
  }
}

/** Which tenants a node announces to take: who commits to nothing has none to refuse. */
const tenantsOf = ({ roles, tenants }: Config): TenantRules =>
  roles.includes('authority') ? { allow: tenants.allow, deny: tenants.deny } : allTenants

const shownPrints = (prints: {
  readonly fingerprint: string
  readonly fleetFingerprint: string
}): object => ({
  fingerprint: shortFingerprint(prints.fingerprint),
  fleetFingerprint: shortFingerprint(prints.fleetFingerprint),
})
