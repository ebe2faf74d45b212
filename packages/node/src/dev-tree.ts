/*
 * The whole tree in one process: an authority, in each region a regional proxy and a tier below it,
 * edges under the tiers. The roles are the ones of production and talk over links inside the process;
 * one public port serves them all, the first edge at the root and each further one under its path.
 */
import { join } from 'node:path'
import { assert } from '@fanfold/kernel'
import type { GrantedAction } from '@fanfold/protocol'
import { TlsDialler, type UpgradeRouter } from '@fanfold/websocket'
import { AuthorityHost } from './authority-host.ts'
import type { Config } from './config.ts'
import { createRouter } from './create-router.ts'
import { answerCrowd } from './crowd-routes.ts'
import { startFeed } from './demonstration-feed.ts'
import { developmentIdentity } from './development-fleet.ts'
import { EdgeHost } from './edge-host.ts'
import type { HttpAnswer } from './http-answer.ts'
import { type LoadedDefinition, loadDefinition } from './load-definition.ts'
import { checkLogStore } from './log-stores.ts'
import type { Log } from './logging.ts'
import { Metrics } from './metrics.ts'
import { loadSendAll } from './native-addon.ts'
import { documentTopology } from './node-topology.ts'
import { type ProcessContext, ProcessNames } from './process-context.ts'
import { ProcessPorts } from './process-ports.ts'
import { ProcessRoles } from './process-roles.ts'
import { createProcessWorkers } from './process-workers.ts'
import { ProxyHost } from './proxy-host.ts'
import { quotaUses } from './quota-use.ts'
import { type Project, readProject } from './read-project.ts'
import type { RoleLinks } from './role-links.ts'
import { answerFile } from './static-files.ts'
import { TenantQuotas } from './tenant-quotas.ts'
import { version } from './version.ts'
import {
  createTokenVerifier,
  generateDevelopmentKey,
  mintToken,
  type TokenVerifier,
} from './viewer-tokens.ts'
import { DefinitionWatch } from './watch-definition.ts'
import { answerWrite } from './write-routes.ts'

/** How the development tree is started. */
export type StartDevOptions = {
  /** Ports, data directory, definitions (paths of projects) and limits. */
  readonly config: Config
  readonly regions: number
  readonly edges: number
  readonly log: Log
  readonly fail: (error: unknown) => void
  /** Is told the type of each definition that was changed and loaded again. */
  readonly onReload?: ((type: string) => void) | undefined
  /** Seed of the demonstration's feed. */
  readonly seed: string
}

/** What runs, and where. */
export type RunningDev = {
  readonly observeUrls: readonly string[]
  readonly writeUrl: string
  /** Undefined when the project has no page. */
  readonly pageUrl: string | undefined
  readonly operatorUrl: string
  /** May do anything with any document of this process. */
  readonly token: string
  /** The demonstration's document, if there is one. */
  readonly document: string | undefined
  stop(): Promise<void>
}

/** How long a development token is good, ms. */
const tokenTtlMs = 30 * 24 * 3_600_000
const everything: readonly GrantedAction[] = ['observe', 'write', 'create', 'delete']

/**
 * Starts the tree. When that fails, nothing is left open.
 *
 * @throws BuildError
 */
