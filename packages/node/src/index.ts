export { NodeRefusedError } from './cluster-host.ts'
export { type Config, createConfig, type LoadedConfig, loadConfig, type Role } from './config.ts'
export { ConfigError, type ConfigProblem } from './config-error.ts'
export { ConfigReload, type ConfigReloadOptions } from './config-reload.ts'
export type { ConfigFlags } from './config-source.ts'
export { type ConfigName, configTable } from './config-table.ts'
export {
  type ConfigFlag,
  configDefaults,
  configEnvironment,
  configFlags,
  type DescribedOption,
  describeConfig,
} from './config-text.ts'
export { readDescriptorLimit } from './descriptor-limit.ts'
export { type RunningDev, type StartDevOptions, startDev } from './dev-tree.ts'
export { type DoctorOptions, type DoctorRow, runDoctor } from './doctor.ts'
export { keepMemorySmall } from './edge-flags.ts'
export { type RunningNode, type StartNodeOptions, startNode } from './fanfold-node.ts'
export {
  createLinkAuthenticator,
  generateFleetKey,
  generateNodeKey,
  type IdentityKey,
  type LinkAuthenticatorOptions,
  LinkIdentityError,
  type MintLinkTokenOptions,
  mintLinkToken,
} from './link-identity.ts'
export { LogStoreError } from './log-stores.ts'
export { createLog, type Log, type LogFields, type LogOptions } from './logging.ts'
export { type Project, readProject } from './read-project.ts'
export { CoordinatorError } from './redis-check.ts'
export { sha256 } from './sha256.ts'
export { snapshotCodec } from './snapshot-codec.ts'
export { version } from './version.ts'
export {
  createTokenVerifier,
  generateDevelopmentKey,
  type MintTokenOptions,
  mintToken,
  TokenError,
  type TokenVerifier,
} from './viewer-tokens.ts'
export { createReplicaWorker, type WorkerThreadsOptions } from './worker-threads.ts'
