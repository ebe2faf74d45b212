/*
 * What runs at the nodes of a world: each machine with the adapters that a process would give it, on
 * virtual time. How the nodes are linked is for others (see world.ts).
 */
import {
  Authority,
  type AuthorityEffect,
  type AuthorityInput,
  type Owners,
} from '@fanfold/authority'
import {
  plainCodec,
  type ReplicaWorkerInput,
  type SnapshotCodec,
  type WarmInput,
} from '@fanfold/document'
import { Edge, type EdgeEffect, type EdgeInput } from '@fanfold/edge'
import type { Machine, Prng, Sha256 } from '@fanfold/kernel'
import type { LinkEffect, WriterEffect } from '@fanfold/protocol'
import { type ProxyEffect, type ProxyInput, ProxyTier } from '@fanfold/proxy'
import type { FollowingEffect, Routes, TreeTold } from '@fanfold/replication'
import type { FleetTree } from '@fanfold/topology'
import type { BoardVariants } from './board-variants.ts'
import type { Crossings } from './crossings.ts'
import type { CrowdCheck } from './crowd/crowd-check.ts'
import { describeInput } from './describe-input.ts'
import { FrameCheck } from './frame-check.ts'
import type { LogDisk } from './log-disk.ts'
import { refusalFact } from './log-refusals.ts'
import { NodeDriver } from './node-driver.ts'
import { authorityLimitsOf, checkEveryMs, followerLimitsOf } from './node-limits.ts'
import type { Problems } from './problems.ts'
import { type CrashedAppends, SimulatedLogStore } from './simulated-log-store.ts'
import { SimulatedWarmStore, type WarmDisk } from './simulated-warm-store.ts'
import { SimulatedWorker } from './simulated-worker.ts'
import { mayBeLarge, type SimulationOptions } from './simulation-options.ts'
import type { Tally } from './tally.ts'
import { toyCodec } from './toy-codec.ts'
import type { Trace } from './trace.ts'
import type { TreeNode } from './tree-node.ts'
import { VariantLoads } from './variant-loads.ts'
import type { ViewOracle } from './view-oracle.ts'
import { ViewerRim } from './viewer-rim.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { Ways } from './ways.ts'
import type { WorldWatch } from './world-watch.ts'

const diskOptions = { syncMinMs: 0.3, syncMeanMs: 3 }

/** What a node tells of itself. */
export type NodeFact = {
  readonly event: string
  readonly outcome?: string
  readonly reason?: string
  readonly code?: string
}

/** What the makers of nodes need of their world. */
export type NodeMakerOptions = {
  readonly options: SimulationOptions
  readonly sha256: Sha256
  readonly clock: VirtualClock
  readonly trace: Trace
  readonly problems: Problems
  readonly variants: BoardVariants
  readonly oracle: ViewOracle
  /** The stream of chance of one concern. */
  readonly stream: (concern: string) => Prng
  /** Whether faults have stopped. */
  readonly isHealed: () => boolean
  readonly performOnLink: (effect: LinkEffect) => void
  readonly note: (node: string, fact: NodeFact) => void
  /** Who has looked at the node is told. */
  readonly treeTold: (node: string, effect: TreeTold) => void
  /** What a node takes for the time. */
  readonly wallMs: (node: string) => number
  readonly tally: Tally
  readonly ways: Ways
  readonly crossings: Crossings
  readonly crowd: CrowdCheck
  /** Who is told of each input and effect. */
  readonly watch: WorldWatch | undefined
}

/** What the world does for its authority. */
export type AuthorityDoor = {
  readonly answer: (effect: WriterEffect) => void
  /** Nobody knows what its disk holds: it must end. */
  readonly fail: () => void
  /** Whose documents are, for one authority of several. */
  readonly owners: Owners | undefined
}

/** A machine that runs, and its worker. */
export type MadeNode<
  Input extends { readonly kind: string },
  Effect extends { readonly kind: string },
  Role,
> = {
  readonly driver: NodeDriver<Input, Effect>
  readonly machine: Role
  readonly worker: SimulatedWorker
  /** It is gone at this moment. */
  stop(): void
}

/** An effect that an edge has as any node that follows documents. */
const isOfFollower = (effect: EdgeEffect): effect is Extract<EdgeEffect, FollowingEffect> =>
  /^(link|worker|want)-/.test(effect.kind)

/** Makes what runs at each kind of node. */
export class NodeMaker {
  readonly #with: NodeMakerOptions

  constructor(options: NodeMakerOptions) {
    this.#with = options
  }

