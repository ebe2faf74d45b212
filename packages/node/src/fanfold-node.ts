import { randomBytes } from 'node:crypto'
import { TlsDialler, type UpgradeRouter } from '@fanfold/websocket'
import type { NodeStanding } from './admin-routes.ts'
import { AuthorityHost } from './authority-host.ts'
import type { Config, Role } from './config.ts'
import { ConfigError } from './config-error.ts'
import { createRouter } from './create-router.ts'
import { answerCrowd } from './crowd-routes.ts'
import { EdgeHost } from './edge-host.ts'
import { workersOf } from './edge-worker-config.ts'
import { EdgeWorkers } from './edge-workers.ts'
import { Fleet } from './fleet.ts'
import { configuredViewOf, FleetAgreement } from './fleet-agreement.ts'
import { createLinkAuthenticator } from './link-identity.ts'
import { loadDefinition } from './load-definition.ts'
import { checkLogStore } from './log-stores.ts'
import type { Log } from './logging.ts'
import { Metrics } from './metrics.ts'
import { loadSendAll } from './native-addon.ts'
import { isLiveHere, nodeTopology } from './node-topology.ts'
import { type ProcessContext, ProcessNames } from './process-context.ts'
import { ProcessLoad } from './process-load.ts'
import { ProcessPorts } from './process-ports.ts'
import { ProcessRoles } from './process-roles.ts'
import { verifierOf } from './process-tokens.ts'
import { createProcessWorkers } from './process-workers.ts'
import { ProxyHost } from './proxy-host.ts'
import { quotaUseOf } from './quota-use.ts'
import { readProject } from './read-project.ts'
import type { RoleLinks } from './role-links.ts'
import { servedCertificateOf } from './served-certificate.ts'
import { TenantQuotas } from './tenant-quotas.ts'
import { createVariantTrust, inProcessTrust, type VariantTrust } from './variant-trust.ts'
import { version } from './version.ts'
import type { TokenVerifier } from './viewer-tokens.ts'
import { answerWrite } from './write-routes.ts'

/** A node that runs. */
export type RunningNode = {
  /** Where viewers, writers and nodes connect. */
  readonly port: number
  readonly adminPort: number
  /** Takes of a configuration what may change while a node runs, and nothing else: see `liveOptions`. */
  reconfigure(config: Config): void
  /**
   * Goes away in good order: not ready, viewers and children told, what the log has begun finished.
   * May be called twice.
   */
  stop(): Promise<void>
}

/** How a node is started. */
export type StartNodeOptions = {
  readonly config: Config
  readonly log: Log
  /** Shared state is in doubt: the process must end. */
  readonly fail: (error: unknown) => void
  /** An operator asks the node to go: it is to be stopped. Where it is not said nobody can ask. */
  readonly drainAsked?: (() => void) | undefined
}

/**
 * Starts one node with the roles of its configuration. When that fails, nothing is left open.
 *
 * @throws ConfigError when the configuration does not fit the roles, BuildError
 */
export async function startNode(options: StartNodeOptions): Promise<RunningNode> {
  const { config, log, fail, drainAsked } = options
  checkRoles(config)
  const metrics = new Metrics({ version, region: config.region, isProcessCollected: true })
  const context: ProcessContext = {
    config,
    log,
    fail,
    metrics,
    authenticator: await authenticatorOf(config),
    tlsDialler: new TlsDialler(authoritiesOf(config)),
    agreement: agreementOf(config, log, metrics),
    variantTrust: variantTrustOf(config),
    quotas: new TenantQuotas(config.tenants.quotas),
    isDevelopment: false,
    names: new ProcessNames(),
    openWorker: createProcessWorkers(config),
    sendAll: loadSendAll(config, log),
  }
  const verifier = verifierOf(context)
  const fleet = await Fleet.prepare(context)
  if (fleet !== undefined) context.quotas.follow(fleet.view)
  const name = fleet?.view.self.node ?? config.node.id ?? `node-${randomBytes(4).toString('hex')}`
  const roles = new ProcessRoles()
  try {
    await startRoles(roles, context, { name, verifier, fleet })
    const certificate = servedCertificateOf(config)
    const ports = new ProcessPorts(context, {
      roles,
      router: routerOf(roles, config),
      certificate,
      routes: [
        (request, path) => answerCrowd(request, path, { posts: roles.edges[0]?.crowd, verifier }),
        (request, path) =>
          answerWrite(request, path, { authority: roles.authority, verifier, fleet: fleet?.view }),
      ],
      topology: doc => nodeTopology(roles, { name, config, fleet, quotas: context.quotas }, doc),
      drain: drainAsked && { node: name, ask: drainAsked },
      standing: standingOf(config, fleet),
      placing: () =>
        fleet && {
          ...fleet.placing,
          isLive: (doc, owner) => isLiveHere(doc, roles, owner === name),
          quotaUse: tenant => quotaUseOf(tenant, roles, context.quotas),
        },
      fleetNotReady: fleet && (() => fleet.notReady()),
    })
    const { port, adminPort } = await ports.listen()
    const load = new ProcessLoad(roles, () => performance.now())
    fleet?.join(port, () => load.measure())
    const workers = workersOf(config)
    const started = { event: 'node.started', roles: config.roles, port, adminPort, workers }
    const isNative = context.sendAll !== undefined
    log.info({ ...started, isTls: certificate !== undefined, isNative }, 'node started')
    let stopping: Promise<void> | undefined
    const stop = async (): Promise<void> => {
      await fleet?.drain()
      try {
        await ports.stop()
      } finally {
        await fleet?.leave()
      }
    }
    return {
      port,
      adminPort,
      reconfigure: changed => {
        context.quotas.reconfigure(changed.tenants.quotas)
        roles.workers?.reconfigure(changed.tenants.quotas)
        fleet?.reconfigure(changed)
        context.tlsDialler.believe(authoritiesOf(changed))
        ports.reconfigure(changed)
      },
      stop: () => (stopping ??= stop()),
    }
  } catch (error) {
    await roles.close()
    throw error
  }
}

