import { availableParallelism } from 'node:os'
import type { Config } from './config.ts'
import { autoValue, configTable } from './config-table.ts'

/** Processes that serve the viewers of a node with this configuration; 1 for the process itself. */
export const workersOf = (
  { workers }: Config,
  processors: number = availableParallelism(),
): number => (workers === autoValue ? Math.min(processors, configTable.workers.max) : workers)

/** Connections that each of them may have. */
export const connectionsMaxOf = (config: Config): number =>
  Math.ceil(config.limits.viewersMax / workersOf(config))

/** The node's configuration as a worker has it: nothing of how the node reaches others and is administered. */
export const workerConfig = (
  config: Config,
  { parent, link }: { readonly parent: string; readonly link: Config['link'] },
): Config => ({
  ...config,
  parents: [parent],
  link,
  adminToken: undefined,
  redis: { ...config.redis, url: undefined, user: undefined, password: undefined },
  limits: { ...config.limits, viewersMax: connectionsMaxOf(config) },
})
