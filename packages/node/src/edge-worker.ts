/*
 * One of the processes that serve the viewers of an edge: an edge whose only parent is the local proxy, and a public
 * port that it does not listen on. The process that does listen passes connections.
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { assert } from '@fanfold/kernel'
import { FleetView, Placement } from '@fanfold/topology'
import { TlsDialler } from '@fanfold/websocket'
import { createRouter } from './create-router.ts'
import { answerCrowd } from './crowd-routes.ts'
import { DescriptorTrouble } from './descriptor-trouble.ts'
import { EdgeHost } from './edge-host.ts'
import type {
  PlacementParts,
  WorkerBeginning,
  WorkerOrder,
  WorkerTenantUse,
  WorkerUse,
} from './edge-worker-orders.ts'
import { HttpListener, type HttpRoute } from './http-listener.ts'
import { createLinkAuthenticator } from './link-identity.ts'
import type { Log } from './logging.ts'
import { Metrics, type ToldMetric } from './metrics.ts'
import { loadSendAll } from './native-addon.ts'
import { type ProcessContext, ProcessNames } from './process-context.ts'
import { ProcessRoles } from './process-roles.ts'
import { verifierOf } from './process-tokens.ts'
import { createProcessWorkers } from './process-workers.ts'
import { servedCertificateOf } from './served-certificate.ts'
import { StatMetrics } from './stat-metrics.ts'
import { TenantQuotas } from './tenant-quotas.ts'
import { createVariantTrust } from './variant-trust.ts'
import { version } from './version.ts'
import { answerWrite } from './write-routes.ts'

/** Tenants of which is told what they have here; of more nothing is known outside of the process. */
const tenantsToldMax = 1_000

/** An edge that serves connections which another process has accepted. */
export class EdgeWorker {
  readonly #context: ProcessContext
  readonly #roles = new ProcessRoles()
  readonly #edge: EdgeHost
  readonly #view: FleetView | undefined
  readonly #router: ReturnType<typeof createRouter>
  readonly #public: HttpListener
  readonly #stats: StatMetrics
  readonly #descriptors: DescriptorTrouble

  private constructor(context: ProcessContext, { config, ticketKeys, self }: WorkerBeginning) {
    this.#context = context
    this.#view = self && new FleetView(self)
    if (this.#view !== undefined) context.quotas.follow(this.#view)
    const verifier = verifierOf(context)
    const name = config.node.id ?? ''
    const seed = `${name}/${randomBytes(8).toString('hex')}`
    const place = { name, region: config.region, parent: config.parents, seed }
    this.#edge = new EdgeHost(context, place, verifier)
    this.#roles.edges.push(this.#edge)
    this.#router = createRouter(config)
    this.#router.add('', { observe: this.#edge.viewers })
    const routes: readonly HttpRoute[] = [
      (request, path) => answerCrowd(request, path, { posts: this.#edge.crowd, verifier }),
      (request, path) =>
        answerWrite(request, path, { authority: undefined, verifier, fleet: this.#view }),
    ]
    const certificate = servedCertificateOf(config)
    this.#public = new HttpListener(routes, context.log, certificate, ticketKeys)
    this.#router.attach(this.#public.server)
    this.#public.begin()
    this.#stats = new StatMetrics({
      metrics: context.metrics,
      roles: this.#roles,
      router: this.#router,
      quotas: context.quotas,
      certificateSeconds: () => undefined,
    })
    this.#descriptors = new DescriptorTrouble(context)
  }

  /** Starts one; it dials the local proxy at once. */
  static async start(
    beginning: WorkerBeginning,
    process: { readonly log: Log; readonly fail: (error: unknown) => void },
  ): Promise<EdgeWorker> {
    const { config, fleetPublicKeys, workers } = beginning
    const { token, privateKey } = config.link
    assert(token !== undefined && privateKey !== undefined, 'a worker has a link token')
    const identity = { token, privateKey }
    const context: ProcessContext = {
      config,
      ...process,
      metrics: new Metrics({ version, region: config.region, isProcessCollected: true }),
      authenticator: await createLinkAuthenticator({
        ...identity,
        fleetPublicKeys: config.link.fleetPublicKeys,
        incarnation: randomBytes(8).toString('hex'),
      }),
      tlsDialler: new TlsDialler([]),
      agreement: undefined,
      variantTrust: createVariantTrust({ ...identity, fleetPublicKeys }),
      quotas: new TenantQuotas(config.tenants.quotas, workers),
      isDevelopment: false,
      names: new ProcessNames(),
      openWorker: createProcessWorkers(config),
      sendAll: loadSendAll(config, process.log),
    }
    return new EdgeWorker(context, beginning)
  }

  /** Serves a connection. */
  take(socket: Socket): void {
    this.#public.take(socket)
  }

  /** Does what it is told while it runs. */
  obey(order: Extract<WorkerOrder, { kind: 'show' | 'quotas' | 'placed' }>): void {
    if (order.kind === 'show') this.#public.show(order.certificate)
    else if (order.kind === 'quotas') this.#context.quotas.reconfigure(order.rules)
    else this.#view?.placed(placementOf(order))
  }

  /** Connections that it was given and that are open. */
  get connections(): number {
    return this.#public.given
  }

  /** What it has now. */
  get use(): WorkerUse {
    const { counts, bytesOut, suspectCount: suspects, hasParent } = this.#edge
    return { ...counts, bytesOut, suspects, hasParent }
  }

  /** What tenants that a quota bounds have here. */
  get tenants(): readonly WorkerTenantUse[] {
    const tenants = [...this.#edge.boundedTenants].slice(0, tenantsToldMax)
    return tenants.map(tenant => ({ tenant, ...this.#edge.tenantUse(tenant) }))
  }

  async metrics(): Promise<readonly ToldMetric[]> {
    this.#stats.update()
    return await this.#context.metrics.told()
  }

  /** Goes away in good order: nobody new, viewers told. */
  async drain(): Promise<void> {
    this.#router.close()
    await this.#roles.drain()
    await this.#roles.close()
    this.#descriptors.close()
    await this.#public.close()
  }
}

/** What the node's own placement was made of. */
const placementOf = ({ members, entries, fingerprint }: PlacementParts): Placement =>
  new Placement({ members, entries, fingerprint })