function standingOf({ parents }: Config, fleet: Fleet | undefined): () => NodeStanding {
  if (fleet !== undefined) return () => fleet.standing
  const { length } = parents
  return () => (length === 0 ? { mode: 'alone' } : { mode: 'parents', parents: length })
}

/** Starts the roles from the top down, each with the one above it as its parent. */
async function startRoles(
  roles: ProcessRoles,
  context: ProcessContext,
  options: {
    readonly name: string
    readonly verifier: TokenVerifier
    readonly fleet: Fleet | undefined
  },
): Promise<void> {
  const { config } = context
  const { name, verifier, fleet } = options
  const has = (role: Role): boolean => config.roles.includes(role)
  const placeBelow = (above: { readonly links: RoleLinks } | undefined, role: Role) => ({
    name,
    region: config.region,
    parent: above?.links ?? config.parents,
    seed: `${name}/${role}/${randomBytes(8).toString('hex')}`,
    fleet: fleet?.place,
  })
  if (has('authority')) {
    await checkLogStore(config, context.log)
    roles.authority = new AuthorityHost(context, verifier, fleet?.place)
    await loadDefinitions(config, roles.authority)
  }
  if (has('proxy')) {
    const place = placeBelow(roles.authority, 'proxy')
    roles.proxies.push(new ProxyHost(context, { ...place, warm: config.warm }))
  }
  if (workersOf(config) > 1) {
    roles.workers = await EdgeWorkers.start(context, placeBelow(undefined, 'edge'))
    roles.proxies.push(roles.workers.proxy)
  } else if (has('edge')) {
    const place = placeBelow(roles.proxies[0] ?? roles.authority, 'edge')
    roles.edges.push(new EdgeHost(context, place, verifier))
  }
}

/** Links go to the lowest role that has children; where workers serve viewers nobody is served here. */
function routerOf(roles: ProcessRoles, config: Config): UpgradeRouter {
  const { authority, proxies, edges, workers } = roles
  const router = createRouter(config)
  if (workers !== undefined) return router
  const [proxy] = proxies
  const [edge] = edges
  const link = (proxy ?? authority)?.links.acceptor
  router.add('', {
    ...(link === undefined ? {} : { link }),
    ...(edge === undefined ? {} : { observe: edge.viewers }),
    ...(authority === undefined ? {} : { write: authority.writers }),
  })
  return router
}

/** @throws ConfigError with what the roles need and the configuration does not give */
function checkRoles(config: Config): void {
  const problems: { place: string; message: string }[] = []
  const has = (role: Role): boolean => config.roles.includes(role)
  if (!has('authority') && config.link.token === undefined) {
    const message = 'a link token to connect to a parent with; `fanfold token link` mints one'
    problems.push({ place: 'link.token', message })
  }
  if (
    (has('edge') || has('authority')) &&
    config.tokenKey === undefined &&
    config.tokenJwksUrl === undefined
  ) {
    const message = 'tokenKey or tokenJwksUrl, to check viewers and writers by'
    problems.push({ place: 'tokenKey', message })
  }
  if (problems.length > 0) throw new ConfigError(problems)
}

async function authenticatorOf(config: Config): Promise<ProcessContext['authenticator']> {
  const { token, privateKey, fleetPublicKeys } = config.link
  if (token === undefined || privateKey === undefined) return undefined
  return await createLinkAuthenticator({
    token,
    privateKey,
    fleetPublicKeys,
    incarnation: randomBytes(8).toString('hex'),
  })
}

/** What is believed of other nodes' certificates beside what Node ships. */
const authoritiesOf = ({ tls }: Config): readonly string[] =>
  tls.authorities === undefined ? [] : [tls.authorities]

function agreementOf(config: Config, log: Log, metrics: Metrics): FleetAgreement | undefined {
  if (config.redis.url === undefined) return undefined
  const view = configuredViewOf(config)
  return new FleetAgreement({ view, log, metrics, nowMs: () => performance.now() })
}

/** A process with no identity has links to no other: its variants stay inside. */
function variantTrustOf(config: Config): VariantTrust {
  const { token, privateKey, fleetPublicKeys } = config.link
  if (token === undefined || privateKey === undefined) return inProcessTrust
  return createVariantTrust({ token, privateKey, fleetPublicKeys })
}

async function loadDefinitions(config: Config, authority: AuthorityHost): Promise<void> {
  for (const path of config.definitions) {
    for (const module of readProject(path).definitions) {
      authority.load(await loadDefinition(module))
    }
  }
}
