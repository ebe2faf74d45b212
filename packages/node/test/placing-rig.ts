/* Nodes of a fleet that meet inside the test: their part in the fleet, and the desk where placements are asked for. */
import { Prng } from '@fanfold/kernel'
import {
  allTenants,
  Cluster,
  type ClusterEffect,
  type ClusterInput,
  CoordinationSpace,
  defaultMembersOptions,
  type Member,
  type OwnMember,
  type PlacementEntry,
  renewedForMsOf,
  type SpaceLimits,
} from '@fanfold/topology'
import type { Test } from 'tap'
import { monotonicClock } from '../src/clock.ts'
import type { Log, LogFields } from '../src/logging.ts'
import { MachineDriver } from '../src/machine-driver.ts'
import { Metrics } from '../src/metrics.ts'
import type { PlacingSource } from '../src/place-answer.ts'
import { PlacementDesk } from '../src/placement-desk.ts'
import { PlacementLog } from '../src/placement-log.ts'
import { until } from './hostile-rig.ts'
import { silent } from './start-rig.ts'

/** A member as it was heard, an authority that takes all unless something else is said. */
export const memberOf = (node: string, overrides: Partial<Member> = {}): Member => ({
  node,
  incarnation: Buffer.from(node).toString('hex').padStart(32, '0'),
  upMs: 0,
  region: 'eu',
  roles: ['authority'],
  address: `ws://${node}:9600`,
  publicAddress: undefined,
  weight: 1,
  load: { documents: 0, viewers: 0, children: 0, bytesPerSecond: 0 },
  ceiling: 255,
  version: '0.1.0',
  protocol: 1,
  fingerprint: '0'.repeat(64),
  isHotStandby: false,
  isDraining: false,
  tenants: allTenants,
  cutOffFrom: [],
  ...overrides,
})

/** What an operator has said of a tenant: that it is `a`'s. */
export const entryOf = (overrides: Partial<PlacementEntry> = {}): PlacementEntry => ({
  subject: 'acme',
  version: 1,
  epoch: 1,
  node: 'a',
  state: 'active',
  to: undefined,
  quota: undefined,
  who: 'operator',
  why: 'test',
  atMs: 0,
  ...overrides,
})

/** Where the nodes of a test meet. */
export function openSpace(limits: Partial<SpaceLimits> = {}): CoordinationSpace {
  return new CoordinationSpace({
    limits,
    time: {
      now: monotonicClock,
      after: (delayMs, task) => {
        const timer = setTimeout(task, delayMs)
        return () => clearTimeout(timer)
      },
    },
  })
}

/** One node, which ends with the test. */
export class PlacingNode {
  readonly machine: Cluster
  readonly desk: PlacementDesk
  /** What it has logged. */
  readonly lines: LogFields[] = []
  readonly metrics = new Metrics({ version: '0', region: 'eu', isProcessCollected: false })
  readonly #driver: MachineDriver<ClusterInput, ClusterEffect>

  private constructor(
    t: Test,
    space: CoordinationSpace,
    node: string,
    overrides: Partial<OwnMember>,
  ) {
    const keep = (fields: LogFields): void => void this.lines.push(fields)
    const log: Log = { ...silent, info: keep, warn: keep }
    const placementLog = new PlacementLog(log, this.metrics)
    const { upMs: _upMs, load, placementsHeard: _heard, ...self } = memberOf(node, overrides)
    this.machine = new Cluster({
      self,
      members: defaultMembersOptions,
      renewedForMs: renewedForMsOf(defaultMembersOptions),
      startedAt: monotonicClock(),
      prng: new Prng(node),
    })
    this.#driver = new MachineDriver<ClusterInput, ClusterEffect>({
      machine: this.machine,
      perform: effect => {
        if (effect.kind === 'view-changed') placementLog.changed(effect)
        else if (effect.kind === 'placement-answered') this.desk.answered(effect)
        else if (isForCoordinator(effect)) coordinator.perform(effect)
      },
      fail: error => t.fail('the machine fails', { error }),
    })
    const coordinator = space.open(input => this.#driver.submit(input))
    this.desk = new PlacementDesk({
      submit: input => this.#driver.submit(input),
      placement: () => this.machine.placement,
      log,
    })
    t.teardown(async () => {
      this.#driver.close()
      this.desk.close()
      await coordinator.close()
    })
    this.give({ kind: 'load-measured', load })
  }

  /** Starts nodes, and waits until all know each other. */
  static async startAll(
    t: Test,
    space: CoordinationSpace,
    nodes: Readonly<Record<string, Partial<OwnMember>>>,
  ): Promise<PlacingNode[]> {
    const names = Object.keys(nodes)
    const started = Object.entries(nodes).map(
      ([name, overrides]) => new PlacingNode(t, space, name, overrides),
    )
    const knows = ({ machine }: PlacingNode): boolean =>
      [...(machine.placement?.members ?? [])].length === names.length
    await until(() => started.every(knows), 'all nodes know each other')
    return started
  }

  /** Something happens to it. */
  give(input: ClusterInput): void {
    this.#driver.submit(input)
  }

  /** What is asked of it about placements. */
  get source(): PlacingSource {
    return {
      node: 'here',
      placement: this.machine.placement,
      behind: this.machine.behind,
      state: { knownForMs: 7, isFrozen: this.machine.isFrozen },
      isLive: (_doc, owner) => (owner === 'a' ? true : undefined),
      quotaUse: tenant => {
        const whole = this.machine.placement?.quotaOf(tenant)
        const used = { documents: 0, viewers: 0, sentBytes: 0, isHeld: false }
        return whole && { tenant, whole, here: whole, used }
      },
      ask: change => this.desk.ask(change),
    }
  }

  /** Lines of an event. */
  logged(event: string): LogFields[] {
    return this.lines.filter(line => line.event === event)
  }
}

type CoordinatorEffect = Extract<ClusterEffect, { kind: `coordinator-${string}` }>

const isForCoordinator = (effect: ClusterEffect): effect is CoordinatorEffect =>
  effect.kind.startsWith('coordinator-')
