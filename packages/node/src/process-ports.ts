import { randomBytes } from 'node:crypto'
import type { DocumentKey } from '@fanfold/protocol'
import type { UpgradeRouter } from '@fanfold/websocket'
import { adminRoutes, type NodeStanding } from './admin-routes.ts'
import { CertificateWatch } from './certificate-watch.ts'
import { wallClock } from './clock.ts'
import type { Config } from './config.ts'
import { DescriptorTrouble } from './descriptor-trouble.ts'
import type { DrainState } from './drain-answer.ts'
import { HttpListener, type HttpRoute } from './http-listener.ts'
import type { PlacingSource } from './place-answer.ts'
import type { ProcessContext } from './process-context.ts'
import type { ProcessRoles } from './process-roles.ts'
import { type ServedCertificate, servedCertificateOf } from './served-certificate.ts'
import { SharedPort } from './shared-port.ts'
import { StatMetrics } from './stat-metrics.ts'

/** What listens where viewers, writers and nodes connect. */
export interface PublicPort {
  /** Listens; resolves with the port, which is a free one for 0. */
  listen(port: number, host: string): Promise<number>
  /** Shows another certificate to whoever connects from now on. */
  show(certificate: ServedCertificate): void
  /** Takes no more connections; resolves when what is left has had its time. */
  close(): Promise<void>
}

/** The two ports of a process, and the order in which all of it goes away. */
export class ProcessPorts {
  readonly #context: ProcessContext
  readonly #roles: ProcessRoles
  readonly #router: UpgradeRouter
  readonly #public: PublicPort
  readonly #admin: HttpListener
  readonly #notReadyAs: () => readonly string[]
  readonly #descriptors: DescriptorTrouble
  /** What the public port shows, and when that ends; undefined where it is plain. */
  #certificate: ServedCertificate | undefined
  readonly #certificateWatch: CertificateWatch | undefined
  readonly #incarnation = randomBytes(8).toString('hex')
  #isAsked = false
  #isDraining = false
  #stopping: Promise<void> | undefined

