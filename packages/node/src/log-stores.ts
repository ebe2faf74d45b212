/*
 * Where an authority's logs are: in files of this machine, or in a Redis, as the configuration says. A
 * Redis that is named and not there, or not fit, is an error at the start: nothing is kept elsewhere instead.
 */
import type { LogInput, LogStore } from '@fanfold/document'
import {
  createRedisLogStore,
  describeRedisAddress,
  inspectRedis,
  parseRedisAddress,
  RedisAddressError,
  RedisFailure,
  type RedisFindings,
} from '@fanfold/redis'
import { createFileLogStore } from '@fanfold/storage'
import type { Config } from './config.ts'
import type { Log } from './logging.ts'
import { sha256 } from './sha256.ts'

/** A Redis that has not answered by then is not there, ms. */
const reachWithinMs = 5_000

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
    const address = addressOf(config, config.log)
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
    throw new LogStoreError(found.code, `${found.problem}: ${found.advice}`)
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

/** What is wrong with a Redis, and what to do. */
export type RedisProblem = {
  readonly code: LogStoreError['code']
  readonly problem: string
  readonly advice: string
}

/** What a Redis that is fit for logs says of itself, and how it is called; or why it is not. */
export async function findRedis(
  config: Config,
  address: string,
): Promise<{ readonly findings: RedisFindings; readonly shown: string } | RedisProblem> {
  const full = addressOf(config, address)
  let shown: string
  try {
    shown = describeRedisAddress(parseRedisAddress(full))
  } catch (error) {
    if (!(error instanceof RedisAddressError)) throw error
    return { code: 'FANFOLD_LOG_UNFIT', problem: 'no address of a Redis', advice: error.message }
  }
  try {
    const connectionName = 'fanfold-inspect'
    const findings = await inspectRedis({ address: full, connectionName, withinMs: reachWithinMs })
    return unfit(findings, shown) ?? { findings, shown }
  } catch (error) {
    if (!(error instanceof RedisFailure)) throw error
    const problem = `${shown} does not answer, ${error.message}`
    const code = 'FANFOLD_LOG_UNREACHABLE'
    return { code, problem, advice: 'start it, let this node reach it, or name another one' }
  }
}

function unfit(findings: RedisFindings, shown: string): RedisProblem | undefined {
  const { version, isVersionOk, evictsAll, evictionPolicy } = findings
  const code = 'FANFOLD_LOG_UNFIT'
  if (!isVersionOk) {
    return { code, problem: `${shown} is Redis ${version}`, advice: '6.2 or later is needed' }
  }
  if (!evictsAll) return undefined
  return {
    code,
    problem: `${shown} evicts keys when its memory is full, and logs with them (maxmemory-policy ${evictionPolicy})`,
    advice: 'set maxmemory-policy noeviction',
  }
}

/** The address with who this node is there. */
function addressOf({ redis }: Config, address: string): string {
  const { user = '', password = '' } = redis
  if (user === '' && password === '') return address
  const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`
  return address.replace('://', `://${credentials}@`)
}
