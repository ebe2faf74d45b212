/*
 * The whole tree in one process: an authority, in each region a regional proxy and a tier below it,
 * edges under the tiers. The roles are the ones of production and talk over links inside the process;
 * one public port serves them all, the first edge at the root and each further one under its path.
 */
import { type GrantedAction, parseDocumentKey, type WriteAction } from '@fanfold/protocol'
import { UpgradeRouter } from '@fanfold/websocket'
import { adminRoutes } from './admin-routes.ts'
import { AuthorityHost } from './authority-host.ts'
import { wallClock } from './clock.ts'
import type { Config } from './config.ts'
import { EdgeHost } from './edge-host.ts'
import { HttpListener } from './http-listener.ts'
import { loadDefinition, loadFeed } from './load-definition.ts'
import type { Log } from './logging.ts'
import { Metrics } from './metrics.ts'
import { type ProcessContext, ProcessNames } from './process-context.ts'
import { ProxyHost } from './proxy-host.ts'
import { type Project, readProject } from './read-project.ts'
import { StatMetrics } from './stat-metrics.ts'
import { answerFile } from './static-files.ts'
import { version } from './version.ts'
import { createTokenVerifier, generateDevelopmentKey, mintToken } from './viewer-tokens.ts'
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
const drainRetryAfterMs = 500

/**
 * Starts the tree.
 *
 * @throws DefinitionLoadError
 */
export async function startDev(options: StartDevOptions): Promise<RunningDev> {
  const { config, regions, edges: edgeCount, log, fail, seed } = options
  const projects = config.definitions.map(path => readProject(path))
  const key = config.tokenKey ?? generateDevelopmentKey()
  const metrics = new Metrics({ version, region: config.region, isProcessCollected: true })
  const verifier = createTokenVerifier({
    key,
    refused: reason => metrics.labelled('rejected_tokens_total', reason).inc(),
  })
  const names = new ProcessNames()
  const context: ProcessContext = { config, log, metrics, authenticator: undefined, names, fail }
  const authority = new AuthorityHost(context, verifier)
  const watches = await loadProjects(projects, authority, log)
  const proxies: ProxyHost[] = []
  const tiers: ProxyHost[] = []
  for (let index = 1; index <= regions; index++) {
    const region = `region-${index}`
    const regional = new ProxyHost(context, {
      name: `proxy-${index}`,
      region,
      parent: authority.links,
      seed: `${seed}/proxy-${index}`,
    })
    const tier = new ProxyHost(context, {
      name: `tier-${index}`,
      region,
      parent: regional.links,
      seed: `${seed}/tier-${index}`,
    })
    proxies.push(regional, tier)
    tiers.push(tier)
  }
  const edges = Array.from({ length: edgeCount }, (_, index) => {
    const at = index % regions
    return new EdgeHost(context, {
      name: `edge-${index + 1}`,
      region: `region-${at + 1}`,
      parent: (tiers[at] as ProxyHost).links,
      seed: `${seed}/edge-${index + 1}`,
      verifier,
    })
  })
  const router = new UpgradeRouter({ origins: ['*'], connectionsMax: config.limits.viewersMax })
  for (const [index, edge] of edges.entries()) {
    router.add(edgePath(index), { observe: edge.viewers, write: authority.writers })
  }
  const demonstration = projects.find(project => project.document !== undefined)
  const pageToken = await mintToken({
    key,
    subject: 'viewer',
    documents: ['**'],
    allow: ['observe'],
    ttlMs: tokenTtlMs,
  })
  const page = demonstration?.page
  let port = config.port
  const publicListener = new HttpListener(
    [
      (request, path) => answerWrite(request, path, { authority, verifier }),
      (_request, path) =>
        path === '/config.json' && demonstration !== undefined
          ? {
              status: 200,
              body: JSON.stringify({ document: demonstration.document, token: pageToken }),
              headers: { 'cache-control': 'no-store' },
            }
          : undefined,
      async (_request, path) => (page === undefined ? undefined : await answerFile(page, path)),
    ],
    log,
  )
  router.attach(publicListener.server)
  const stats = new StatMetrics(metrics, { authority, proxies, edges })
  const adminListener = new HttpListener(
    adminRoutes({
      adminToken: config.adminToken,
      notReady: () => (edges.every(edge => edge.hasParent) ? [] : ['an edge has no parent']),
      metrics: async () => {
        stats.update()
        return { text: await metrics.render(), type: metrics.contentType }
      },
      topology: () => topologyOf(authority, proxies, edges, regions),
    }),
    log,
  )
  port = await publicListener.listen(config.port, config.host)
  const adminPort = await adminListener.listen(config.adminPort, config.adminHost)
  const feed = demonstration && (await startFeed(demonstration, { authority, seed, log }))
  const base = `${config.host}:${port}`
  const all: GrantedAction[] = ['observe', 'write', 'create', 'delete']
  let stopping: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    feed?.abort()
    for (const watch of watches) watch.close()
    for (const edge of edges) edge.viewers.drain(drainRetryAfterMs)
    authority.writers.drain(drainRetryAfterMs)
    for (const host of [...edges, ...proxies]) host.close()
    await authority.close()
    router.close()
    await publicListener.close()
    await adminListener.close()
  }
  return {
    observeUrls: edges.map((_, index) => `ws://${base}${edgePath(index)}/v1/observe`),
    writeUrl: `ws://${base}/v1/write`,
    pageUrl: page === undefined ? undefined : `http://${base}/`,
    operatorUrl: `http://${config.adminHost}:${adminPort}/`,
    token: await mintToken({
      key,
      subject: 'developer',
      documents: ['**'],
      allow: all,
      ttlMs: tokenTtlMs,
    }),
    document: demonstration?.document,
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
}

