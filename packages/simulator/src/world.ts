/*
 * A tree of nodes on virtual time: one authority, proxies below it, edges below them, with their
 * disk, network and rims. Who observes and who writes is for others (see workload.ts).
 */
import {
  Authority,
  type AuthorityEffect,
  type AuthorityInput,
  defaultAuthorityLimits,
} from '@fanfold/authority'
import { Edge, type EdgeEffect, type EdgeFact, type EdgeInput } from '@fanfold/edge'
import { type Machine, milliseconds, Prng, type Sha256 } from '@fanfold/kernel'
import { labelMax, type PeerIdentity, type WriterEffect, type WriterInput } from '@fanfold/protocol'
import { type ProxyEffect, type ProxyInput, ProxyTier } from '@fanfold/proxy'
import { defaultUpstreamLimits, type FollowerLimits, type ResyncReason } from '@fanfold/replication'
import type { BoardRules } from './board-rules.ts'
import { BoardVariants } from './board-variants.ts'
import { describeInput } from './describe-input.ts'
import { FrameCheck } from './frame-check.ts'
import { History } from './history.ts'
import { LogDisk } from './log-disk.ts'
import type { Door } from './model-viewer.ts'
import { type LinkPeer, Network } from './network.ts'
import { NodeDriver } from './node-driver.ts'
import { Problems } from './problems.ts'
import { SimulatedLogStore } from './simulated-log-store.ts'
import type { SimulationOptions } from './simulation-options.ts'
import { Trace } from './trace.ts'
import { VariantLoads } from './variant-loads.ts'
import { ViewOracle } from './view-oracle.ts'
import { ViewerRim } from './viewer-rim.ts'
import { VirtualClock } from './virtual-clock.ts'
import { WireCheck } from './wire-check.ts'

const linkDelays = { delayMinLowMs: 0.2, delayMinHighMs: 40, delayMeanMs: 2 }
const diskOptions = { syncMinMs: 0.3, syncMeanMs: 3 }

/** A tree of machines and everything around them. */
export class World {
  readonly clock: VirtualClock = new VirtualClock()
  readonly trace: Trace
  readonly problems: Problems
  readonly history: History
  readonly wire: WireCheck
  readonly network: Network
  readonly oracle: ViewOracle
  /** The edges, where viewers connect. */
  readonly doors: readonly Door[]
  readonly #variants: BoardVariants
  readonly #seed: string
  readonly #sha256: Sha256
  readonly #options: SimulationOptions
  readonly #authority: NodeDriver<AuthorityInput, AuthorityEffect>
  #answer: (effect: WriterEffect) => void = () => undefined
  #resyncs = 0
  #variantsRun = 0
  #failures = 0

