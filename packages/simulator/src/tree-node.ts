import { assert } from '@fanfold/kernel'
import type { LinkInput, PeerIdentity } from '@fanfold/protocol'
import type { ParentEffect, RouteInput, TreeAsked } from '@fanfold/replication'
import { DiskHealth } from './disk-health.ts'
import type { Membership } from './membership.ts'
import type { LinkPeer, Network } from './network.ts'
import { NodeClock } from './node-clock.ts'
import type { Trap } from './node-driver.ts'
import type { ParentLinks } from './parent-links.ts'
import { Processor } from './processor.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** A process of a node while it runs. */
export type RunningNode = {
  receive(input: LinkInput): void
  /** What it is told of routes, for one that follows documents. */
  route?(input: RouteInput): void
  /** Somebody looks at it. */
  look(input: TreeAsked): void
  /** Waits for a moment in what the machine does. */
  trap(trap: Trap): void
  /** It is gone at this moment; what it had under way does not happen. */
  stop(): void
  /** It is about to go: whom it serves is sent elsewhere, and nobody new is let in. */
  drain?(): void
  /** Begins nothing more; returns whether what it has begun is done. */
  finish?(): boolean
  /** It ends in good order, for one that can: what it begins to keep now is kept. */
  close?(): void
}

/** A node of a tree: it can be ended at any moment, and started again under its name. */
export class TreeNode implements LinkPeer {
  readonly name: string
  /** How it stands with its disk, which outlives its processes. */
  readonly disk: DiskHealth = new DiskHealth()
  /** The clock that its processes wait by. */
  readonly time: NodeClock
  readonly #clock: VirtualClock
  readonly #network: Network
  /** What it is in the tree. */
  readonly role: string
  readonly #ceiling: number
  /** Where it is. */
  readonly region: string
  /** Makes its part in a fleet anew; undefined where there is none. */
  readonly #join: ((node: TreeNode) => Membership) | undefined
  readonly #run: (node: TreeNode) => RunningNode
  /** Makes its links to parents anew; undefined for one that has none. */
  readonly #connect: ((node: TreeNode) => ParentLinks) | undefined
  #processor: Processor
  #running: RunningNode | undefined
  #member: Membership | undefined
  #parents: ParentLinks | undefined
  #incarnation = 0
  #isDraining = false
  /** As of this incarnation, once somebody has asked. */
  #identity: PeerIdentity | undefined

  constructor(options: {
    readonly name: string
    readonly clock: VirtualClock
    readonly network: Network
    readonly role: string
    readonly ceiling: number
    readonly region?: string | undefined
    /** How fast its clock goes; as the world's when it is not said. */
    readonly clockRate?: number | undefined
    readonly join?: ((node: TreeNode) => Membership) | undefined
    readonly run: (node: TreeNode) => RunningNode
    readonly connect?: ((node: TreeNode) => ParentLinks) | undefined
  }) {
    this.name = options.name
    this.#clock = options.clock
    this.time = new NodeClock(options.clock, options.clockRate)
    this.#processor = new Processor(options.clock)
    this.#network = options.network
    this.role = options.role
    this.#ceiling = options.ceiling
    this.region = options.region ?? 'here'
    this.#join = options.join
    this.#run = options.run
    this.#connect = options.connect
  }

  get identity(): PeerIdentity {
    this.#identity ??= {
      node: this.name,
      incarnation: `${this.name}-${this.#incarnation}`,
      region: this.region,
      roles: [this.role],
      ceiling: this.#ceiling,
    }
    return this.#identity
  }

  /** The part of its process in a fleet; undefined where there is none. */
  get member(): Membership | undefined {
    return this.#member
  }

  get isUp(): boolean {
    return this.#running !== undefined
  }

  /** Whether it is up, and lets in who comes. */
  get isListening(): boolean {
    return this.isUp && !this.#isDraining
  }

  /** What its process does, it does by this: another one for each process. */
  get processor(): Processor {
    return this.#processor
  }

  /** How often it was started. */
  get incarnation(): number {
    return this.#incarnation
  }

  start(): void {
    assert(this.#running === undefined, `${this.name} is started once at a time`)
    this.#incarnation++
    this.#identity = undefined
    this.#isDraining = false
    this.#processor = new Processor(this.#clock)
    this.#member = this.#join?.(this)
    this.#running = this.#run(this)
    this.#parents = this.#connect?.(this)
    this.#parents?.start()
  }

  /** Ends it as a crash does. */
  stop(): void {
    this.#running?.stop()
    this.#member?.stop()
    this.#leave()
  }

  /** It is about to go, and tells those whom it serves. */
  drain(): void {
    this.#isDraining = true
    this.#member?.drain()
    this.#running?.drain?.()
  }

  /** Begins nothing more; returns whether it may be closed now. */
  finish(): boolean {
    return this.#running?.finish?.() ?? true
  }

  /** Ends it in good order. */
  close(): void {
    if (this.#running?.close === undefined) this.#running?.stop()
    else this.#running.close()
    this.#member?.leave()
    this.#leave()
  }

  #leave(): void {
    this.#processor.end()
    this.#parents?.stop()
    this.#parents = undefined
    this.#member = undefined
    this.#running = undefined
    this.#network.drop(this)
  }

  /** Waits for a moment in what its process does. */
  trap(trap: Trap): void {
    this.#running?.trap(trap)
  }

  /** Keeps these links to parents from now on. */
  wantParents(effect: ParentEffect): void {
    this.#parents?.want(effect)
  }

  /** Tells its process of routes. */
  route(input: RouteInput): void {
    this.#processor.do(() => this.#running?.route?.(input))
  }

  /** Somebody looks at it. */
  look(input: TreeAsked): void {
    this.#processor.do(() => this.#running?.look(input))
  }

  receive(input: LinkInput): void {
    if (this.#processor.isDelaying) this.#processor.do(() => this.#receive(input))
    else this.#receive(input)
  }

  #receive(input: LinkInput): void {
    if (this.#parents?.notice(input) !== false) this.#running?.receive(input)
  }
}
