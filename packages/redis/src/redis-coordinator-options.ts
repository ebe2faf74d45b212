import {
  type CoordinatorInput,
  coordinatorLimits,
  defaultMembersOptions,
  placementLimits,
} from '@fanfold/topology'
import { keyPrefixDefault, requireKeyPrefix } from './log-keys.ts'

/** How a coordinator on Redis is made. */
export type RedisCoordinatorOptions = {
  /** Where the Redis is; see redis-address.ts. */
  readonly address: string
  /** The node's name, for CLIENT LIST. */
  readonly nodeId: string
  /** Takes what is told; never called from inside `perform`. */
  readonly receive: (input: CoordinatorInput) => void
  /**
   * The process must end: one of our own assertions, or `receive` threw. Called once; nothing is told after.
   * By default the error is thrown where nobody catches it.
   */
  readonly onFatal?: ((error: unknown) => void) | undefined
  /** What all keys begin with, without braces, at most 100 characters. Default `fanfold:`. */
  readonly keyPrefix?: string | undefined
  /** What changed is read so often, ms; at most 1,000. Default 500. */
  readonly readEveryMs?: number | undefined
  /** All members are read so often, and not those alone who said something, ms. Default 2,000. */
  readonly readAllEveryMs?: number | undefined
  /** A hint makes it read at once, but not sooner after the last reading began than this, ms. Default 100. */
  readonly hintedEveryMs?: number | undefined
  /**
   * When no command was answered for so long the coordinator is lost, ms; at least twice `readEveryMs`.
   * Default 2,000. A server that refuses a command is lost at once.
   */
  readonly lostAfterMs?: number | undefined
  /** Announcements that are kept; beyond, those not renewed for the longest are forgotten. Default 10,000. */
  readonly membersMax?: number | undefined
  /** Subjects that may be placed; a further one is refused. Default 10,000. */
  readonly placementsMax?: number | undefined
  /**
   * Effects that wait in line. Beyond, an announcement is not answered, a withdrawal is not done, and a placing
   * is told to be unanswered. Default 1,000.
   */
  readonly effectsWaitingMax?: number | undefined
  /** A connection that is not made by then is tried again, ms. Default 2,000. */
  readonly connectWithinMs?: number | undefined
  /** A connection on which an answer is due and nothing came for so long is ended, ms. Default 3,000. */
  readonly silenceMaxMs?: number | undefined
}

/** Bounds and times of a coordinator. */
export type RedisCoordinatorLimits = {
  readonly keyPrefix: string
  readonly readEveryMs: number
  readonly readAllEveryMs: number
  readonly hintedEveryMs: number
  readonly lostAfterMs: number
  readonly membersMax: number
  readonly placementsMax: number
  readonly effectsWaitingMax: number
}

/** Of each bound and time, where it is not said. */
export const redisCoordinatorDefaults: RedisCoordinatorLimits = {
  keyPrefix: keyPrefixDefault,
  // Whoever watches is to be told every second.
  readEveryMs: 500,
  readAllEveryMs: 2_000,
  hintedEveryMs: 100,
  // Less than half of what a member's silence takes to be its death.
  lostAfterMs: 2_000,
  membersMax: defaultMembersOptions.membersMax,
  placementsMax: placementLimits.placementsMax.value,
  effectsWaitingMax: 1_000,
}

/** Bounds and times of a coordinator, checked. @throws RangeError */
export function coordinatorLimitsOf(options: RedisCoordinatorOptions): RedisCoordinatorLimits {
  const defaults = redisCoordinatorDefaults
  const limits: RedisCoordinatorLimits = {
    keyPrefix: options.keyPrefix ?? defaults.keyPrefix,
    readEveryMs: options.readEveryMs ?? defaults.readEveryMs,
    readAllEveryMs: options.readAllEveryMs ?? defaults.readAllEveryMs,
    hintedEveryMs: options.hintedEveryMs ?? defaults.hintedEveryMs,
    lostAfterMs: options.lostAfterMs ?? defaults.lostAfterMs,
    membersMax: options.membersMax ?? defaults.membersMax,
    placementsMax: options.placementsMax ?? defaults.placementsMax,
    effectsWaitingMax: options.effectsWaitingMax ?? defaults.effectsWaitingMax,
  }
  const { keyPrefix, ...positive } = limits
  requireKeyPrefix(keyPrefix)
  for (const [name, value] of Object.entries(positive)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`${name} is a whole number of at least 1, got ${value}`)
    }
  }
  const { readEveryMs, lostAfterMs } = limits
  const { value: tellEveryMs } = coordinatorLimits.tellEveryMs
  if (readEveryMs > tellEveryMs) {
    throw new RangeError(`readEveryMs is at most ${tellEveryMs}, got ${readEveryMs}`)
  }
  if (lostAfterMs < 2 * readEveryMs) {
    throw new RangeError(
      `lostAfterMs is at least twice readEveryMs, got ${lostAfterMs} and ${readEveryMs}`,
    )
  }
  return limits
}
