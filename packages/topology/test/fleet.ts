import { type Instant, Prng } from '@fanfold/kernel'
import { type DocumentKey, parseDocumentKey } from '@fanfold/protocol'
import { Cluster, renewedForMsOf } from '../src/cluster.ts'
import type { ClusterEffect, ClusterFact, ClusterInput, OwnMember } from '../src/cluster-effect.ts'
import { CoordinationSpace } from '../src/coordination-space.ts'
import type { Coordinator, CoordinatorEffect } from '../src/coordinator.ts'
import { defaultMembersOptions } from '../src/members.ts'
import { incarnationOf, memberOf } from './arbitraries.ts'
import { VirtualTime } from './virtual-time.ts'

/** A node of a fleet, driven as a process drives it. */
export class FleetNode {
  readonly cluster: Cluster
  readonly effects: ClusterEffect[] = []
  /** Sees each effect at its moment. */
  onEffect: ((effect: ClusterEffect) => void) | undefined
  readonly #time: VirtualTime
  readonly #space: CoordinationSpace
  readonly #coordinator: Coordinator
  #cancelWake: (() => void) | undefined
  #isDead = false
  #isCut = false
  #held: ClusterInput[] | undefined

  constructor(time: VirtualTime, space: CoordinationSpace, self: OwnMember) {
    this.#time = time
    this.#space = space
    this.cluster = new Cluster({
      self,
      members: defaultMembersOptions,
      renewedForMs: renewedForMsOf(defaultMembersOptions),
      startedAt: time.now(),
      prng: new Prng(`${self.node} ${self.incarnation}`),
    })
    this.#coordinator = space.open(input => {
      if (!this.#isCut) this.give(input)
    })
    this.#wake()
  }

  /** Facts that it told, by name. */
  get events(): ClusterFact['event'][] {
    return this.effects.flatMap(effect =>
      effect.kind === 'cluster-note' ? [effect.fact.event] : [],
    )
  }

  /** Nodes that it takes to be alive. */
  get alive(): string[] {
    return [...(this.cluster.placement?.members ?? [])].map(member => member.node).toSorted()
  }

  /** How often its view changed. */
  get viewCount(): number {
    return this.of('view-changed').length
  }

  /** The effects of a kind, in order. */
  of<Kind extends ClusterEffect['kind']>(kind: Kind): Extract<ClusterEffect, { kind: Kind }>[] {
    const isOfKind = (one: ClusterEffect): one is Extract<ClusterEffect, { kind: Kind }> =>
      one.kind === kind
    return this.effects.filter(isOfKind)
  }

  /** Something happens to it. */
  give(input: ClusterInput): void {
    if (this.#isDead) return
    if (this.#held !== undefined) {
      this.#held.push(input)
      return
    }
    this.#step((now, effects) => this.cluster.receive(input, now, effects))
  }

  /** Ends without a word. */
  kill(): void {
    this.#isDead = true
    this.#cancelWake?.()
  }

  /** True while it lives, be it that it stands still. */
  get isAlive(): boolean {
    return !this.#isDead
  }

  /** It alone does not reach the coordinator, or does again. */
  cut(isCut: boolean): void {
    if (this.#isCut === isCut) return
    this.#isCut = isCut
    if (isCut) {
      const code = 'FANFOLD_COORDINATOR_UNREACHABLE'
      this.give({ kind: 'coordinator-lost', code, message: 'cut off' })
      return
    }
    this.give({ kind: 'coordinator-found' })
    this.give(this.#space.placements())
    for (const input of this.#space.members()) this.give(input)
  }

  /** Stands still from now on, as a process that is stopped. */
  stop(): void {
    this.#held = []
    this.#cancelWake?.()
  }

  /** Goes on: what came meanwhile comes now. */
  continue(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const input of held) this.give(input)
    this.#wake()
  }

  #step(act: (now: Instant, effects: ClusterEffect[]) => void): void {
    const effects: ClusterEffect[] = []
    act(this.#time.now(), effects)
    this.effects.push(...effects)
    for (const effect of effects) {
      this.onEffect?.(effect)
      if (!isForCoordinator(effect)) continue
      // That it watches outlasts an interruption, as with a coordinator elsewhere.
      if (effect.kind === 'coordinator-watch' || !this.#isCut) this.#coordinator.perform(effect)
    }
    this.#wake()
  }

  #wake(): void {
    this.#cancelWake?.()
    const at = this.cluster.wakeAt()
    if (at === undefined || this.#isDead || this.#held !== undefined) return
    const delayMs = Math.max(0, (at - this.#time.now()) / 1_000)
    this.#cancelWake = this.#time.after(delayMs, () =>
      this.#step((now, effects) => this.cluster.tick(now, effects)),
    )
  }
}

/** Nodes that meet in one place, on virtual time. */
export class Fleet {
  readonly time: VirtualTime = new VirtualTime()
  readonly space: CoordinationSpace = new CoordinationSpace({ time: this.time })
  #lives = 0

  /** Starts a node; its incarnation is a new one each time. */
  start(node: string, overrides: Partial<OwnMember> = {}): FleetNode {
    const incarnation = incarnationOf(++this.#lives)
    const made = memberOf({ node, incarnation, ...overrides })
    const { upMs: _upMs, load: _load, placementsHeard: _heard, ...self } = made
    return new FleetNode(this.time, this.space, self)
  }

  /** Starts nodes, and lets them find each other. */
  startAll(...nodes: string[]): FleetNode[] {
    const started = nodes.map(node => this.start(node))
    this.time.pass(100)
    return started
  }
}

/** Documents that views are compared by. */
export const docs: DocumentKey[] = Array.from({ length: 300 }, (_, index) =>
  parseDocumentKey(`acme/match/${index}`),
)

/** True when all nodes say the same of each document. */
export const areAgreed = (nodes: readonly FleetNode[]): boolean =>
  docs.every(doc => new Set(nodes.map(one => one.cluster.placement?.ownerNameOf(doc))).size === 1)

const isForCoordinator = (effect: ClusterEffect): effect is CoordinatorEffect =>
  effect.kind.startsWith('coordinator-')
