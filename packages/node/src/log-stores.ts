/*
 * Where an authority's logs are: in files of this machine, or in a Redis, as the configuration says. A
 * Redis that is named and not there, or not fit, is an error at the start: nothing is kept elsewhere instead.
 */
import type { LogInput, LogStore } from '@fanfold/document'
import { createRedisLogStore } from '@fanfold/redis'
import { createFileLogStore } from '@fanfold/storage'
import type { Config } from './config.ts'
import type { Log } from './logging.ts'
import { findRedis, redisAddressOf } from './redis-check.ts'
import { sha256 } from './sha256.ts'

/** How the log store of an authority is made. */
export type OpenLogStoreOptions = {
  readonly config: Config
  readonly log: Log
  /** Shared state is in doubt: the process must end. */
  readonly fail: (error: unknown) => void
  /** Takes the answers; never called from inside `perform`. */
  readonly receive: (input: LogInput) => void
}

/** The log store that the configuration names is not there, or not fit for logs. */
export class LogStoreError extends Error {
  override readonly name = 'LogStoreError'
  readonly code: 'FANFOLD_LOG_UNREACHABLE' | 'FANFOLD_LOG_UNFIT'

  constructor(code: LogStoreError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** Makes the log store of an authority. @throws RedisAddressError */
export function openLogStore(options: OpenLogStoreOptions): LogStore {
  const { config, log, fail, receive } = options
  const nodeId = config.node.id ?? 'authority'
  if (config.log !== 'files') {
    const { keyPrefix, replicas } = config.redis
    const address = redisAddressOf(config, config.log)
    return createRedisLogStore({
      address,
      nodeId,
      sha256,
      receive,
      onFatal: fail,
      keyPrefix,
      replicas,
    })
  }
  return createFileLogStore({
    directory: config.data,
    nodeId,
    sha256,
    segmentBytesMax: config.limits.segmentBytesMax,
    openFilesMax: config.limits.openFilesMax,
    onFatal: fail,
    onSetAside: ({ path, reason }) => {
      log.error(
        { event: 'snapshot.set-aside', path, reason },
        'a snapshot is of no use: what was found instead is served',
      )
    },
    receive,
  })
}

/**
 * Looks whether the log store can be entrusted with anything, and says in the log what it is.
 *
 * @throws LogStoreError when it is a Redis that is not there, too old, or would evict logs
 */
export async function checkLogStore(config: Config, log: Log): Promise<void> {
  if (config.log === 'files') return
  const found = await findRedis(config, config.log)
  if ('problem' in found) {
    const code = found.isAway ? 'FANFOLD_LOG_UNREACHABLE' : 'FANFOLD_LOG_UNFIT'
    throw new LogStoreError(code, `${found.problem}: ${found.advice}`)
  }
  const { findings, shown } = found
  const { version, hasAppendOnlyFile } = findings
  log.info({ event: 'log.redis', address: shown, version }, 'logs are in a Redis')
  if (hasAppendOnlyFile) return
  log.warn(
    { event: 'log.not-durable', address: shown },
    'the Redis keeps no append-only file: what it has acknowledged may be gone after its restart',
  )
}