  constructor(seed: string, options: SimulationOptions, sha256: Sha256) {
    this.#seed = seed
    this.#sha256 = sha256
    this.#options = options
    this.trace = new Trace(sha256)
    this.problems = new Problems(this.clock)
    this.history = new History(sha256, this.problems)
    this.#variants = new BoardVariants(sha256)
    this.oracle = new ViewOracle(this.history, this.#variants)
    this.wire = new WireCheck({
      history: this.history,
      oracle: this.oracle,
      variants: this.#variants,
      problems: this.problems,
      sha256,
    })
    this.network = new Network({
      clock: this.clock,
      prng: this.stream('network'),
      options: {
        ...linkDelays,
        bytesPerSecondLow: options.linkBytesPerSecond,
        bytesPerSecondHigh: 100 * options.linkBytesPerSecond,
        bufferedBytesMax: options.linkBufferedBytesMax,
        bufferedBytesCap: options.linkBufferedBytesCap,
      },
      watch: this.wire,
    })
    this.#authority = this.#makeAuthority()
    const authority = this.#peer(this.#authority, 'authority', labelMax)
    const ceilings = this.stream('ceilings')
    const drawCeiling = (): number =>
      ceilings.chance(options.guardedShare) ? ceilings.below(2) : labelMax
    // What a node's parents may not have it does not get either.
    const reach = new Map<LinkPeer, number>([[authority, labelMax]])
    const connect = (child: LinkPeer, parent: LinkPeer): number => {
      const ceiling = Math.min(child.identity.ceiling, reach.get(parent) ?? 0)
      reach.set(child, ceiling)
      this.network.connect(child, parent)
      return ceiling
    }
    const proxies: LinkPeer[] = []
    for (let index = 0; index < options.proxies; index++) {
      const parent = proxies[Math.floor(index / options.proxyFanout) - 1] ?? authority
      const proxy = this.#peer(this.#makeProxy(`proxy-${index}`), 'proxy', drawCeiling())
      connect(proxy, parent)
      proxies.push(proxy)
    }
    const doors: Door[] = []
    for (let index = 0; index < options.edges; index++) {
      const parent = proxies[index % Math.max(1, proxies.length)] ?? authority
      const own = drawCeiling()
      const ceiling = Math.min(own, reach.get(parent) ?? 0)
      const { rim, driver } = this.#makeEdge(`edge-${index}`, ceiling)
      connect(this.#peer(driver, 'edge', own), parent)
      doors.push({ rim, ceiling })
    }
    this.doors = doors
  }

  /** How often a stream between two nodes began anew. */
  get resyncs(): number {
    return this.#resyncs
  }

  /** Variants that edges ran. */
  get variantsRun(): number {
    return this.#variantsRun
  }

  /** Rules that failed, as edges told. */
  get failures(): number {
    return this.#failures
  }

  /** Loads a definition at the authority. */
  define(rules: BoardRules): void {
    const { definition, variants } = this.#variants.build(rules)
    this.#authority.receive({ kind: 'definition-loaded', definition, variants })
  }

  /** The stream of chance of one concern: a draw more in one does not shift another. */
  stream(concern: string): Prng {
    return new Prng(`${this.#seed}/${concern}`)
  }

  /** Hands the authority a write. */
  write(input: WriterInput): void {
    this.#authority.receive(input)
  }

  /** Who takes the answers to writers. */
  answerTo(perform: (effect: WriterEffect) => void): void {
    this.#answer = perform
  }

  #makeAuthority(): NodeDriver<AuthorityInput, AuthorityEffect> {
    const prng = this.stream('authority')
    const { ringRecordsMax, snapshotEveryRecords, restAfterMs } = this.#options
    const machine = new Authority({
      sha256: this.#sha256,
      randomBytes: count => prng.bytes(count),
      limits: {
        ...defaultAuthorityLimits,
        ring: { ...defaultAuthorityLimits.ring, recordsMax: ringRecordsMax },
        snapshotEveryRecords,
        restAfterMs,
        unloadAfterMs: restAfterMs,
      },
    })
    const store = new SimulatedLogStore({
      clock: this.clock,
      prng: this.stream('disk'),
      options: diskOptions,
      disk: new LogDisk(this.history),
      receive: input => driver.receive(input),
    })
    const driver = this.#drive<AuthorityInput, AuthorityEffect>('authority', machine, effect => {
      switch (effect.kind) {
        case 'link-send':
        case 'link-signal':
        case 'link-close':
          this.network.perform(effect)
          return
        case 'write-answered':
          this.#answer(effect)
          return
        case 'fact':
          if (effect.fact.event === 'committed' || effect.fact.event === 'snapshot-kept') return
          this.problems.add(`authority: ${JSON.stringify(effect.fact)}`)
          return
        default:
          store.perform(effect)
      }
    })
    return driver
  }

  #makeProxy(name: string): NodeDriver<ProxyInput, ProxyEffect> {
    const machine = new ProxyTier({
      sha256: this.#sha256,
      prng: this.stream(name),
      limits: { follower: this.#followerLimits(), lingerMs: this.#options.lingerMs },
    })
    return this.#drive<ProxyInput, ProxyEffect>(name, machine, effect => {
      if (effect.kind !== 'fact') this.network.perform(effect)
      else if (effect.fact.event === 'resync') this.#resynced(name, effect.fact.reason)
    })
  }

  #makeEdge(
    name: string,
    ceiling: number,
  ): { readonly rim: ViewerRim; readonly driver: NodeDriver<EdgeInput, EdgeEffect> } {
    const machine = new Edge({
      sha256: this.#sha256,
      prng: this.stream(name),
      wallClockMs: () => this.clock.wallMs,
      limits: {
        follower: this.#followerLimits(),
        lingerMs: this.#options.lingerMs,
        documentsPerViewerMax: 100,
        documentsMax: 100_000,
      },
    })
    const { clock, oracle, problems } = this
    const rim = new ViewerRim({
      clock,
      prng: this.stream(`${name} rim`),
      budgetBytes: this.#options.viewerBudgetBytes,
      receive: input => driver.receive(input),
      watch: new FrameCheck({ edge: name, ceiling, clock, oracle, problems }),
    })
    const loads = new VariantLoads({
      clock,
      prng: this.stream(`${name} variants`),
      loadMs: this.#options.variantLoadMs,
      failShare: this.#options.variantFailShare,
      variants: this.#variants,
      receive: input => driver.receive(input),
    })
    const driver = this.#drive<EdgeInput, EdgeEffect>(name, machine, effect => {
      switch (effect.kind) {
        case 'link-send':
        case 'link-signal':
        case 'link-close':
          this.network.perform(effect)
          return
        case 'load-variant':
          loads.load(effect.variant)
          return
        case 'fact':
          this.#note(name, effect.fact)
          return
        default:
          rim.perform(effect)
      }
    })
    return { rim, driver }
  }

  #note(name: string, fact: EdgeFact): void {
    if (fact.event === 'resync') this.#resynced(name, fact.reason)
    else if (fact.event === 'variant-loaded') this.#variantsRun++
    else if (fact.event === 'rule-failed') this.#failures++
  }

  #followerLimits(): FollowerLimits {
    return {
      ring: {
        recordsMax: this.#options.ringRecordsMax,
        bytesMax: 1_048_576,
        ageMax: milliseconds(60_000),
      },
      upstream: { ...defaultUpstreamLimits, creditBytes: this.#options.creditBytes },
      pendingBytesMax: 16_384,
    }
  }

  #resynced(name: string, reason: ResyncReason): void {
    this.#resyncs++
    // An answer may be late on a slow link, and one that crosses a second join leaves a gap; but
    // nothing arrives damaged.
    if (reason === 'silence' || reason === 'gap') return
    this.problems.add(`${name} starts a stream anew, ${reason}: without faults nothing is amiss`)
  }

  #drive<Input extends { readonly kind: string }, Effect>(
    name: string,
    machine: Machine<Input, Effect>,
    perform: (effect: Effect) => void,
  ): NodeDriver<Input, Effect> {
    return new NodeDriver<Input, Effect>({
      name,
      machine,
      clock: this.clock,
      trace: this.trace,
      problems: this.problems,
      perform,
      describe: describeInput,
    })
  }

  #peer(
    driver: { readonly name: string; receive(input: Parameters<LinkPeer['receive']>[0]): void },
    role: string,
    ceiling: number,
  ): LinkPeer {
    const identity: PeerIdentity = {
      node: driver.name,
      incarnation: `${driver.name}-1`,
      region: 'here',
      roles: [role],
      ceiling,
    }
    return { identity, receive: input => driver.receive(input) }
  }
}
