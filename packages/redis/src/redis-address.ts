/*
 * Where a Redis is, in one text:
 *
 *   redis://user:password@host:6379/0                     one server
 *   rediss://…                                            the same over TLS
 *   redis+sentinel://user:password@host:26379,host/name   the master of that name, as sentinels say
 *   redis+cluster://user:password@host:6379,host:6380     a cluster; any of its nodes
 *
 * `rediss+sentinel` and `rediss+cluster` are those over TLS. What is wrong with a text is said without the
 * text: it may hold a password.
 */

/** One server of several. */
export type RedisEndpoint = { readonly host: string; readonly port: number }

/** Where a Redis is. */
export type RedisAddress = {
  readonly kind: 'server' | 'sentinel' | 'cluster'
  /** At least one; for `server` exactly one. */
  readonly endpoints: readonly RedisEndpoint[]
  readonly isTls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
  /** Number of the database; 0 in a cluster. */
  readonly database: number
  /** The master's name, for `sentinel`. */
  readonly masterName: string | undefined
}

const serverPortDefault = 6_379
const sentinelPortDefault = 26_379
/** Databases that a server can be configured to have. */
const databaseMax = 65_535

/** A text that is no address of a Redis. Its message says what is wrong and holds no part of the text. */
export class RedisAddressError extends Error {
  override readonly name = 'RedisAddressError'
  readonly code = 'FANFOLD_BAD_REDIS_ADDRESS'
}

/** @throws RedisAddressError */
export function parseRedisAddress(text: string): RedisAddress {
  const parts =
    /^(rediss?)(\+sentinel|\+cluster)?:\/\/(?:([^@/]*)@)?([^/@?#]+)(?:\/([^?#]*))?$/.exec(text)
  if (parts === null) {
    throw new RedisAddressError(
      'the address of a Redis is redis://host:port/database, redis+sentinel://host:port,host:port/name ' +
        'or redis+cluster://host:port,host:port, with rediss for TLS, and user:password@ before the host',
    )
  }
  const [, scheme, variant, credentials, hosts = '', path = ''] = parts
  const kind = variant === '+sentinel' ? 'sentinel' : variant === '+cluster' ? 'cluster' : 'server'
  const portDefault = kind === 'sentinel' ? sentinelPortDefault : serverPortDefault
  const endpoints = hosts.split(',').map(host => parseEndpoint(host, portDefault))
  if (kind === 'server' && endpoints.length > 1) {
    throw new RedisAddressError(
      `redis:// names one server, got ${endpoints.length}: use redis+sentinel:// or redis+cluster://`,
    )
  }
  const [masterName, database] = parsePath(kind, path)
  return {
    kind,
    endpoints,
    isTls: scheme === 'rediss',
    ...parseCredentials(credentials),
    database,
    masterName,
  }
}

/** The address for people, without what is secret. */
export function describeRedisAddress(address: RedisAddress): string {
  const { kind, endpoints, isTls, masterName, database } = address
  const variant = kind === 'server' ? '' : `+${kind}`
  const hosts = endpoints.map(
    ({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`,
  )
  const path = masterName ?? (database === 0 ? '' : String(database))
  return `${isTls ? 'rediss' : 'redis'}${variant}://${hosts.join(',')}${path === '' ? '' : `/${path}`}`
}

function parseEndpoint(text: string, portDefault: number): RedisEndpoint {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const number = port === undefined ? portDefault : Number(port)
  if (host === undefined || number < 1 || number > 65_535) {
    throw new RedisAddressError(
      'each host in the address of a Redis is host, host:port or [IPv6]:port',
    )
  }
  return { host, port: number }
}

function parseCredentials(text = ''): Pick<RedisAddress, 'username' | 'password'> {
  const colon = text.indexOf(':')
  const [username, password] =
    colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  return { username: decode(username), password: decode(password) }
}

function decode(text: string): string | undefined {
  if (text === '') return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    throw new RedisAddressError('user and password in the address of a Redis are percent-encoded')
  }
}

function parsePath(
  kind: RedisAddress['kind'],
  path: string,
): [masterName: string | undefined, database: number] {
  if (kind === 'sentinel') {
    if (!/^[A-Za-z0-9._-]+$/.test(path)) {
      throw new RedisAddressError("redis+sentinel:// ends with the master's name: /name")
    }
    return [path, 0]
  }
  if (path === '') return [undefined, 0]
  const database = /^\d{1,5}$/.test(path) ? Number(path) : databaseMax + 1
  if (kind === 'cluster' || database > databaseMax) {
    throw new RedisAddressError(
      kind === 'cluster'
        ? 'a cluster has no numbered databases: redis+cluster:// ends with its hosts'
        : `redis:// ends with the number of a database, 0 to ${databaseMax}`,
    )
  }
  return [undefined, database]
}
