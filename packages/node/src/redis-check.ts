/*
 * Whether a Redis that the configuration names is there, and fit for what it is to keep: looked at before
 * anything is entrusted to it, and by `fanfold doctor`.
 */
import {
  describeRedisAddress,
  inspectRedis,
  parseRedisAddress,
  RedisAddressError,
  RedisFailure,
  type RedisFindings,
} from '@fanfold/redis'
import type { Config } from './config.ts'
import type { Log } from './logging.ts'

/** A Redis that has not answered by then is not there, ms. */
const reachWithinMs = 5_000

/** What is wrong with a Redis, and what to do. */
export type RedisProblem = {
  /** It does not answer; otherwise it is not fit. */
  readonly isAway: boolean
  readonly problem: string
  readonly advice: string
}

/** The Redis where members meet is not there, or not fit for that. */
export class CoordinatorError extends Error {
  override readonly name = 'CoordinatorError'
  readonly code: 'FANFOLD_COORDINATOR_UNREACHABLE' | 'FANFOLD_COORDINATOR_UNFIT'

  constructor(code: CoordinatorError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Looks whether members can meet in a Redis, and says in the log what it is.
 *
 * @throws CoordinatorError when it is not there, too old, or would forget who is there when its memory is full
 */
export async function checkCoordinator(config: Config, redis: string, log: Log): Promise<void> {
  const found = await findRedis(config, redis)
  if ('problem' in found) {
    const code = found.isAway ? 'FANFOLD_COORDINATOR_UNREACHABLE' : 'FANFOLD_COORDINATOR_UNFIT'
    throw new CoordinatorError(code, `${found.problem}: ${found.advice}`)
  }
  const { findings, shown } = found
  log.info(
    { event: 'fleet.redis', address: shown, version: findings.version },
    'members meet in a Redis',
  )
}

/** What a Redis that is fit says of itself, and how it is called; or why it is not. */
export async function findRedis(
  config: Config,
  address: string,
): Promise<{ readonly findings: RedisFindings; readonly shown: string } | RedisProblem> {
  const full = redisAddressOf(config, address)
  let shown: string
  try {
    shown = describeRedisAddress(parseRedisAddress(full))
  } catch (error) {
    if (!(error instanceof RedisAddressError)) throw error
    return { isAway: false, problem: 'no address of a Redis', advice: error.message }
  }
  try {
    const connectionName = 'fanfold-inspect'
    const findings = await inspectRedis({ address: full, connectionName, withinMs: reachWithinMs })
    return unfit(findings, shown) ?? { findings, shown }
  } catch (error) {
    if (!(error instanceof RedisFailure)) throw error
    const problem = `${shown} does not answer, ${error.message}`
    const advice = 'start it, let this node reach it, or name another one'
    return { isAway: true, problem, advice }
  }
}

function unfit(findings: RedisFindings, shown: string): RedisProblem | undefined {
  const { version, isVersionOk, evictsAll, evictionPolicy } = findings
  const isAway = false
  if (!isVersionOk) {
    return { isAway, problem: `${shown} is Redis ${version}`, advice: '6.2 or later is needed' }
  }
  if (!evictsAll) return undefined
  return {
    isAway,
    problem: `${shown} evicts keys when its memory is full, and what is kept there with them (maxmemory-policy ${evictionPolicy})`,
    advice: 'set maxmemory-policy noeviction',
  }
}

/** The address with who this node is there. */
export function redisAddressOf({ redis }: Config, address: string): string {
  const { user = '', password = '' } = redis
  if (user === '' && password === '') return address
  const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`
  return address.replace('://', `://${credentials}@`)
}
