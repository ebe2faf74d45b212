import { randomBytes } from 'node:crypto'
import { UpgradeRouter } from '@fanfold/websocket'
import { adminRoutes } from './admin-routes.ts'
import { AuthorityHost } from './authority-host.ts'
import type { Config, Role } from './config.ts'
import { ConfigError } from './config-error.ts'
import { EdgeHost } from './edge-host.ts'
import { HttpListener } from './http-listener.ts'
import { createLinkAuthenticator } from './link-identity.ts'
import { loadDefinition } from './load-definition.ts'
import type { Log } from './logging.ts'
import { Metrics } from './metrics.ts'
import { type ProcessContext, ProcessNames } from './process-context.ts'
import { ProxyHost } from './proxy-host.ts'
import { readProject } from './read-project.ts'
import type { RoleLinks } from './role-links.ts'
import { StatMetrics } from './stat-metrics.ts'
import { version } from './version.ts'
import { createTokenVerifier } from './viewer-tokens.ts'
import { answerWrite } from './write-routes.ts'

/** A node that runs. */
export type RunningNode = {
  /** Where viewers, writers and nodes connect. */
  readonly port: number
  readonly adminPort: number
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
}

/** What viewers, writers and nodes are told to wait when the node goes away, ms. */
const drainRetryAfterMs = 500

/**
 * Starts one node with the roles of its configuration.
 *
 * @throws ConfigError when the configuration does not fit the roles, DefinitionLoadError
 */
export async function startNode(options: StartNodeOptions): Promise<RunningNode> {
  const { config, log, fail } = options
  checkRoles(config)
  const context: ProcessContext = {
    config,
    log,
    fail,
    metrics: new Metrics({ version, region: config.region, isProcessCollected: true }),
    authenticator: await authenticatorOf(config),
    names: new ProcessNames(),
  }
  const verifier = createTokenVerifier({
    key: config.tokenKey,
    jwksUrl: config.tokenJwksUrl,
    audience: config.tokenAudience,
    issuer: config.tokenIssuer,
    refused: reason => context.metrics.labelled('rejected_tokens_total', reason).inc(),
  })
  const has = (role: Role): boolean => config.roles.includes(role)
  const authority = has('authority') ? new AuthorityHost(context, verifier) : undefined
  if (authority !== undefined) await loadDefinitions(config, authority)
  const name = config.node.id ?? `node-${randomBytes(4).toString('hex')}`
  const seedOf = (role: Role): string => `${name}/${role}/${randomBytes(8).toString('hex')}`
  const parentOf = (
    local: { readonly links: RoleLinks } | undefined,
  ): RoleLinks | readonly string[] => local?.links ?? config.parents
  const proxy = has('proxy')
    ? new ProxyHost(context, {
        name,
        region: config.region,
        parent: parentOf(authority),
        seed: seedOf('proxy'),
      })
    : undefined
  const edge = has('edge')
    ? new EdgeHost(context, {
        name,
        region: config.region,
        parent: parentOf(proxy ?? authority),
        seed: seedOf('edge'),
        verifier,
      })
    : undefined
  const router = new UpgradeRouter({ origins: ['*'], connectionsMax: config.limits.viewersMax })
  const link = (proxy ?? authority)?.links.acceptor
  router.add('', {
    ...(link === undefined ? {} : { link }),
    ...(edge === undefined ? {} : { observe: edge.viewers }),
    ...(authority === undefined ? {} : { write: authority.writers }),
  })
  const stats = new StatMetrics(context.metrics, {
    authority,
    proxies: proxy === undefined ? [] : [proxy],
    edges: edge === undefined ? [] : [edge],
  })
  let isDraining = false
  const publicListener = new HttpListener(
    [(request, path) => answerWrite(request, path, { authority, verifier })],
    log,
  )
  router.attach(publicListener.server)
  const adminListener = new HttpListener(
    adminRoutes({
      adminToken: config.adminToken,
      notReady: () => [
        ...(isDraining ? ['draining'] : []),
        ...(proxy?.hasParent === false ? ['the proxy has no parent'] : []),
        ...(edge?.hasParent === false ? ['the edge has no parent'] : []),
      ],
      metrics: async () => {
        stats.update()
        return { text: await context.metrics.render(), type: context.metrics.contentType }
      },
      topology: () => ({
        node: name,
        region: config.region,
        roles: config.roles,
        parents: config.parents,
        authority: authority?.counts,
        proxy: proxy && { ...proxy.counts, hasParent: proxy.hasParent },
        edge: edge && { ...edge.counts, hasParent: edge.hasParent },
      }),
    }),
    log,
  )
  const port = await publicListener.listen(config.port, config.host)
  const adminPort = await adminListener.listen(config.adminPort, config.adminHost)
  log.info({ event: 'node.started', roles: config.roles, port, adminPort }, 'node started')
  let stopping: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    isDraining = true
    log.info({ event: 'node.draining' }, 'node draining')
    edge?.viewers.drain(drainRetryAfterMs)
    authority?.writers.drain(drainRetryAfterMs)
    for (const host of [edge, proxy, authority]) host?.links.drain()
    edge?.close()
    proxy?.close()
    await authority?.close()
    router.close()
    await publicListener.close()
    await adminListener.close()
    log.info({ event: 'node.stopped' }, 'node stopped')
  }
  return {
    port,
    adminPort,
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
}

/** @throws ConfigError with what the roles need and the configuration does not give */
function checkRoles(config: Config): void {
  const problems: { place: string; message: string }[] = []
  const has = (role: Role): boolean => config.roles.includes(role)
  if (!has('authority') && config.parents.length === 0) {
    const message = `${config.roles.join(' and ')} without an authority in the process: name one parent at least`
    problems.push({ place: 'parents', message })
  }
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

async function loadDefinitions(config: Config, authority: AuthorityHost): Promise<void> {
  for (const path of config.definitions) {
    for (const module of readProject(path).definitions) {
      authority.load((await loadDefinition(module)).definition)
    }
  }
}
