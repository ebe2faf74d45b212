/*
 * An edge whose viewers are served by several processes. The process that was started is a proxy to them: it has the
 * node's name, its links to other nodes and each document once, however many workers there are. It accepts the
 * connections of the public port and passes them on, and it never looks into one.
 *
 *   parents ──▶ local proxy ──▶ worker 1: an edge, its viewers
 *                   │      └──▶ worker 2: an edge, its viewers
 *   public port ────┴ connections, each to who has fewest
 */
import type { Socket } from 'node:net'
import type { EdgeTenantUse } from '@fanfold/edge'
import { assert, Prng } from '@fanfold/kernel'
import type { FleetView } from '@fanfold/topology'
import { workerConfig, workersOf } from './edge-worker-config.ts'
import { WorkerDoor } from './edge-worker-door.ts'
import { WorkerIdentities } from './edge-worker-identity.ts'
import { WorkerMetrics } from './edge-worker-metrics.ts'
import type { WorkerBeginning, WorkerOrder } from './edge-worker-orders.ts'
import type { WorkerProcess } from './edge-worker-process.ts'
import { WorkerSlot } from './edge-worker-slot.ts'
import type { FollowerPlace } from './follower-links.ts'
import type { ToldMetric } from './metrics.ts'
import { nextTaker } from './next-taker.ts'
import type { ProcessContext } from './process-context.ts'
import { ProxyHost } from './proxy-host.ts'
import { type ServedCertificate, servedCertificateOf } from './served-certificate.ts'
import type { ConnectionTakers } from './shared-port.ts'
import { makeTicketKeys } from './tls-server.ts'

/** What is told of a worker to whoever looks at the node. */
export type ShownWorker = {
  readonly worker: number
  /** Undefined while nobody is in its place. */
  readonly pid: number | undefined
  readonly isReady: boolean
  readonly connections: number
  readonly documents: number
  readonly viewers: number
}

/** The workers of a node, and the proxy that they have their documents from. */
export class EdgeWorkers implements ConnectionTakers {
  readonly proxy: ProxyHost
  readonly #context: ProcessContext
  readonly #view: FleetView | undefined
  readonly #node: string
  readonly #door: WorkerDoor
  readonly #identities: WorkerIdentities
  readonly #metrics = new WorkerMetrics()
  readonly #slots: readonly WorkerSlot[]
  readonly #ticketKeys = makeTicketKeys()
  #address = ''
  #certificate: ServedCertificate | undefined
  #rules: readonly string[]
  /** Sent to viewers by workers that have ended. */
  #bytesOfEnded = 0

