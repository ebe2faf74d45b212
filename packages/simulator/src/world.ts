/*
 * A tree of nodes on virtual time: one authority, proxies below it, edges below them, with their
 * disk, network and rims. Who observes and who writes is for others (see workload.ts).
 */
import { assert, instant, milliseconds, Prng, type Sha256 } from '@fanfold/kernel'
import { type DocumentKey, labelMax } from '@fanfold/protocol'
import type { NodeRole } from '@fanfold/topology'
import { AuthorityNode } from './authority-node.ts'
import type { BoardRules } from './board-rules.ts'
import { BoardVariants } from './board-variants.ts'
import { Crossings } from './crossings.ts'
import { CrowdCheck } from './crowd/crowd-check.ts'
import type { Door } from './door.ts'
import { type Fault, isLinkFault } from './fault.ts'
import { isFleetFault } from './fleet-fault.ts'
import { History } from './history.ts'
import { LinkFaults } from './link-faults.ts'
import { LogDisk } from './log-disk.ts'
import type { Membership } from './membership.ts'
import { Network } from './network.ts'
import { NodeFaults } from './node-faults.ts'
import { NodeGauges, type RunningNodes } from './node-gauges.ts'
import { type NodeFact, NodeMaker } from './node-maker.ts'
import { NodeNotes } from './node-notes.ts'
import { ChanceLinks, keepParentLinks, type ParentLinks } from './parent-links.ts'
import { PeerWatch } from './peer-watch.ts'
import { Problems } from './problems.ts'
import { given, known, RoutedLinks, type Surroundings } from './routed-links.ts'
import { WarmDisk } from './simulated-warm-store.ts'
import type { SimulationOptions } from './simulation-options.ts'
import { surplusStreams } from './surplus-streams.ts'
import { Tally } from './tally.ts'
import { Trace } from './trace.ts'
import { authorityNames, firstParentOf } from './tree-form.ts'
import { TreeLookers } from './tree-lookers.ts'
import { TreeNode } from './tree-node.ts'
import { ViewOracle } from './view-oracle.ts'
import type { ViewerRim } from './viewer-rim.ts'
import { VirtualClock } from './virtual-clock.ts'
import { WallClocks } from './wall-clocks.ts'
import { Ways } from './ways.ts'
import { WireCheck } from './wire-check.ts'
import { WorldFleet } from './world-fleet.ts'
import { WorldRoutes } from './world-routes.ts'
import type { WorldWatch } from './world-watch.ts'

const linkDelays = { delayMinLowMs: 0.2, delayMinHighMs: 40, delayMeanMs: 2 }

/** Where a node is: what it may have itself, and from whom. */
type Place = {
  readonly ceiling: number
  /** Undefined in a tree that is no fleet. */
  readonly region: string | undefined
  readonly parents: readonly TreeNode[]
}

