export {
  logRecords,
  type PlacedRecord,
  recordId,
  recordsIn,
  segmentPaths,
} from './logs/final-log.ts'
export { whyNot } from './needs.ts'
export { Cleanups } from './processes/cleanups.ts'
export { type Heal, Networks } from './processes/networks.ts'
export { nodeEnvironment } from './processes/node-environment.ts'
export { endWithParent } from './processes/node-process.ts'
export { RedisServer, type RedisServerOptions } from './processes/redis-server.ts'
export { until, within } from './until.ts'