  private constructor(
    context: ProcessContext,
    place: FollowerPlace,
    parts: Pick<EdgeWorkers, 'proxy'> & { readonly identities: WorkerIdentities },
  ) {
    const { config, log, metrics, fail } = context
    const { acceptor } = parts.proxy.links
    assert(acceptor !== undefined, 'a node with workers has a link token')
    this.proxy = parts.proxy
    this.#identities = parts.identities
    this.#context = context
    this.#view = place.fleet?.fleet
    this.#node = place.name
    this.#door = new WorkerDoor(acceptor, log)
    this.#certificate = servedCertificateOf(config)
    this.#rules = config.tenants.quotas
    const prng = new Prng(place.seed)
    this.#slots = Array.from({ length: workersOf(config) }, (_, index) => {
      const worker = index + 1
      return new WorkerSlot({
        worker,
        prng: prng.fork(`worker-${worker}`),
        log,
        metrics,
        fail,
        beginning: () => this.#beginning(worker),
        began: process => this.#began(process),
        ended: ({ use }) => {
          this.#bytesOfEnded += use.bytesOut
          this.#metrics.end(String(worker))
        },
        told: told => this.#metrics.tell(String(worker), told),
      })
    })
  }

  /** Starts a node's local proxy and its workers; resolves when each of them serves, or has ended without. */
  static async start(context: ProcessContext, place: FollowerPlace): Promise<EdgeWorkers> {
    const { authenticator, config } = context
    assert(authenticator !== undefined, 'a node with workers has a link token')
    const { identity } = await authenticator.verify(authenticator.token())
    const { region } = config
    const identities = new WorkerIdentities({
      node: place.name,
      region,
      ceiling: identity.ceiling,
    })
    const proxy = new ProxyHost(context, place, await identities.ofProxy())
    const workers = new EdgeWorkers(context, place, { proxy, identities })
    try {
      await workers.#begin()
      return workers
    } catch (error) {
      await workers.close()
      await proxy.close()
      throw error
    }
  }

  async #begin(): Promise<void> {
    this.#address = await this.#door.open()
    this.#view?.onPlaced(() => this.#tellPlacement(this.#processes))
    await Promise.all(this.#slots.map(slot => slot.start()))
  }

  /** Passes a connection to who has fewest; where nobody takes any it is cut. */
  take(socket: Socket): void {
    const { metrics } = this.#context
    const process = nextTaker(this.#processes)
    metrics.labelled('worker_connections_total', process === undefined ? 'dropped' : 'passed').inc()
    if (process === undefined) socket.destroy()
    else process.pass(socket)
  }

  show(certificate: ServedCertificate): void {
    this.#certificate = certificate
    this.#tellAll({ kind: 'show', certificate })
  }

  /** What tenants may take is otherwise from now on. */
  reconfigure(rules: readonly string[]): void {
    this.#rules = rules
    this.#tellAll({ kind: 'quotas', rules })
  }

  /** Workers that serve. */
  get count(): number {
    return this.#processes.filter(({ isReady }) => isReady).length
  }

  /** Why nobody is served here; empty when somebody is. */
  get notReady(): readonly string[] {
    const serving = this.#processes.filter(({ isReady }) => isReady)
    if (serving.length === 0) return ['no worker serves viewers: the log says why they end']
    return serving.some(({ use }) => use.hasParent)
      ? []
      : ['no worker has its link to this process']
  }

  /** What they have together, documents once. */
  get counts(): { readonly documents: number; readonly viewers: number } {
    const viewers = this.#sum(({ use }) => use.viewers)
    return { documents: this.proxy.counts.documents, viewers }
  }

  /** Documents in which something differed when they were last checked, at each of them. */
  get suspectCount(): number {
    return this.#sum(({ use }) => use.suspects)
  }

  /** Bytes sent to viewers so far. */
  get bytesOut(): number {
    return this.#bytesOfEnded + this.#sum(({ use }) => use.bytesOut)
  }

  /** What a tenant has at all of them. */
  tenantUse(tenant: string): EdgeTenantUse {
    const uses = this.#processes.flatMap(process =>
      process.tenants.filter(use => use.tenant === tenant),
    )
    return {
      viewers: uses.reduce((sum, use) => sum + use.viewers, 0),
      sentBytes: uses.reduce((sum, use) => sum + use.sentBytes, 0),
      isHeld: uses.some(use => use.isHeld),
    }
  }

  /** Tenants that a quota bounds and that have something at one of them. */
  get boundedTenants(): readonly string[] {
    return this.#processes.flatMap(process => process.tenants.map(({ tenant }) => tenant))
  }

  /** Each of them, for whoever looks at the node. */
  get shown(): readonly ShownWorker[] {
    return this.#slots.map(({ worker, process }) => {
      const { documents, viewers } = process?.use ?? { documents: 0, viewers: 0 }
      const { pid, isReady = false, held: connections = 0 } = process ?? { pid: undefined }
      return { worker, pid, isReady, connections, documents, viewers }
    })
  }

  /** The metrics of the node: those of this process with those of all workers. */
  async render(own: readonly ToldMetric[]): Promise<string> {
    await Promise.all(this.#processes.map(process => process.tellMetrics()))
    return await this.#metrics.render(own)
  }

  /** They go in good order; resolves when all have gone. */
  async drain(): Promise<void> {
    await Promise.all(this.#slots.map(slot => slot.drain()))
  }

  /** Ends who is left. */
  async close(): Promise<void> {
    await Promise.all(this.#slots.map(slot => slot.close()))
    await this.#door.close()
  }

  get #processes(): WorkerProcess[] {
    return this.#slots.flatMap(({ process }) => process ?? [])
  }

  #sum(of: (process: WorkerProcess) => number): number {
    return this.#processes.reduce((sum, process) => sum + of(process), 0)
  }

  #tellAll(order: WorkerOrder): void {
    for (const process of this.#processes) if (process.isReady) process.tell(order)
  }

  /** What may have changed since it was started. */
  #began(process: WorkerProcess): void {
    process.tell({ kind: 'quotas', rules: this.#rules })
    if (this.#certificate !== undefined) {
      process.tell({ kind: 'show', certificate: this.#certificate })
    }
    this.#tellPlacement([process])
  }

  #tellPlacement(processes: readonly WorkerProcess[]): void {
    const placement = this.#view?.placement
    if (placement === undefined) return
    const { members, entries, fingerprint } = placement
    const parts = { members: [...members], entries: [...entries], fingerprint }
    for (const process of processes) {
      if (process.isReady) process.tell({ kind: 'placed', ...parts })
    }
  }

  async #beginning(worker: number): Promise<WorkerBeginning> {
    const { config } = this.#context
    const link = await this.#identities.ofWorker(worker)
    return {
      node: this.#node,
      worker,
      workers: this.#slots.length,
      config: workerConfig(config, { parent: this.#address, link }),
      fleetPublicKeys: config.link.fleetPublicKeys,
      ticketKeys: this.#ticketKeys,
      self: this.#view?.self,
    }
  }
}