  constructor(
    context: ProcessContext,
    options: {
      readonly roles: ProcessRoles
      /** Takes the WebSockets of the public port. */
      readonly router: UpgradeRouter
      /** What the public port shows over TLS; a plain one where it is not said. */
      readonly certificate?: ServedCertificate | undefined
      /** What else the public port answers. */
      readonly routes: readonly HttpRoute[]
      /** What is told of the tree, and of a document when one is asked about. */
      readonly topology: (doc: DocumentKey | undefined) => Promise<unknown>
      /** How an operator asks the process to go; where it is not said nobody can. */
      readonly drain?: { readonly node: string; readonly ask: () => void } | undefined
      /** What the process is part of; where it is not said it is alone. */
      readonly standing?: (() => NodeStanding) | undefined
      /** What operators ask of placements; undefined where there is no fleet. */
      readonly placing?: (() => PlacingSource | undefined) | undefined
      /** Why a node of a fleet is not ready; where it has parents by name, that is that it has none. */
      readonly fleetNotReady?: (() => readonly string[]) | undefined
    },
  ) {
    const { config, log, metrics } = context
    const { roles, router, routes, topology, drain, standing, placing, fleetNotReady } = options
    const { certificate } = options
    this.#notReadyAs = fleetNotReady ?? (() => parentless(roles))
    this.#context = context
    this.#roles = roles
    this.#router = router
    this.#public = this.#openPublic(routes, certificate)
    this.#certificate = certificate
    const nowMs = (): number => performance.now()
    this.#certificateWatch =
      certificate && new CertificateWatch({ certificate, log, wallClock, nowMs })
    const stats = new StatMetrics({
      metrics,
      roles,
      router,
      quotas: context.quotas,
      certificateSeconds: () => this.#certificateWatch?.secondsLeft,
    })
    const admin = adminRoutes({
      adminToken: config.adminToken,
      notReady: () => this.#notReady(),
      standing: standing ?? (() => ({ mode: 'alone' })),
      suspects: () => roles.viewed.reduce((sum, edge) => sum + edge.suspectCount, 0),
      metrics: async () => {
        stats.update()
        const { workers } = roles
        const text =
          workers === undefined
            ? await metrics.render()
            : await workers.render(await metrics.told())
        return { text, type: metrics.contentType }
      },
      topology,
      placing: () => placing?.(),
      drain: drain && {
        begin: () => {
          if (this.#isDraining || this.#isAsked) return
          this.#isAsked = true
          log.info({ event: 'node.drain-asked' }, 'an operator asks the node to go')
          drain.ask()
        },
        state: () => this.#drainState(drain.node),
      },
    })
    this.#admin = new HttpListener(admin, log)
    this.#descriptors = new DescriptorTrouble(context)
  }

  /** Listens; rejects when a port cannot be had, and leaves nothing open then. */
  async listen(): Promise<{ readonly port: number; readonly adminPort: number }> {
    const { config } = this.#context
    try {
      return {
        port: await this.#public.listen(config.port, config.host),
        adminPort: await this.#admin.listen(config.adminPort, config.adminHost),
      }
    } catch (error) {
      await this.#closeListeners()
      throw error
    }
  }

  /** Takes of a configuration what may change while the ports are open: another certificate. */
  reconfigure(config: Config): void {
    const next = servedCertificateOf(config)
    const { certificate, privateKey } = this.#certificate ?? {}
    if (this.#certificate === undefined || next === undefined) return
    if (next.certificate === certificate && next.privateKey === privateKey) return
    this.#public.show(next)
    this.#certificate = next
    this.#certificateWatch?.take(next)
  }

  /**
   * Goes away in good order: not ready, nobody new, viewers and children told, what the log has begun
   * finished. May be called twice.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const { log } = this.#context
    this.#isDraining = true
    log.info({ event: 'node.draining' }, 'node draining')
    this.#router.close()
    await this.#roles.drain()
    await this.#roles.close()
    await this.#closeListeners()
    log.info({ event: 'node.stopped' }, 'node stopped')
  }

  async #closeListeners(): Promise<void> {
    this.#descriptors.close()
    this.#certificateWatch?.close()
    await Promise.all([this.#public.close(), this.#admin.close()])
  }

  #drainState(node: string): DrainState {
    const { parents, viewed } = this.#roles
    const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0)
    return {
      node,
      incarnation: this.#incarnation,
      isDraining: this.#isDraining || this.#isAsked,
      viewers: sum(viewed.map(({ counts }) => counts.viewers)),
      children: sum(parents.map(({ counts }) => counts.children)),
      documents: sum([...parents, ...viewed].map(({ counts }) => counts.documents)),
      deadlineMs: this.#context.config.limits.drainDeadlineMs,
    }
  }

  #notReady(): string[] {
    const ofWorkers = this.#roles.workers?.notReady ?? []
    return [...(this.#isDraining ? ['draining'] : []), ...ofWorkers, ...this.#notReadyAs()]
  }

  /** Workers serve what is connected to it, where there are some. */
  #openPublic(
    routes: readonly HttpRoute[],
    certificate: ServedCertificate | undefined,
  ): PublicPort {
    const { workers } = this.#roles
    if (workers !== undefined) return new SharedPort(workers)
    const listener = new HttpListener(routes, this.#context.log, certificate)
    this.#router.attach(listener.server)
    return listener
  }
}

const parentless = ({ proxies, edges, workers }: ProcessRoles): readonly string[] => [
  ...(proxies.every(proxy => proxy.hasParent)
    ? []
    : [workers === undefined ? 'a proxy has no parent' : 'an edge has no parent']),
  ...(edges.every(edge => edge.hasParent) ? [] : ['an edge has no parent']),
]
