export {
  inspectRedis,
  type RedisFindings,
  type RedisInspection,
} from './inspect-redis.ts'
export { LogError, UnknownOutcome } from './log-error.ts'
export {
  describeRedisAddress,
  parseRedisAddress,
  type RedisAddress,
  RedisAddressError,
  type RedisEndpoint,
} from './redis-address.ts'
export {
  connectWithinMsDefault,
  type RedisArgument,
  type RedisCommand,
  RedisConnection,
  type RedisConnectionOptions,
  type ScriptCall,
  silenceMaxMsDefault,
} from './redis-connection.ts'
export { createRedisCoordinator } from './redis-coordinator.ts'
export {
  type RedisCoordinatorLimits,
  type RedisCoordinatorOptions,
  redisCoordinatorDefaults,
} from './redis-coordinator-options.ts'
export { RedisFailure, type RedisFailureKind } from './redis-failure.ts'
export {
  type RedisLogLimits,
  type RedisLogStoreOptions,
  redisLogDefaults,
} from './redis-log-options.ts'
export { createRedisLogStore } from './redis-log-store.ts'
export { loadScript, type RedisScript } from './redis-script.ts'