  authority(
    node: TreeNode,
    disk: LogDisk,
    { answer, fail, owners }: AuthorityDoor,
  ): MadeNode<AuthorityInput, AuthorityEffect, Authority> & {
    readonly store: SimulatedLogStore
    /** It is gone at this moment, and so is what its disk had not synced. */
    crash(): CrashedAppends
    /** From now on the log begins nothing; whether all that it has begun is done. */
    finish(): boolean
  } {
    const { sha256, clock, note, stream, performOnLink } = this.#with
    const { name, processor, disk: health } = node
    const concern = processName(node)
    const worker = this.#worker(node, input => driver.receive(input))
    const prng = stream(concern)
    const machine = new Authority({
      sha256,
      randomBytes: count => prng.bytes(count),
      limits: authorityLimitsOf(this.#with.options),
      codec: this.#codecOf(name),
      owners,
      node: owners === undefined ? undefined : name,
    })
    const store = new SimulatedLogStore({
      clock,
      prng: stream(diskName(node)),
      node: name,
      isShared: owners !== undefined,
      late: outcome => note(name, { event: 'append of a process that has ended', outcome }),
      options: diskOptions,
      disk,
      receive: input => {
        const refusal = refusalFact(input)
        if (refusal !== undefined) note(name, refusal)
        processor.do(() => driver.receive(input))
      },
      health,
      fail,
    })
    const driver = this.drive<AuthorityInput, AuthorityEffect>(node, machine, effect => {
      switch (effect.kind) {
        case 'link-send':
        case 'link-signal':
        case 'link-close':
          performOnLink(effect)
          return
        case 'worker-open':
        case 'worker-feed':
        case 'worker-encode':
        case 'worker-view':
        case 'worker-close':
          worker.perform(effect)
          return
        case 'write-answered':
          answer(effect)
          return
        case 'tree-told':
          this.#with.treeTold(name, effect)
          return
        case 'fact':
          note(name, effect.fact)
          return
        default:
          if (!isFinishing) store.perform(effect)
      }
    })
    let isFinishing = false
    const finish = (): boolean => {
      isFinishing = true
      return store.isIdle
    }
    const stop = (): void => stopAll(driver, worker)
    const crash = (): CrashedAppends => {
      stop()
      return store.crash(stream(`${concern} crash`))
    }
    return { driver, machine, worker, store, stop, crash, finish }
  }

  /** @param disk what it had kept when it ended, for one that keeps documents over a restart */
  proxy(
    node: TreeNode,
    { routes, tree }: { readonly routes: Routes | undefined; readonly tree: FleetTree | undefined },
    disk: WarmDisk | undefined,
  ): MadeNode<ProxyInput, ProxyEffect, ProxyTier> & { close(): void } {
    const { sha256, note, stream, options } = this.#with
    const { name } = node
    const warm = disk && this.#warmStore(node, disk, i => driver.receive(i))
    const worker = this.#worker(node, i => driver.receive(i))
    const machine = new ProxyTier({
      sha256,
      prng: stream(processName(node)),
      limits: { follower: followerLimitsOf(options), lingerMs: options.lingerMs },
      routes,
      tree,
      codec: this.#codecOf(name),
      isWarm: warm !== undefined,
      isSnapshotDisabled: this.#isSnapshotless(name),
      wallClockMs: () => this.#with.wallMs(name),
    })
    const driver = this.drive<ProxyInput, ProxyEffect>(node, machine, effect => {
      switch (effect.kind) {
        case 'fact':
          note(name, effect.fact)
          return
        case 'warm-read':
        case 'warm-keep':
        case 'warm-drop':
          warm?.perform(effect)
          return
        case 'tree-told':
          this.#with.treeTold(name, effect)
          return
        default:
          this.#performOfFollower(effect, node, worker)
      }
    })
    const stop = (): void => {
      stopAll(driver, worker)
      warm?.crash()
    }
    const close = (): void => {
      driver.receive({ kind: 'closing' })
      stopAll(driver, worker)
    }
    return { driver, machine, worker, stop, close }
  }

  edge(
    node: TreeNode,
    routes: Routes | undefined,
    ceiling: number,
  ): MadeNode<EdgeInput, EdgeEffect, Edge> & { readonly rim: ViewerRim } {
    const { sha256, clock, note, stream, options, wallMs } = this.#with
    const { name, processor } = node
    const process = processName(node)
    const wallClockMs = (): number => wallMs(name)
    const worker = this.#worker(node, input => driver.receive(input))
    const machine = new Edge({
      sha256,
      prng: stream(process),
      wallClockMs,
      limits: {
        follower: followerLimitsOf(options),
        lingerMs: options.lingerMs,
        documentsPerViewerMax: 100,
        documentsMax: 100_000,
        joinsWaitingMax: options.joinsWaitingMax,
        joinSliceBytes: options.joinsWaitingMax === 1 ? 1 : undefined,
        checkEveryMs,
      },
      routes,
      codec: this.#codecOf(name),
      isSnapshotDisabled: this.#isSnapshotless(name),
    })
    const ear = this.#with.crowd.ear(name)
    const rim = new ViewerRim({
      clock,
      processor,
      prng: stream(`${process} rim`),
      budgetBytes: options.viewerBudgetBytes,
      receive: input => driver.receive(input),
      name,
      ways: this.#with.ways,
      wallMs: wallClockMs,
      tokens: stream(`${process} tokens`),
      watch: new FrameCheck({
        ...this.#with,
        edge: name,
        ceiling,
        isEntryLate: mayBeLarge(options),
        ear,
      }),
    })
    const loads = new VariantLoads({
      clock,
      prng: stream(`${process} variants`),
      loadMs: options.variantLoadMs,
      failShare: options.variantFailShare,
      isHealed: this.#with.isHealed,
      variants: this.#with.variants,
      receive: input => processor.do(() => driver.receive(input)),
    })
    const driver = this.drive<EdgeInput, EdgeEffect>(node, machine, effect => {
      if (isOfFollower(effect)) {
        this.#performOfFollower(effect, node, worker)
        return
      }
      switch (effect.kind) {
        case 'load-variant':
          loads.load(effect.variant)
          return
        case 'tree-told':
          this.#with.treeTold(name, effect)
          return
        case 'fact':
          ear.note(effect.fact)
          note(name, effect.fact)
          return
        default:
          rim.perform(effect)
      }
    })
    return { driver, machine, worker, rim, stop: () => stopAll(driver, worker) }
  }

  #performOfFollower(effect: FollowingEffect, node: TreeNode, worker: SimulatedWorker): void {
    switch (effect.kind) {
      case 'link-send':
      case 'link-signal':
      case 'link-close':
        this.#with.performOnLink(effect)
        return
      case 'want-parents':
      case 'want-nodes': {
        const count = effect.kind === 'want-nodes' ? effect.nodes.length : effect.count
        this.#with.note(node.name, { event: effect.kind, reason: `${count}` })
        node.wantParents(effect)
        return
      }
      default:
        worker.perform(effect)
    }
  }

