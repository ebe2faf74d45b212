import type { LogInput } from '@fanfold/document'
import type { RandomBytes, Sha256 } from '@fanfold/kernel'
import { keyPrefixDefault, requireKeyPrefix } from './log-keys.ts'
import { silenceMaxMsDefault } from './redis-connection.ts'

/** How a log store on Redis is made. */
export type RedisLogStoreOptions = {
  /** Where the Redis is; see redis-address.ts. */
  readonly address: string
  /** The node's name: in CLIENT LIST, and in what it claims, so that a fenced writer can say by whom. */
  readonly nodeId: string
  readonly sha256: Sha256
  /** Takes the answers; never called from inside `perform`. */
  readonly receive: (input: LogInput) => void
  /**
   * The process must end: one of our own assertions, or `receive` threw, or nobody can ever know whether
   * a batch is in a log. Called once; nothing is answered after. By default the error is thrown where
   * nobody catches it.
   */
  readonly onFatal?: ((error: unknown) => void) | undefined
  /** What all keys begin with, without braces, at most 100 characters. Default `fanfold:`. */
  readonly keyPrefix?: string | undefined
  /** Replicas that must have a batch before it is appended, 0 to 10. Default 0. */
  readonly replicas?: number | undefined
  /** How long one WAIT waits for them before it is asked anew, ms. Default 200. */
  readonly replicasWithinMs?: number | undefined
  /** An append without an answer for so long is told by `log-append-waits`, ms. Default 1,000. */
  readonly answerWithinMs?: number | undefined
  /** What only asks is refused when there is no answer for so long, ms. Default 3,000. */
  readonly reachWithinMs?: number | undefined
  /** How long `close` waits for what was begun, ms. Default 5,000. */
  readonly closeWithinMs?: number | undefined
  /** A connection that is not made by then is tried again, ms. Default 2,000. */
  readonly connectWithinMs?: number | undefined
  /** A connection on which an answer is due and nothing came for so long is ended, ms. Default 3,000. */
  readonly silenceMaxMs?: number | undefined
  /** Effects without an answer; beyond, opens, appends, readings and snapshots are refused. Default 100,000. */
  readonly effectsWaitingMax?: number | undefined
  /** Bytes of records and snapshots that are not kept yet; beyond, those are refused. Default 256 MiB. */
  readonly bytesWaitingMax?: number | undefined
  /** Batches under way at a time; others wait in line. Default 1,024. */
  readonly appendsAtWorkMax?: number | undefined
  /** Documents that are opened at a time; others wait in line. Default 32. */
  readonly opensAtWorkMax?: number | undefined
  /** Readings that read at a time; others wait in line. Default 8. */
  readonly readingsAtWorkMax?: number | undefined
  /** Snapshots that are sent at a time; others wait in line. Default 4. */
  readonly snapshotsAtWorkMax?: number | undefined
  /** How often it is looked whether others have appended to logs that are followed, ms. Default 100. */
  readonly followEveryMs?: number | undefined
  /** Logs that are followed of which what is new is read at a time; others wait in line. Default 8. */
  readonly followsAtWorkMax?: number | undefined
  /** Chance, where it is not the machine's: it tells this store from all others. */
  readonly randomBytes?: RandomBytes | undefined
}

/** Bounds and times of a store. */
export type RedisLogLimits = {
  readonly keyPrefix: string
  readonly replicas: number
  readonly replicasWithinMs: number
  readonly answerWithinMs: number
  readonly reachWithinMs: number
  readonly closeWithinMs: number
  readonly effectsWaitingMax: number
  readonly bytesWaitingMax: number
  readonly appendsAtWorkMax: number
  readonly opensAtWorkMax: number
  readonly readingsAtWorkMax: number
  readonly snapshotsAtWorkMax: number
  readonly followEveryMs: number
  readonly followsAtWorkMax: number
}

/** Of each bound and time, where it is not said. */
export const redisLogDefaults: RedisLogLimits = {
  keyPrefix: keyPrefixDefault,
  replicas: 0,
  // A replica in the same region has a batch after a few ms.
  replicasWithinMs: 200,
  answerWithinMs: 1_000,
  reachWithinMs: 3_000,
  closeWithinMs: 5_000,
  effectsWaitingMax: 100_000,
  bytesWaitingMax: 268_435_456,
  appendsAtWorkMax: 1_024,
  opensAtWorkMax: 32,
  readingsAtWorkMax: 8,
  snapshotsAtWorkMax: 4,
  // Who takes over has so much of the log left to read.
  followEveryMs: 100,
  followsAtWorkMax: 8,
}

/** Replicas that may be asked for. */
const replicasMax = 10

/** Bounds and times of a store, checked. @throws RangeError */
export function limitsOf(options: RedisLogStoreOptions): RedisLogLimits {
  const silenceMaxMs = options.silenceMaxMs ?? silenceMaxMsDefault
  const limits: RedisLogLimits = {
    keyPrefix: options.keyPrefix ?? redisLogDefaults.keyPrefix,
    replicas: options.replicas ?? redisLogDefaults.replicas,
    replicasWithinMs: options.replicasWithinMs ?? redisLogDefaults.replicasWithinMs,
    answerWithinMs: options.answerWithinMs ?? redisLogDefaults.answerWithinMs,
    reachWithinMs: options.reachWithinMs ?? redisLogDefaults.reachWithinMs,
    closeWithinMs: options.closeWithinMs ?? redisLogDefaults.closeWithinMs,
    effectsWaitingMax: options.effectsWaitingMax ?? redisLogDefaults.effectsWaitingMax,
    bytesWaitingMax: options.bytesWaitingMax ?? redisLogDefaults.bytesWaitingMax,
    appendsAtWorkMax: options.appendsAtWorkMax ?? redisLogDefaults.appendsAtWorkMax,
    opensAtWorkMax: options.opensAtWorkMax ?? redisLogDefaults.opensAtWorkMax,
    readingsAtWorkMax: options.readingsAtWorkMax ?? redisLogDefaults.readingsAtWorkMax,
    snapshotsAtWorkMax: options.snapshotsAtWorkMax ?? redisLogDefaults.snapshotsAtWorkMax,
    followEveryMs: options.followEveryMs ?? redisLogDefaults.followEveryMs,
    followsAtWorkMax: options.followsAtWorkMax ?? redisLogDefaults.followsAtWorkMax,
  }
  const { keyPrefix, replicas, replicasWithinMs, ...positive } = limits
  requireKeyPrefix(keyPrefix)
  if (!Number.isInteger(replicas) || replicas < 0 || replicas > replicasMax) {
    throw new RangeError(`replicas is 0 to ${replicasMax}, got ${replicas}`)
  }
  for (const [name, value] of Object.entries({ replicasWithinMs, ...positive })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`${name} is a whole number of at least 1, got ${value}`)
    }
  }
  // While a WAIT waits, nothing comes on its connection.
  if (replicasWithinMs >= silenceMaxMs) {
    throw new RangeError(
      `replicasWithinMs is less than silenceMaxMs, got ${replicasWithinMs} and ${silenceMaxMs}`,
    )
  }
  return limits
}
