/*
 * What a Redis says of itself, looked at before anything is entrusted to it. INFO alone is asked: where
 * Redis is a service, CONFIG is often not allowed.
 */
import { RedisConnection } from './redis-connection.ts'

/** Least version: XTRIM by MINID came with it. */
const versionMin: readonly [major: number, minor: number] = [6, 2]

/** What a Redis says of itself. */
export type RedisFindings = {
  readonly version: string
  readonly isVersionOk: boolean
  /** What it does when its memory is full: `noeviction`, `allkeys-lru`, `volatile-ttl` … */
  readonly evictionPolicy: string
  /** Whether keys without a time to live may be evicted. */
  readonly evictsAll: boolean
  /** Whether any keys may be evicted, if only those with a time to live. */
  readonly evicts: boolean
  /** Whether it keeps an append-only file; without one a restart may lose what it has acknowledged. */
  readonly hasAppendOnlyFile: boolean
}

/** How it is looked at. */
export type RedisInspection = {
  /** See redis-address.ts. @throws RedisAddressError when it is none */
  readonly address: string
  readonly connectionName: string
  /** A Redis that has not answered by then is not there, ms. */
  readonly withinMs: number
}

/** Asks a Redis what it is. @throws RedisFailure when it does not answer in time, or may not */
export async function inspectRedis(inspection: RedisInspection): Promise<RedisFindings> {
  const { address, connectionName, withinMs } = inspection
  const seed = `inspect/${process.pid}`
  const connection = new RedisConnection({ address, connectionName, seed })
  try {
    const reply = await connection.ask(() => connection.call(['info']), withinMs)
    return findingsIn(String(reply))
  } finally {
    connection.close()
  }
}

/** What stands in a reply of INFO. */
export function findingsIn(info: string): RedisFindings {
  const field = (name: string): string =>
    new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1] ?? ''
  const version = field('redis_version')
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [majorMin, minorMin] = versionMin
  const evictionPolicy = field('maxmemory_policy')
  return {
    version,
    isVersionOk: major > majorMin || (major === majorMin && minor >= minorMin),
    evictionPolicy,
    evictsAll: evictionPolicy.startsWith('allkeys'),
    evicts: /^(?:allkeys|volatile)/.test(evictionPolicy),
    hasAppendOnlyFile: field('aof_enabled') === '1',
  }
}