export async function startDev(options: StartDevOptions): Promise<RunningDev> {
  const { config, regions, edges, log, fail, onReload, seed } = options
  const projects = config.definitions.map(path => readProject(path))
  const key = config.tokenKey ?? generateDevelopmentKey()
  const metrics = new Metrics({ version, region: config.region, isProcessCollected: true })
  const verifier = createTokenVerifier({
    key,
    refused: reason => metrics.labelled('rejected_tokens_total', reason).inc(),
  })
  const names = new ProcessNames()
  const identity = await developmentIdentity(config.data, config.region)
  const context: ProcessContext = {
    config,
    log,
    metrics,
    ...identity,
    tlsDialler: new TlsDialler([]),
    agreement: undefined,
    quotas: new TenantQuotas(config.tenants.quotas),
    isDevelopment: true,
    names,
    openWorker: createProcessWorkers(config),
    sendAll: loadSendAll(config, log),
    fail,
  }
  const demonstration = projects.find(project => project.document !== undefined)
  const page = demonstration?.page
  const grant = { key, documents: ['**'], ttlMs: tokenTtlMs }
  const pageToken = (subject: string): Promise<string> =>
    mintToken({ ...grant, subject, allow: ['observe'] })
  const token = await mintToken({ ...grant, subject: 'developer', allow: everything })
  const roles = new ProcessRoles()
  const watches: DefinitionWatch[] = []
  let ports: ProcessPorts | undefined
  let feed: AbortController | undefined
  const stop = async (): Promise<void> => {
    feed?.abort()
    for (const watch of watches) watch.close()
    await (ports?.stop() ?? roles.close())
  }
  try {
    await checkLogStore(config, log)
    const authority = new AuthorityHost(context, verifier)
    roles.authority = authority
    await watchDefinitions(projects, { authority, log, watches, onReload })
    startFollowers(context, roles, { authority, regions, edges, seed, verifier })
    const self = { name: config.node.id ?? 'authority', region: config.region }
    ports = new ProcessPorts(context, {
      roles,
      router: routerOf(roles, authority, config),
      routes: [
        (request, path) => answerCrowd(request, path, { posts: roles.edges[0]?.crowd, verifier }),
        (request, path) => answerWrite(request, path, { authority, verifier }),
        async ({ url }, path) =>
          path === '/config.json' && demonstration !== undefined
            ? pageConfiguration(demonstration, await pageToken(visitorIn(url)))
            : undefined,
        async (_request, path) => (page === undefined ? undefined : await answerFile(page, path)),
      ],
      topology: async doc => ({
        node: self.name,
        region: self.region,
        roles: config.roles,
        ...topologyOf(roles, regions),
        quotas: quotaUses(roles, context.quotas),
        document: doc && (await documentTopology(doc, roles, self)),
      }),
    })
    const { port, adminPort } = await ports.listen()
    feed = demonstration && (await startFeed(demonstration, { authority, seed, log }))
    const base = `${config.host}:${port}`
    return {
      observeUrls: roles.edges.map((_, index) => `ws://${base}${edgePath(index)}/v1/observe`),
      writeUrl: `ws://${base}/v1/write`,
      pageUrl: page === undefined ? undefined : `http://${base}/`,
      operatorUrl: `http://${config.adminHost}:${adminPort}/`,
      token,
      document: demonstration?.document,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Each region's two tiers of proxies, and the edges over the regions in turn. */
function startFollowers(
  context: ProcessContext,
  roles: ProcessRoles,
  options: {
    readonly authority: AuthorityHost
    readonly regions: number
    readonly edges: number
    readonly seed: string
    readonly verifier: TokenVerifier
  },
): void {
  const { authority, regions, edges, seed, verifier } = options
  const place = (name: string, region: number, above: { readonly links: RoleLinks }) => ({
    name,
    region: `region-${region}`,
    parent: above.links,
    seed: `${seed}/${name}`,
  })
  const { warm } = context.config
  const startProxy = (name: string, region: number, above: { readonly links: RoleLinks }) =>
    new ProxyHost(context, {
      ...place(name, region, above),
      warm: warm === undefined ? undefined : join(warm, name),
    })
  const tiers: ProxyHost[] = []
  for (let region = 1; region <= regions; region++) {
    const regional = startProxy(`proxy-${region}`, region, authority)
    const tier = startProxy(`tier-${region}`, region, regional)
    roles.proxies.push(regional, tier)
    tiers.push(tier)
  }
  for (let index = 0; index < edges; index++) {
    const at = index % regions
    const tier = tiers[at]
    assert(tier !== undefined, `a region for edge ${index + 1}`)
    const edgePlace = place(`edge-${index + 1}`, at + 1, tier)
    roles.edges.push(new EdgeHost(context, edgePlace, verifier))
  }
}

function routerOf(roles: ProcessRoles, authority: AuthorityHost, config: Config): UpgradeRouter {
  const router = createRouter(config)
  for (const [index, edge] of roles.edges.entries()) {
    router.add(edgePath(index), { observe: edge.viewers, write: authority.writers })
  }
  // A node of another process joins the tree below the first region's proxy.
  const link = (roles.proxies[0] ?? authority).links.acceptor
  if (link !== undefined) router.add('', { link })
  return router
}

/** What the demonstration's page asks for first. */
const pageConfiguration = ({ document }: Project, token: string): HttpAnswer => ({
  status: 200,
  body: JSON.stringify({ document, token }),
  headers: { 'cache-control': 'no-store' },
})

/** Whom the page is for, as it says: whoever is on this machine may be anybody. */
function visitorIn(url = ''): string {
  const [, visitor] = /[?&]visitor=([a-z0-9]{8,32})(?:&|$)/.exec(url) ?? []
  return visitor === undefined ? 'viewer' : `viewer-${visitor}`
}

/** The first edge is at the root. */
const edgePath = (index: number): string => (index === 0 ? '' : `/edge/${index + 1}`)

/** Loads the definitions, and loads each again when a file of it changes. */
async function watchDefinitions(
  projects: readonly Project[],
  options: {
    readonly authority: AuthorityHost
    readonly log: Log
    readonly watches: DefinitionWatch[]
    readonly onReload: ((type: string) => void) | undefined
  },
): Promise<void> {
  const { authority, log, watches, onReload } = options
  for (const path of projects.flatMap(project => project.definitions)) {
    const loaded = await loadDefinition(path)
    authority.load(loaded)
    warn(loaded, log)
    const watch = new DefinitionWatch({
      path,
      loaded,
      onChange: changed => {
        authority.load(changed)
        const { type } = changed.definition
        log.info({ event: 'definition.reloaded', type }, 'definition reloaded')
        warn(changed, log)
        onReload?.(type)
      },
      onError: error =>
        log.error({ event: 'definition.failed', err: error }, 'definition not reloaded'),
    })
    watches.push(watch)
  }
}

/** What an author should look at, who is there to see it. */
function warn({ definition, warnings }: LoadedDefinition, log: Log): void {
  for (const { place, message } of warnings) {
    log.warn(
      { event: 'definition.warning', type: definition.type, place, reason: message },
      'something to look at in a definition',
    )
  }
}

function topologyOf({ authority, proxies, edges }: ProcessRoles, regions: number): object {
  const byRegion = Array.from({ length: regions }, (_, index) => ({
    region: `region-${index + 1}`,
    proxies: proxies
      .slice(2 * index, 2 * index + 2)
      .map(proxy => ({ ...proxy.counts, hasParent: proxy.hasParent })),
    edges: edges
      .filter((_, at) => at % regions === index)
      .map(edge => ({ ...edge.counts, hasParent: edge.hasParent })),
  }))
  return { authority: authority?.counts, regions: byRegion }
}
