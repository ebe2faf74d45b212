/*
 * The fleet of a world: the place where its nodes meet, what each process knows of the others, and whether
 * what they have made of it is what they should have.
 */
import { assert, type Prng } from '@fanfold/kernel'
import { CoordinationSpace, type NodeRole } from '@fanfold/topology'
import { Departures } from './departures.ts'
import type { MeetingFault } from './fleet-fault.ts'
import { FleetMember } from './fleet-member.ts'
import type { NodeFact, NodeMaker } from './node-maker.ts'
import { probe } from './node-probe.ts'
import type { Problems } from './problems.ts'
import type { SimulationOptions } from './simulation-options.ts'
import { spaceTimeOf } from './space-time.ts'
import type { TreeNode } from './tree-node.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { Ways } from './ways.ts'

/** What a fleet needs of its world. */
export type WorldFleetOptions = {
  readonly clock: VirtualClock
  readonly ways: Ways
  readonly maker: NodeMaker
  /** The stream of chance of one concern. */
  readonly stream: (concern: string) => Prng
  readonly note: (node: string, fact: NodeFact) => void
  readonly problems: Problems
  /** The options of the world. */
  readonly options: Pick<
    SimulationOptions,
    'faults' | 'treeBytesPerSecondMax' | 'treeChildrenMax' | 'hotStandbyShare'
  >
}

/** Who is in a fleet, and where they meet. */
export class WorldFleet {
  readonly #options: WorldFleetOptions
  readonly #space: CoordinationSpace
  readonly #departures: Departures
  readonly #nodes = new Map<string, TreeNode>()
  /** Faults that are on. */
  readonly #away = new Set<Extract<MeetingFault, { kind: 'coordinator-away' }>>()

  constructor(options: WorldFleetOptions) {
    this.#options = options
    this.#departures = new Departures(options.options.faults)
    this.#space = new CoordinationSpace({ time: spaceTimeOf(options.clock) })
  }

  /** A node that may be dialled by its name. */
  add(node: TreeNode): void {
    this.#nodes.set(node.name, node)
  }

  /** The node of this name. */
  node(name: string): TreeNode | undefined {
    return this.#nodes.get(name)
  }

  /** The part of a process that starts now. */
  join(node: TreeNode, role: NodeRole): FleetMember {
    const { clock, ways, maker, stream, note, problems, options } = this.#options
    const { treeBytesPerSecondMax, treeChildrenMax, hotStandbyShare } = options
    const prng = stream(`${node.name} fleet ${node.incarnation}`)
    const dials = prng.fork('dials')
    return new FleetMember({
      node,
      role,
      clock,
      prng,
      space: this.#space,
      maker,
      treeChildrenMax,
      treeBytesPerSecondMax,
      // A node's for good: who is started again is what it was.
      isHotStandby: role === 'authority' && stream(`${node.name} standby`).chance(hotStandbyShare),
      isAway: this.#isAway(node.name),
      probe: (name, tell) => probe({ clock, ways, prng: dials }, node.name, this.node(name), tell),
      note: fact => note(node.name, fact),
      gaveUp: name => {
        if (this.node(name)?.member?.isLongSure === true) {
          problems.add(`${node.name} gives up ${name}, which is sure that others see it`)
        }
        if (this.#departures.mayBeSilent(name, clock.now)) return
        problems.add(`${node.name} gives up ${name}, which was never silent`)
      },
    })
  }

  /** Something goes wrong where they meet. */
  begin(fault: MeetingFault): void {
    if (fault.kind === 'coordinator-emptied') this.#space.clear()
    else this.#away.add(fault)
    this.#refresh()
  }

  /** What went wrong is over. */
  end(fault: MeetingFault): void {
    if (fault.kind === 'coordinator-away') this.#away.delete(fault)
    this.#refresh()
  }

  /** Why who is there does not know all the others, or not for sure; undefined when all do. */
  get unsettled(): string | undefined {
    const names = [...this.#nodes.keys()].sort().join()
    for (const { name, member } of this.#nodes.values()) {
      assert(member !== undefined, `${name} is part of the fleet`)
      const known = member.view.members.map(({ node }) => node)
      if (known.sort().join() !== names) return `${name} knows only ${known}`
      if (!member.isSettled) return `${name} is not sure of the others, or they of it`
    }
    return undefined
  }

  #isAway(name: string): boolean {
    return [...this.#away].some(({ node }) => node === '*' || node === name)
  }

  #refresh(): void {
    for (const { name, member } of this.#nodes.values()) member?.setAway(this.#isAway(name))
  }
}
