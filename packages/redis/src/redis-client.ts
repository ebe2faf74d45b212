/*
 * Makes the client of ioredis for an address, so that nothing waits inside it: a command that cannot
 * leave now fails now, one that left and lost its connection fails and is not sent again, and a
 * connection on which an answer is due and nothing comes is ended.
 *
 * Whoever sends a command decides what its failure means; a queue in the library would send it later
 * and behind others' backs.
 */

import { Backoff, type Duration, milliseconds, type Prng } from '@fanfold/kernel'
import { Cluster, Redis } from 'ioredis'
import type { RedisAddress } from './redis-address.ts'

/** A client of one server, of the master that sentinels name, or of a cluster. */
export type RedisClient = Redis | Cluster

/** How a client behaves. */
export type RedisClientOptions = {
  readonly address: RedisAddress
  /** Shown by the server in CLIENT LIST. */
  readonly connectionName: string
  /** A connection that is not made by then is given up, ms. */
  readonly connectWithinMs: number
  /** A connection on which an answer is due and nothing has come for so long is ended, ms. */
  readonly silenceMaxMs: number
  /** Makes the waits between attempts to connect differ between nodes. */
  readonly prng: Prng
}

/** Waits between attempts to connect, ms. */
const reconnectBaseMs = 50
const reconnectMaxMs = 1_000
/** A connection that was ended and does not close is cut, ms. */
const disconnectWithinMs = 100
/** How often one command may follow a cluster that moves slots before it fails. */
const redirectionsMax = 8
const redirectionWaitMs = 100
/** How often it is asked which node has which slots, where nothing has said so before, ms. */
const slotsRefreshEveryMs = 5_000

/** A client that begins to connect; its owner ends it. */
export function createRedisClient(options: RedisClientOptions): RedisClient {
  const { address } = options
  const backoff = new Backoff(
    { base: milliseconds(reconnectBaseMs), max: milliseconds(reconnectMaxMs) },
    options.prng,
  )
  /** The library counts the attempts since the last connection that was good. */
  const waitMs = (attempt: number): number => {
    if (attempt <= 1) backoff.reset()
    return toMs(backoff.next())
  }
  const common = commonOptions(options)
  const [first] = address.endpoints
  switch (address.kind) {
    case 'server':
      return new Redis({ ...common, ...first, db: address.database, retryStrategy: waitMs })
    case 'sentinel':
      return new Redis({
        ...common,
        sentinels: address.endpoints.map(endpoint => ({ ...endpoint })),
        ...(address.masterName === undefined ? {} : { name: address.masterName }),
        sentinelRetryStrategy: waitMs,
        sentinelCommandTimeout: options.connectWithinMs,
        enableTLSForSentinelMode: address.isTls,
        ...(address.isTls ? { sentinelTLS: {} } : {}),
        // Sentinels say when the master has changed; a connection to the old one is of no use then.
        failoverDetector: true,
        retryStrategy: waitMs,
      })
    case 'cluster':
      return new Cluster(
        address.endpoints.map(endpoint => ({ ...endpoint })),
        {
          redisOptions: common,
          enableOfflineQueue: false,
          clusterRetryStrategy: waitMs,
          maxRedirections: redirectionsMax,
          // 0: what lost its connection is not sent again.
          retryDelayOnFailover: 0,
          retryDelayOnClusterDown: redirectionWaitMs,
          retryDelayOnTryAgain: redirectionWaitMs,
          slotsRefreshTimeout: options.connectWithinMs,
          slotsRefreshInterval: slotsRefreshEveryMs,
        },
      )
  }
}

function commonOptions(options: RedisClientOptions) {
  const { address, connectionName, connectWithinMs, silenceMaxMs } = options
  return {
    connectionName,
    connectTimeout: connectWithinMs,
    disconnectTimeout: disconnectWithinMs,
    socketTimeout: silenceMaxMs,
    username: address.username,
    password: address.password,
    ...(address.isTls ? { tls: {} } : {}),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // The library would do it where nobody catches what fails; whoever subscribes does so when it is ready.
    autoResubscribe: false,
    // 0: what waits for an answer fails when the connection ends, and not after more attempts.
    maxRetriesPerRequest: 0,
    // A master that has become a replica: look for the new one, and do not send again.
    reconnectOnError: (error: Error): 1 | false =>
      error.message.startsWith('READONLY') ? 1 : false,
    noDelay: true,
    keepAlive: 10_000,
  }
}

const toMs = (duration: Duration): number => Math.ceil(duration / milliseconds(1))
