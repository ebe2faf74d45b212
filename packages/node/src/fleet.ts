/*
 * What makes a process part of a fleet whose nodes meet in a Redis: looked at before anything starts, joined
 * when the process listens, left when it ends.
 */
import { assert } from '@fanfold/kernel'
import type { PeerIdentity } from '@fanfold/protocol'
import {
  defaultFanOutOptions,
  FleetView,
  type MemberLoad,
  type NodeRole,
  shortFingerprint,
} from '@fanfold/topology'
import type { NodeStanding } from './admin-routes.ts'
import { ClusterHost } from './cluster-host.ts'
import type { Config } from './config.ts'
import { ConfigError, type ConfigProblem } from './config-error.ts'
import type { FleetAgreement } from './fleet-agreement.ts'
import type { FleetPlace } from './fleet-links.ts'
import type { PlacingSource } from './place-answer.ts'
import type { PlacementOutcome } from './placement-desk.ts'
import type { ProcessContext } from './process-context.ts'
import { checkCoordinator } from './redis-check.ts'
import { servedCertificateOf } from './served-certificate.ts'
import { untilView } from './until-view.ts'

/** Others have heard by then that a node is about to go, or it goes without, ms. */
const drainHeardWithinMs = 1_000

const notJoined: PlacementOutcome = {
  kind: 'refused',
  code: 'FANFOLD_COORDINATOR_UNREACHABLE',
  message: 'the node is not part of the fleet yet: ask again in a moment',
}

/** A process that is, or is to be, part of a fleet. */
export class Fleet {
  readonly view: FleetView
  readonly #context: ProcessContext
  readonly #redis: string
  readonly #ceiling: number
  readonly #agreement: FleetAgreement
  #cluster: ClusterHost | undefined

  private constructor(context: ProcessContext, redis: string, identity: Identity) {
    const { node, region, ceiling } = identity
    const { agreement } = context
    assert(agreement !== undefined, 'a node of a fleet says what it is set to')
    this.#context = context
    this.#redis = redis
    this.#ceiling = ceiling
    this.#agreement = agreement
    const { roles, limits } = context.config
    const fanOut = {
      ...defaultFanOutOptions,
      childrenMax: limits.treeChildrenMax,
      bytesPerSecondMax: limits.treeBytesPerSecondMax,
    }
    this.view = new FleetView({ node, region, roles }, fanOut)
  }

  /**
   * Gets ready for the fleet that the configuration names; undefined when it names none.
   *
   * @throws ConfigError when the link token is another node's; CoordinatorError when the Redis is not there, or not fit
   */
  static async prepare(context: ProcessContext): Promise<Fleet | undefined> {
    const { config, authenticator, log } = context
    const { url } = config.redis
    if (url === undefined) return undefined
    assert(authenticator !== undefined, 'a node of a fleet has a link token')
    const { identity } = await authenticator.verify(authenticator.token())
    const problems = identityProblems(config, identity)
    if (problems.length > 0) throw new ConfigError(problems)
    await checkCoordinator(config, url, log)
    return new Fleet(context, url, identity)
  }

  /** What a role needs of the fleet. */
  get place(): FleetPlace {
    return {
      fleet: this.view,
      lost: node => this.#cluster?.peerLost(node),
      cutOff: nodes => this.#cluster?.cutOff(nodes),
    }
  }

  /** Why the node is not ready. */
  notReady(): readonly string[] {
    const { placement, differing, self } = this.view
    if (placement === undefined) return ['who else is in the fleet is not known yet']
    return differing.includes(self.node)
      ? ['it is set otherwise than the fleet, and has no part in it']
      : []
  }

  /** What the node is part of; at hand. */
  get standing(): NodeStanding {
    const fingerprint = shortFingerprint(this.#agreement.fingerprint)
    return { mode: 'fleet', members: this.view.placement?.count ?? 0, fingerprint }
  }

  /** What is known of the fleet, for whoever looks at the node. */
  get topology(): unknown {
    const { members, differing, placement } = this.view
    const fleetFingerprint = placement?.fingerprint
    return {
      ...this.#cluster?.state,
      fingerprint: shortFingerprint(this.#agreement.fingerprint),
      fleetFingerprint: fleetFingerprint && shortFingerprint(fleetFingerprint),
      members: members.map(member => {
        const { node, region, roles, address, isDraining, fingerprint, load } = member
        const isDiffering = differing.includes(node)
        const shown = { node, region, roles, address, isDraining, isDiffering }
        return { ...shown, fingerprint: shortFingerprint(fingerprint), load }
      }),
    }
  }

  /** What operators ask of placements here. */
  get placing(): Omit<PlacingSource, 'isLive' | 'quotaUse'> {
    const cluster = this.#cluster
    return {
      node: this.view.self.node,
      placement: this.view.placement,
      behind: cluster?.behind ?? [],
      state: cluster?.state ?? { knownForMs: undefined, isFrozen: true },
      ask: async change => (await cluster?.desk.ask(change)) ?? notJoined,
    }
  }

  /** Takes of a configuration what may change while the node runs. */
  reconfigure(config: Config): void {
    this.#cluster?.reconfigure(config)
  }

  /** Tells the others that the node is there, at this port where nothing else is said. */
  join(port: number, load: () => MemberLoad): void {
    const { config, log, metrics, fail } = this.#context
    this.#cluster = new ClusterHost({
      config,
      redis: this.#redis,
      fleet: this.view,
      address: config.advertise ?? addressOf(config, port),
      ceiling: this.#ceiling,
      fingerprint: this.#agreement.fingerprint,
      load,
      log,
      metrics,
      fail,
    })
  }

  /**
   * The node is about to go: resolves when others have heard of it, and take what was its own, or could have. Until
   * then it goes on as before.
   */
  async drain(): Promise<void> {
    if (this.#cluster === undefined) return
    this.#cluster.drain()
    const { node } = this.view.self
    // It hears of itself about when the others do: each reads every half a second.
    const isHeard = (): boolean => this.view.placement?.member(node)?.isDraining === true
    await untilView(this.view, isHeard, drainHeardWithinMs)
  }

  /** The node goes. */
  async leave(): Promise<void> {
    await this.#cluster?.close()
  }
}

type Identity = Omit<PeerIdentity, 'incarnation'>

/** Where a node is reached that says nothing else: at what it listens on, as it speaks there. */
function addressOf(config: Config, port: number): string {
  const scheme = servedCertificateOf(config) === undefined ? 'ws' : 'wss'
  const { host } = config
  // An address of version 6 stands in brackets in a URL.
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The token says who the node is, to others too: the configuration says nothing else. */
function identityProblems(config: Config, identity: Identity): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const must = (holds: boolean, place: string, message: string): void => {
    if (!holds) problems.push({ place, message })
  }
  const { node, region } = identity
  must(config.node.id === node, 'node.id', `is ${config.node.id}, and the link token is of ${node}`)
  must(config.region === region, 'region', `is ${config.region}, and the link token says ${region}`)
  const missing = config.roles.filter((role: NodeRole) => !identity.roles.includes(role))
  const isAll = missing.length === 0
  must(isAll, 'roles', `the link token allows ${identity.roles}, and not ${missing}`)
  return problems
}