/** The first edge is at the root. */
const edgePath = (index: number): string => (index === 0 ? '' : `/edge/${index + 1}`)

async function loadProjects(
  projects: readonly Project[],
  authority: AuthorityHost,
  log: Log,
): Promise<DefinitionWatch[]> {
  const watches: DefinitionWatch[] = []
  for (const path of projects.flatMap(project => project.definitions)) {
    const loaded = await loadDefinition(path)
    authority.load(loaded.definition)
    const watch = new DefinitionWatch({
      path,
      loaded,
      onChange: ({ definition }) => {
        authority.load(definition)
        log.info({ event: 'definition.reloaded', type: definition.type }, 'definition reloaded')
      },
      onError: error =>
        log.error({ event: 'definition.failed', err: error }, 'definition not reloaded'),
    })
    watches.push(watch)
  }
  return watches
}

/** Runs the demonstration's feed, which writes to its document until it is aborted. */
async function startFeed(
  project: Project,
  options: { readonly authority: AuthorityHost; readonly seed: string; readonly log: Log },
): Promise<AbortController | undefined> {
  const { authority, seed, log } = options
  if (project.feed === undefined || project.document === undefined) return undefined
  const { exports } = await loadFeed(project.feed)
  const run = exports['default']
  if (typeof run !== 'function') throw new TypeError(`${project.feed} has no default function`)
  const doc = parseDocumentKey(project.document)
  const abort = new AbortController()
  const write = async (action: WriteAction): Promise<void> => {
    const answer = await authority.write({
      doc,
      action,
      id: undefined,
      subject: 'feed',
      claims: {},
      mayCreate: true,
      timeMs: wallClock(),
      trace: undefined,
    })
    if (answer.kind === 'committed' || answer.code === 'FANFOLD_EXISTS') return
    if (!abort.signal.aborted) throw new Error(`${action.type}: ${answer.code} ${answer.message}`)
  }
  // Whoever opens the page first finds the document.
  await write({ type: 'create' })
  const send = (message: string, value: unknown): Promise<void> =>
    write({ type: 'send', message, value })
  const running: Promise<unknown> = Promise.resolve(run({ send, seed, signal: abort.signal }))
  running.catch((error: unknown) => {
    if (!abort.signal.aborted) log.error({ event: 'feed.failed', err: error }, 'feed failed')
  })
  return abort
}

function topologyOf(
  authority: AuthorityHost,
  proxies: readonly ProxyHost[],
  edges: readonly EdgeHost[],
  regions: number,
): unknown {
  const byRegion = Array.from({ length: regions }, (_, index) => ({
    region: `region-${index + 1}`,
    proxies: [proxies[2 * index], proxies[2 * index + 1]].map(proxy => ({
      ...proxy?.counts,
      hasParent: proxy?.hasParent,
    })),
    edges: edges
      .filter((_, at) => at % regions === index)
      .map(edge => ({ ...edge.counts, hasParent: edge.hasParent })),
  }))
  return { authority: authority.counts, regions: byRegion }
}