/** A tree of machines and everything around them. */
export class World {
  readonly clock: VirtualClock = new VirtualClock()
  readonly trace: Trace
  readonly problems: Problems
  readonly history: History
  readonly wire: WireCheck
  readonly network: Network
  /** What is amiss between nodes. */
  readonly ways: Ways
  readonly oracle: ViewOracle
  /** What the nodes told of themselves. */
  readonly tally: Tally = new Tally()
  /** What the nodes did while something was amiss around them. */
  readonly crossings: Crossings
  /** The edges, where viewers connect. */
  readonly doors: readonly Door[]
  readonly faults: LinkFaults
  /** What viewers say, and what becomes of it. */
  readonly crowd: CrowdCheck
  /** Who looks at the trees of documents. */
  readonly lookers: TreeLookers
  readonly #variants: BoardVariants
  readonly #seed: string
  readonly #options: SimulationOptions
  readonly #maker: NodeMaker
  /** One, or several of a fleet. */
  readonly authorities: readonly AuthorityNode[]
  /** What runs. */
  readonly nodes: RunningNodes
  /** What the nodes hold. */
  readonly gauges: NodeGauges
  readonly #wallClocks: WallClocks
  /** Where nodes may have documents from; undefined where they were given parents. */
  readonly #routes: WorldRoutes | undefined
  /** The nodes as a fleet; undefined where they are none. */
  readonly #fleet: WorldFleet | undefined
  readonly #nodeFaults: NodeFaults
  readonly #running = new Map<TreeNode, ReturnType<NodeMaker['proxy']>>()
  readonly #edges = new Map<TreeNode, ReturnType<NodeMaker['edge']>>()
  /** What each node may have at most, by those above it. */
  readonly #reach = new Map<TreeNode, number>()
  readonly #notes: NodeNotes
  readonly #logs: LogDisk
  constructor(seed: string, options: SimulationOptions, sha256: Sha256, watch?: WorldWatch) {
    this.#seed = seed
    this.#options = options
    this.crossings = new Crossings(options.faults)
    this.trace = new Trace(sha256)
    this.problems = new Problems(this.clock)
    const { clockDriftShare } = options
    this.crowd = new CrowdCheck({
      problems: this.problems,
      tally: this.tally,
      clockDriftShare,
      now: () => this.clock.now,
    })
    this.history = new History(sha256, this.problems, (doc, record, state) =>
      this.crowd.recorded(doc, record, state),
    )
    this.#logs = new LogDisk(this.history, this.clock)
    this.#variants = new BoardVariants(sha256)
    this.oracle = new ViewOracle(this.history, this.#variants)
    const { clock, trace, problems, history, oracle } = this
    const { linkBytesPerSecond } = options
    const nodes = (): RunningNodes => this.nodes
    this.lookers = new TreeLookers({ clock, problems, nodes, linkBytesPerSecond })
    this.#notes = new NodeNotes({ options, clock, tally: this.tally, problems })
    const variants = this.#variants
    this.wire = new WireCheck({
      history,
      oracle,
      variants,
      problems,
      sha256,
      isCloseExpected: reason => this.#notes.isCloseExpected(reason),
      tally: this.tally,
      ringRecordsMax: options.ringRecordsMax,
      crowd: this.crowd,
    })
    this.faults = new LinkFaults(this.stream('faults'), options)
    this.ways = new Ways({ clock, prng: this.stream('ways'), tally: this.tally })
    this.network = new Network({
      clock,
      prng: this.stream('network'),
      options: {
        ...linkDelays,
        bytesPerSecondLow: options.linkBytesPerSecond,
        bytesPerSecondHigh: 100 * options.linkBytesPerSecond,
        bufferedBytesMax: options.linkBufferedBytesMax,
        bufferedBytesCap: options.linkBufferedBytesCap,
      },
      watch: this.wire,
      faults: this.faults,
      ways: this.ways,
    })
    this.#wallClocks = new WallClocks(clock)
    const [network, tally, wallClocks] = [this.network, this.tally, this.#wallClocks]
    this.#nodeFaults = new NodeFaults({ clock, network, tally, wallClocks })
    this.#maker = new NodeMaker({
      options,
      sha256,
      clock,
      trace,
      problems,
      variants,
      oracle,
      stream: concern => this.stream(concern),
      isHealed: () => this.faults.isHealed,
      performOnLink: effect => this.network.perform(effect),
      note: (node, fact) => this.#notes.note(node, fact),
      treeTold: (node, effect) => this.lookers.told(node, effect),
      wallMs: node => wallClocks.wallMs(node),
      tally: this.tally,
      ways: this.ways,
      crossings: this.crossings,
      crowd: this.crowd,
      watch,
    })
    const [stream, { busyMs, redial }] = [(concern: string) => this.stream(concern), options]
    this.#routes =
      redial === 'routes' ? new WorldRoutes({ clock, tally, stream, busyMs }) : undefined
    const [maker, ways] = [this.#maker, this.ways]
    const note = (node: string, fact: NodeFact): void => this.#notes.note(node, fact)
    this.#fleet =
      redial === 'fleet'
        ? new WorldFleet({ clock, ways, maker, stream, note, problems, options })
        : undefined
    this.authorities = this.#growAuthorities()
    this.doors = this.#grow()
    const authorities = this.authorities
    this.nodes = { authorities, proxies: this.#running, edges: this.#edges }
    this.gauges = new NodeGauges({ nodes: this.nodes, options, problems })
  }

  /** The authority, or the first of several. */
  get authority(): AuthorityNode {
    const [first] = this.authorities
    assert(first !== undefined, 'a world has an authority')
    return first
  }

  /** Loads a definition at all authorities. */
  define(rules: BoardRules): void {
    const built = this.#variants.build(rules)
    for (const authority of this.authorities) authority.define(built)
  }

  /** Why a document does not say how many watch it, when so many do; undefined when it does, or need not. */
  presenceDiffers(doc: DocumentKey, viewers: number): string | undefined {
    const { history } = this
    const state = history.lastState(doc)
    const said = history.definitionAt(doc, history.headSeq(doc))?.variant
    if (viewers === 0 || said === undefined || state === undefined) return undefined
    if (this.#variants.definitionOf(said).presence === undefined) return undefined
    const told = state['viewers']
    return told === viewers
      ? undefined
      : `${doc} says that ${String(told)} watch, and ${viewers} do`
  }

  /** What the nodes have still to find out of each other, in words; undefined when they have. */
  get unsettled(): string | undefined {
    if (this.#fleet === undefined) return undefined
    return this.#fleet.unsettled ?? surplusStreams(this.nodes, this.#options.documents)
  }

  /** The stream of chance of one concern: a draw more in one does not shift another. */
  stream(concern: string): Prng {
    return new Prng(`${this.#seed}/${concern}`)
  }

  /** What a node takes for the time, ms since 1970. */
  wallMs(node: string): number {
    return this.#wallClocks.wallMs(node)
  }

  /** Something goes wrong now. */
  begin(fault: Fault): void {
    this.tally.add(`fault ${fault.kind}`)
    this.crossings.begin(fault, this.clock.now)
    if (isLinkFault(fault)) this.ways.begin(fault)
    else if (fault.kind === 'logs-fallen-back') this.#fallBack(fault.byMs)
    else if (isFleetFault(fault)) this.#fleet?.begin(fault)
    else this.#nodeFaults.begin(fault)
  }

  /** What went wrong is over, as far as it is not over by itself. */
  endOf(fault: Fault): void {
    if (isLinkFault(fault)) this.ways.end(fault)
    else if (fault.kind === 'logs-fallen-back') return
    else if (isFleetFault(fault)) this.#fleet?.end(fault)
    else this.#nodeFaults.end(fault)
  }

  /** Nothing goes wrong any more, and what did is over. */
  heal(): void {
    this.faults.heal()
    this.ways.heal()
    this.#routes?.heal()
  }

  /** The logs lose what was written last. */
  #fallBack(byMs: number): void {
    const to = instant(Math.max(0, this.clock.now - milliseconds(byMs)))
    this.tally.add('record lost by a log', this.#logs.fallBack(to))
  }

  #growAuthorities(): readonly AuthorityNode[] {
    const { clock, network, tally } = this
    const disk = this.#logs
    const grown = authorityNames(this.#options).map(
      name =>
        new AuthorityNode({
          name,
          clock,
          clockRate: this.#clockRate(name),
          network,
          maker: this.#maker,
          tally,
          disk,
          wallMs: node => this.wallMs(node),
          join: this.#joinAs('authority'),
          connect: this.#fleet && (node => this.#peerWatch(node)),
          fail: node => this.#nodeFaults.crash(node),
        }),
    )
    for (const { node } of grown) {
      this.#nodeFaults.add(node)
      this.#fleet?.add(node)
      this.#reach.set(node, labelMax)
      node.start()
    }
    return grown
  }

  /** How fast a node's clock goes; some go as wrong as clocks do in this world. */
  #clockRate(name: string): number {
    const { clockDriftShare } = this.#options
    if (clockDriftShare === 0) return 1
    const prng = this.stream(`${name} clock rate`)
    return 1 + clockDriftShare * prng.pick([-1, 1, 2 * prng.fraction() - 1])
  }

  #joinAs(role: NodeRole): ((node: TreeNode) => Membership) | undefined {
    const fleet = this.#fleet
    return fleet && (node => fleet.join(node, role))
  }

  /** All nodes below the authorities, with their links. */
  #grow(): Door[] {
    const { options, ceilings, seconds } = {
      options: this.#options,
      ceilings: this.stream('ceilings'),
      seconds: this.stream('second parents'),
    }
    const drawCeiling = (): number =>
      ceilings.chance(options.guardedShare) ? ceilings.below(2) : labelMax
    const top = this.authority.node
    const proxies: TreeNode[] = []
    const firstOf = (child: string): TreeNode => {
      const parent = firstParentOf(child, options)
      return proxies.find(({ name }) => name === parent) ?? top
    }
    const placeOf = (name: string): Place => {
      const first = firstOf(name)
      const ceiling = drawCeiling()
      const parents = this.#parentsOf(name, [first, top, ...proxies], ceiling, seconds)
      return { ceiling, region: undefined, parents }
    }
    const regions = Array.from({ length: options.regions }, () => drawCeiling())
    const memberPlaceOf = (index: number): Place => {
      const number = index % options.regions
      const inRegion = `region-${number}`
      const parents = [
        ...this.authorities.map(({ node }) => node),
        ...proxies.filter(({ region }) => region === inRegion),
      ]
      return { ceiling: regions[number] ?? 0, region: inRegion, parents }
    }
    const isFleet = this.#fleet !== undefined
    for (let index = 0; index < options.proxies; index++) {
      const name = `proxy-${index}`
      proxies.push(this.#proxy(name, isFleet ? memberPlaceOf(index) : placeOf(name)))
    }
    return Array.from({ length: options.edges }, (_, index) => {
      const name = `edge-${index}`
      return this.#edge(name, isFleet ? memberPlaceOf(index) : placeOf(name))
    })
  }

  /**
   * The first one, and for some a second one that may have just as much, or others: what an edge may show
   * does not depend on which of them serves it.
   */
  #parentsOf(
    node: string,
    [first, ...all]: readonly [TreeNode, ...TreeNode[]],
    ceiling: number,
    prng: Prng,
  ): readonly TreeNode[] {
    const reachBy = (parent: TreeNode): number => Math.min(ceiling, this.#reach.get(parent) ?? 0)
    const others = all.filter(one => one !== first && reachBy(one) === reachBy(first))
    if (this.#routes !== undefined) return [first, ...this.#routes.othersOf(node, others)]
    if (others.length === 0 || !prng.chance(this.#options.secondParentShare)) return [first]
    return [first, prng.pick(others)]
  }

  #proxy(name: string, { ceiling, region, parents }: Place): TreeNode {
    for (const parent of parents) this.crossings.join(parent.name, name)
    const chance = this.stream(`${name} warm`)
    const damage = {
      share: this.#options.warmDamageShare,
      prng: this.stream(`${name} warm damage`),
    }
    const disk = chance.chance(this.#options.warmShare) ? new WarmDisk(damage) : undefined
    const node: TreeNode = new TreeNode({
      name,
      clock: this.clock,
      clockRate: this.#clockRate(name),
      network: this.network,
      role: 'proxy',
      ceiling,
      region,
      join: this.#joinAs('proxy'),
      run: () => {
        const view = node.member?.view
        const known = routes ?? view?.routesOf('proxy')
        const made = this.#maker.proxy(node, { routes: known, tree: view?.tree }, disk)
        this.#running.set(node, made)
        return {
          receive: input => made.driver.receive(input),
          route: input => made.driver.receive(input),
          look: input => made.driver.receive(input),
          trap: trap => made.driver.trap(trap),
          stop: () => {
            made.stop()
            disk?.crash(chance)
            this.#running.delete(node)
          },
          close: () => {
            made.close()
            this.#running.delete(node)
          },
        }
      },
      connect: () => this.#parentLinks(node, parents),
    })
    const routes = this.#routes?.give(node, parents)
    this.#nodeFaults.add(node)
    this.#fleet?.add(node)
    this.#reachOf(node, ceiling, parents)
    node.start()
    return node
  }

  #edge(name: string, { ceiling: own, region, parents }: Place): Door {
    for (const parent of parents) this.crossings.join(parent.name, name)
    const ceiling = this.#reachOf(undefined, own, parents)
    let rim: ViewerRim | undefined
    const node: TreeNode = new TreeNode({
      name,
      clock: this.clock,
      clockRate: this.#clockRate(name),
      network: this.network,
      role: 'edge',
      ceiling: own,
      region,
      join: this.#joinAs('edge'),
      run: () => {
        const known = routes ?? node.member?.view.routesOf('edge')
        const made = this.#maker.edge(node, known, ceiling)
        rim = made.rim
        this.#edges.set(node, made)
        return {
          receive: input => made.driver.receive(input),
          route: input => made.driver.receive(input),
          look: input => made.driver.receive(input),
          trap: trap => made.driver.trap(trap),
          drain: () => made.rim.drain(),
          stop: () => {
            made.stop()
            made.rim.end()
            this.#edges.delete(node)
          },
        }
      },
      connect: () => this.#parentLinks(node, parents),
    })
    const routes = this.#routes?.give(node, parents)
    this.#nodeFaults.add(node)
    this.#fleet?.add(node)
    node.start()
    return {
      name,
      ceiling,
      get rim() {
        assert(rim !== undefined, `${name} has a rim once it runs`)
        return rim
      },
    }
  }

  #reachOf(node: TreeNode | undefined, own: number, [first]: readonly TreeNode[]): number {
    const above = first === undefined ? 0 : (this.#reach.get(first) ?? 0)
    const ceiling = Math.min(own, above)
    if (node !== undefined) this.#reach.set(node, ceiling)
    return ceiling
  }

  #peerWatch(node: TreeNode): ParentLinks {
    const { member } = node
    assert(member !== undefined, `${node.name} is part of the fleet`)
    return new PeerWatch(
      this.#routedLinks(
        node,
        known(member, name => this.#fleet?.node(name)),
      ),
      member.view,
    )
  }

  #routedLinks(child: TreeNode, surroundings: Surroundings): RoutedLinks {
    const { clock, network, tally } = this
    const prng = this.stream(`${child.name} links ${child.incarnation}`)
    return new RoutedLinks({ clock, network, tally, prng, child, surroundings })
  }

  #parentLinks(child: TreeNode, parents: readonly TreeNode[]): ParentLinks {
    const { clock, network } = this
    const prng = this.stream(`${child.name} links ${child.incarnation}`)
    const needs = { clock, prng, network, child, parents }
    switch (this.#options.redial) {
      case 'chance':
        return new ChanceLinks(needs)
      case 'routes':
        return this.#routedLinks(child, given(parents))
      case 'fleet': {
        const { member } = child
        assert(member !== undefined, `${child.name} is part of the fleet`)
        return this.#routedLinks(
          child,
          known(member, name => this.#fleet?.node(name)),
        )
      }
      case 'dialler':
        return keepParentLinks({ ...needs, tally: this.tally })
    }
  }
}
