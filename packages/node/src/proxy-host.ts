import type { WarmInput, WarmStore } from '@fanfold/document'
import { Prng } from '@fanfold/kernel'
import type { DocumentKey, TreeEntry } from '@fanfold/protocol'
import { type ProxyEffect, type ProxyFact, type ProxyInput, ProxyTier } from '@fanfold/proxy'
import { createFileWarmStore } from '@fanfold/storage'
import type { LinkAuthenticator } from '@fanfold/websocket'
import { wallClock } from './clock.ts'
import { FollowerLinks, type FollowerPlace } from './follower-links.ts'
import { HostWorker } from './host-worker.ts'
import { MachineDriver } from './machine-driver.ts'
import { proxyLimits } from './machine-limits.ts'
import { Passing } from './passing.ts'
import type { ProcessContext } from './process-context.ts'
import type { RoleLinks } from './role-links.ts'
import { countServing } from './serving-metrics.ts'
import { sha256 } from './sha256.ts'
import { snapshotCodec } from './snapshot-codec.ts'
import { TreeAnswers } from './tree-answers.ts'

/** A proxy of a process: the machine, the link to its parent and its children's links. */
export class ProxyHost {
  readonly #machine: ProxyTier
  readonly #driver: MachineDriver<ProxyInput, ProxyEffect>
  readonly #worker: HostWorker
  /** Where documents are kept over a restart, if they are. */
  readonly #warm: WarmStore | undefined
  readonly #follower: FollowerLinks
  readonly #context: ProcessContext
  readonly #passing: Passing
  readonly #trees = new TreeAnswers(input => this.#driver.submit(input))

  /** @param toWorkers who the node is to its own workers, where it is their local proxy: an edge to all others */
  constructor(
    context: ProcessContext,
    place: FollowerPlace,
    toWorkers?: LinkAuthenticator | undefined,
  ) {
    const { config, fail } = context
    const isFront = toWorkers !== undefined
    this.#context = context
    const prng = new Prng(place.seed)
    this.#machine = new ProxyTier({
      sha256,
      prng: prng.fork('machine'),
      limits: proxyLimits(config),
      routes: place.fleet?.fleet.routesOf(isFront ? 'edge' : 'proxy'),
      tree: isFront ? undefined : place.fleet?.fleet.tree,
      isFront,
      codec: snapshotCodec,
      isWarm: place.warm !== undefined,
      isSnapshotDisabled: config.disableSnapshot,
      wallClockMs: wallClock,
    })
    this.#worker = new HostWorker({
      open: context.openWorker,
      metrics: context.metrics,
      receive: input => this.#driver.submit(input),
    })
    this.#warm = this.#openWarm(place.warm)
    this.#driver = new MachineDriver<ProxyInput, ProxyEffect>({
      machine: this.#machine,
      perform: effect => this.#perform(effect),
      fail,
    })
    this.#passing = new Passing(context, 'proxy')
    this.#follower = new FollowerLinks(context, {
      role: 'proxy',
      place,
      prng,
      report: input => this.#driver.submit(input),
      toWorkers,
    })
    this.#follower.start()
  }

  /** Links to the parent and to children. */
  get links(): RoleLinks {
    return this.#follower.links
  }

  /** Documents held, links of children, and streams of documents on them. */
  get counts(): { readonly documents: number; readonly links: number; readonly children: number } {
    const { documentCount, childCount, streamCount } = this.#machine
    return { documents: documentCount, links: childCount, children: streamCount }
  }

  /** Where a document is had from, and how far; undefined for one that is not followed. */
  standingOf(doc: DocumentKey): ReturnType<ProxyTier['standingOf']> {
    return this.#machine.standingOf(doc)
  }

  /** Who has a document from whom, as far as it can be told now. */
  treeOf(doc: DocumentKey): Promise<readonly TreeEntry[]> {
    return this.#trees.ask(doc)
  }

  /** Documents of which what is held may be old. */
  get staleCount(): number {
    return this.#machine.staleCount
  }

  /** Viewers of all documents, as the nodes below count them. */
  get viewersBelow(): number {
    return this.#machine.viewersBelow
  }

  /** True while as many bytes of documents are sent to other nodes as there may be. */
  get isOverBytes(): boolean {
    return this.#machine.isOverBytes
  }

  /** Nodes that are dialled, and how that goes. */
  get dialled(): FollowerLinks['dialled'] {
    return this.#follower.dialled
  }

  /** What came of asking parents for documents. */
  get requestCounts(): ProxyTier['requestCounts'] {
    return this.#machine.requestCounts
  }

  /** True while a parent is connected. */
  get hasParent(): boolean {
    return this.#machine.hasParent
  }

  /** Replicas of large documents at the worker. */
  get workerReplicaCount(): number {
    return this.#worker.count
  }

  /** What is worth keeping over a restart is kept before all is closed. */
  async close(): Promise<void> {
    if (this.#warm !== undefined) this.#driver.submit({ kind: 'closing' })
    this.#follower.close()
    this.#driver.close()
    this.#trees.close()
    await this.#worker.close()
    await this.#warm?.close()
  }

  #openWarm(directory: string | undefined): WarmStore | undefined {
    if (directory === undefined) return undefined
    const { metrics, log } = this.#context
    return createFileWarmStore({
      directory,
      sha256,
      onDropped: doc => {
        metrics.labelled('warm_kept_total', 'dropped').inc()
        log.warn({ event: 'warm.dropped', doc }, 'what was kept of a document was not good')
      },
    })(input => {
      this.#noteWarm(input)
      this.#driver.submit(input)
    })
  }

  #noteWarm(input: WarmInput): void {
    if (input.kind !== 'warm-kept') return
    this.#context.metrics.labelled('warm_kept_total', input.isKept ? 'kept' : 'no-room').inc()
  }

  #perform(effect: ProxyEffect): void {
    switch (effect.kind) {
      case 'link-send':
      case 'link-signal':
      case 'link-close':
        this.links.perform(effect)
        return
      case 'fact':
        this.#note(effect.fact)
        return
      case 'tree-told':
        this.#trees.told(effect)
        return
      case 'want-parents':
      case 'want-nodes':
        this.#follower.wantParents(effect)
        return
      case 'warm-read':
      case 'warm-keep':
      case 'warm-drop':
        this.#warm?.perform(effect)
        return
      default:
        this.#worker.perform(effect)
    }
  }

  #noteForwarded({ doc, records }: Extract<ProxyFact, { event: 'records-forwarded' }>): void {
    const { metrics } = this.#context
    const [first] = records
    if (first === undefined) return
    const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0)
    metrics.labelled('records_in_total', 'proxy').inc(records.length)
    metrics.labelled('received_bytes_total', 'parent').inc(bytes)
    const lagMs = Math.max(0, wallClock() - first.timeMs)
    metrics.labelled('replication_lag_seconds', 'proxy').observe(lagMs / 1_000)
    this.#passing.note(doc, records)
  }

  #note(fact: ProxyFact): void {
    const { metrics } = this.#context
    switch (fact.event) {
      case 'records-forwarded':
        this.#noteForwarded(fact)
        return
      case 'join-answered':
      case 'snapshot-sent':
      case 'replay-ended':
      case 'lag-told':
        countServing(metrics, 'proxy', fact)
        return
      default:
        this.#follower.note(fact)
    }
  }
}
