/*
 * What must hold between options: relations of numbers, and what a node must have before it may be
 * reached from outside its machine.
 */

import type { Config } from './config.ts'
import type { ConfigProblem } from './config-error.ts'
import { bytesPerSecondMin, parseQuotaRule } from './quota-rule.ts'
import { tlsProblems } from './served-certificate.ts'

/** Problems of options that are each fine alone, at this time of the wall: a certificate has an end. */
export function relationProblems(config: Config, nowMs: number): ConfigProblem[] {
  const { limits, link, redis, tenants } = config
  const problems: ConfigProblem[] = []
  const must = (holds: boolean, place: string, message: string): void => {
    if (!holds) problems.push({ place, message })
  }
  must(
    limits.linkPingMs * 3 <= limits.linkSilenceMaxMs,
    'limits.linkPingMs',
    `three pings must fit into limits.linkSilenceMaxMs: ${limits.linkPingMs} ms * 3 > ${limits.linkSilenceMaxMs} ms`,
  )
  must(
    limits.memberHeartbeatMs * 3 <= limits.memberDeadAfterMs,
    'limits.memberHeartbeatMs',
    `three heartbeats must fit into limits.memberDeadAfterMs: ${limits.memberHeartbeatMs} ms * 3 > ${limits.memberDeadAfterMs} ms`,
  )
  must(
    limits.snapshotBytesMax <= limits.assemblyBytesMax,
    'limits.snapshotBytesMax',
    `must not exceed limits.assemblyBytesMax: ${limits.snapshotBytesMax} > ${limits.assemblyBytesMax} bytes`,
  )
  must(
    limits.largeStateBytes <= limits.workerBytesMax,
    'limits.largeStateBytes',
    `must not exceed limits.workerBytesMax: ${limits.largeStateBytes} > ${limits.workerBytesMax} bytes`,
  )
  must(
    limits.creditBytes <= limits.replicaPendingBytesMax,
    'limits.creditBytes',
    `must not exceed limits.replicaPendingBytesMax: ${limits.creditBytes} > ${limits.replicaPendingBytesMax} bytes`,
  )
  must(
    config.port === 0 || config.port !== config.adminPort,
    'adminPort',
    `must differ from port, both are ${config.port}`,
  )
  must(
    config.roles.includes('authority') || config.parents.length > 0 || redis.url !== undefined,
    'parents',
    'a node without the role authority needs a parent to replicate from, or the Redis where nodes meet (--redis)',
  )
  must(
    !config.hotStandby || (config.roles.includes('authority') && redis.url !== undefined),
    'hotStandby',
    'is for an authority of a fleet, which takes over what others had: give the role authority and redis.url, or leave it out',
  )
  must(
    config.workers === 1 || (config.roles.includes('edge') && config.roles.length === 1),
    'workers',
    `several processes serve viewers alone, and this node is ${config.roles.join(', ')}: give it the role edge alone (--roles edge, with --parent or --redis), or leave workers out`,
  )
  if (redis.url !== undefined) problems.push(...fleetProblems(config))
  else if (config.roles.includes('authority')) problems.push(...tenantProblems(config))
  for (const item of tenants.quotas) {
    const { bytesPerSecondMax } = parseQuotaRule(item).quota
    must(
      bytesPerSecondMax === undefined || bytesPerSecondMax >= bytesPerSecondMin,
      'tenants.quotas',
      `bytesPerSecond is at least ${bytesPerSecondMin}, got ${item}`,
    )
  }
  must(
    config.tokenKey === undefined || config.tokenJwksUrl === undefined,
    'tokenJwksUrl',
    'tokenKey is given too; one of them says which tokens are good',
  )
  must(
    (link.token === undefined) === (link.privateKey === undefined),
    'link.token',
    'link.token and link.privateKey belong together; one of them is missing',
  )
  problems.push(...tlsProblems(config, nowMs))
  return problems
}

/** An authority that is alone has nobody to whom the tenants that it does not take could go. */
function tenantProblems({ tenants }: Config): ConfigProblem[] {
  const message =
    'says which of several authorities takes a tenant, and without redis.url this one takes all: give redis.url, or leave it out'
  const isAll = tenants.allow.every(glob => glob === '*')
  return [
    ...(isAll ? [] : [{ place: 'tenants.allow', message }]),
    ...(tenants.deny.length === 0 ? [] : [{ place: 'tenants.deny', message }]),
  ]
}

/** What a node needs that is to meet others in a Redis. */
function fleetProblems(config: Config): ConfigProblem[] {
  const { parents, link, node, roles, log, host, advertise } = config
  const problems: ConfigProblem[] = []
  const must = (holds: boolean, place: string, message: string): void => {
    if (!holds) problems.push({ place, message })
  }
  must(
    parents.length === 0,
    'parents',
    'redis.url is given too; either the tree forms itself, or parents are named',
  )
  must(
    link.token !== undefined,
    'link.token',
    'redis.url needs a link token, which says who this node is; `fanfold token link` mints one',
  )
  must(
    node.id !== undefined,
    'node.id',
    'a node of a fleet has a name of its own, as its link token says; give --node-id',
  )
  must(
    !roles.includes('authority') || log !== 'files',
    'log',
    'an authority whose nodes meet in a Redis keeps its logs there, so that another one can take them over: give --log with the address',
  )
  must(
    advertise !== undefined || !['0.0.0.0', '::'].includes(host),
    'advertise',
    `${host} is every address of this machine; say by which one other nodes reach it`,
  )
  return problems
}

/**
 * Why a node with this configuration must not be bound where it says: what listens on more than the
 * loopback address must be able to tell who is there.
 */
export function publicBindProblems(config: Config): ConfigProblem[] {
  const { host, adminHost, link } = config
  const problems: ConfigProblem[] = []
  const need = (has: boolean, place: string, message: string): void => {
    if (!has) problems.push({ place, message })
  }
  if (!isLoopback(host)) {
    const reached = `${host} can be reached from other machines`
    need(
      config.tokenKey !== undefined || config.tokenJwksUrl !== undefined,
      'host',
      `${reached}, and without tokenKey or tokenJwksUrl viewers and writers cannot be told apart: give one, or bind 127.0.0.1`,
    )
    need(
      link.token !== undefined && link.fleetPublicKeys.length > 0,
      'host',
      `${reached}, and without link.token and link.fleetPublicKeys anybody could be a node of the fleet: give them, or bind 127.0.0.1`,
    )
  }
  need(
    isLoopback(adminHost) || config.adminToken !== undefined,
    'adminHost',
    `${adminHost} can be reached from other machines: give adminToken, or bind 127.0.0.1`,
  )
  return problems
}

/** True for an address that only this machine reaches. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