  #warmStore(
    { name, incarnation, processor, disk: health }: TreeNode,
    disk: WarmDisk,
    receive: (input: WarmInput) => void,
  ): SimulatedWarmStore {
    const { clock, stream, note } = this.#with
    return new SimulatedWarmStore({
      clock,
      prng: stream(`${name} ${incarnation} warm`),
      options: diskOptions,
      disk,
      health,
      receive: input =>
        processor.do(() => {
          const isFound = input.kind === 'warm-read' && input.document !== undefined
          note(name, { event: input.kind, ...(isFound && { reason: 'found' }) })
          if (input.kind === 'warm-kept' && !input.isKept) note(name, { event: 'warm not kept' })
          receive(input)
        }),
    })
  }

  #worker(node: TreeNode, receive: (input: ReplicaWorkerInput) => void): SimulatedWorker {
    const { clock, sha256, stream, options, variants, note } = this.#with
    const { name, role, processor } = node
    const process = role === 'proxy' ? `${name} ${node.incarnation}` : processName(node)
    return new SimulatedWorker({
      clock,
      prng: stream(`${process} worker`),
      options: { effectMeanMs: options.workerMeanMs, endShare: options.workerEndShare },
      replicas: { sha256, codec: toyCodec, evaluate: code => variants.evaluate(code) },
      receive: input =>
        processor.do(() => {
          note(name, { event: input.kind })
          receive(input)
        }),
    })
  }

  /** The same each time that the node starts. */
  #codecOf(name: string): SnapshotCodec {
    const { stream, options } = this.#with
    return stream(`${name} codec`).chance(options.packingShare) ? toyCodec : plainCodec
  }

  #isSnapshotless(name: string): boolean {
    const { stream, options } = this.#with
    return stream(`${name} snapshots`).chance(options.snapshotlessShare)
  }

  /** Drives a machine of a node: what it wants done goes to `perform`. */
  drive<Input extends { readonly kind: string }, Effect extends { readonly kind: string }>(
    { name: node, processor, time }: TreeNode,
    machine: Machine<Input, Effect>,
    perform: (effect: Effect) => void,
  ): NodeDriver<Input, Effect> {
    const { clock, trace, problems, crossings, watch } = this.#with
    const around = crossings.around(node)
    return new NodeDriver<Input, Effect>({
      name: node,
      processor,
      machine,
      clock,
      time,
      trace,
      problems,
      perform: effect => {
        if (around.mask !== 0) crossings.count(effect.kind, node, clock.now)
        watch?.({ kind: 'effect', at: clock.now, node, effect })
        perform(effect)
      },
      describe:
        watch === undefined
          ? describeInput
          : input => {
              watch({ kind: 'input', at: clock.now, node, input })
              return describeInput(input)
            },
    })
  }
}

function stopAll(driver: { stop(): void }, worker: SimulatedWorker): void {
  driver.stop()
  void worker.close()
}

/** A name for what one process of an authority has of its log. */
const diskName = ({ name, incarnation }: TreeNode): string =>
  ['disk', name === 'authority' ? '' : name, incarnation === 1 ? '' : incarnation]
    .filter(word => word !== '')
    .join(' ')

/** A name for what one process of a node has of its own. */
const processName = ({ name, incarnation }: TreeNode): string =>
  incarnation === 1 ? name : `${name} ${incarnation}`
